"""What the API server is told to refuse, field by field, as the reference has it."""

import re

import pytest

from fluvial.apis import kinds
from fluvial.apis.openapi import resource_schema

BY_NAME = {kind.kind: resource_schema(kind.model) for kind in kinds.ALL}
INTERVAL = r"^([0-9]+(\.[0-9]+)?(ms|s|m|h))+$"
TIMEOUT = r"^([0-9]+(\.[0-9]+)?(ms|s|m))+$"
CHART_STRATEGY = ["ChartVersion", "Revision"]
CRDS = ["Skip", "Create", "CreateReplace"]
APPLY = ["enabled", "disabled", "auto"]


def at(kind, path):
    """Return the schema at a path like `spec.include[].fromPath`."""
    node = BY_NAME[kind]
    for step in re.findall(r"[^.\[{]+|\[\]|\{\}", path):
        if step == "[]":
            node = node["items"]
        elif step == "{}":
            node = node["additionalProperties"]
        else:
            node = node["properties"][step]
    return node


@pytest.mark.parametrize(
    ("kind", "path", "required"),
    [
        ("GitRepository", "spec", "interval url"),
        ("GitRepository", "spec.verify", "secretRef"),
        ("GitRepository", "spec.include[]", "repository"),
        ("OCIRepository", "spec", "interval url"),
        ("OCIRepository", "spec.verify", "provider"),
        ("OCIRepository", "spec.verify.matchOIDCIdentity[]", "issuer subject"),
        ("HelmRepository", "spec", "url"),
        ("HelmChart", "spec", "chart interval sourceRef"),
        ("HelmChart", "spec.sourceRef", "kind name"),
        ("Bucket", "spec", "bucketName endpoint interval"),
        ("Bucket", "spec.sts", "endpoint provider"),
        ("ExternalArtifact", "spec.sourceRef", "kind name"),
        ("Kustomization", "spec", "interval prune sourceRef"),
        ("Kustomization", "spec.decryption", "provider"),
        ("Kustomization", "spec.healthChecks[]", "kind name"),
        ("Kustomization", "spec.healthCheckExprs[]", "apiVersion current"),
        ("Kustomization", "spec.ignore[]", "paths"),
        ("HelmRelease", "spec", "interval"),
        ("HelmRelease", "spec.chart.spec", "chart sourceRef"),
        ("HelmRelease", "spec.valuesFrom[]", "kind name"),
        ("Canary", "spec", "analysis targetRef"),
        ("Canary", "spec.service", "port"),
        ("Canary", "spec.targetRef", "apiVersion kind name"),
        ("Canary", "spec.analysis.webhooks[]", "name url"),
        ("Canary", "spec.analysis.alerts[]", "name providerRef"),
        ("Canary", "spec.analysis.sessionAffinity", "cookieName"),
        ("Canary", "status.conditions[]", "reason status type"),
        ("MetricTemplate", "spec", "provider query"),
        ("GitRepository", "status.artifact", "digest lastUpdateTime path revision url"),
        ("GitRepository", "status.conditions[]", "lastTransitionTime message reason status type"),
    ],
)
def test_required(kind, path, required):
    assert " ".join(at(kind, path)["required"]) == required


@pytest.mark.parametrize(
    ("kind", "path", "default"),
    [
        ("GitRepository", "spec.timeout", "60s"),
        ("GitRepository", "spec.verify.mode", "HEAD"),
        ("OCIRepository", "spec.timeout", "60s"),
        ("OCIRepository", "spec.provider", "generic"),
        ("OCIRepository", "spec.verify.provider", "cosign"),
        ("HelmRepository", "spec.provider", "generic"),
        ("HelmChart", "spec.version", "*"),
        ("HelmChart", "spec.reconcileStrategy", "ChartVersion"),
        ("HelmChart", "spec.verify.provider", "cosign"),
        ("Bucket", "spec.provider", "generic"),
        ("Bucket", "spec.timeout", "60s"),
        ("Kustomization", "spec.force", False),
        ("Kustomization", "spec.postBuild.substituteFrom[].optional", False),
        ("HelmRelease", "spec.chart.spec.version", "*"),
        ("HelmRelease", "spec.uninstall.deletionPropagation", "background"),
        ("Canary", "spec.service.gatewayRefs[].group", "gateway.networking.k8s.io"),
        ("Canary", "spec.service.gatewayRefs[].kind", "Gateway"),
        ("Canary", "spec.service.mirror[].backendRef.group", ""),
        ("Canary", "spec.service.mirror[].backendRef.kind", "Service"),
        ("Canary", "spec.analysis.sessionAffinity.maxAge", 86400),
    ],
)
def test_defaults(kind, path, default):
    assert at(kind, path)["default"] == default


@pytest.mark.parametrize(
    ("kind", "path", "reason"),
    [
        ("GitRepository", "spec.provider", "unset means generic and is told from it"),
        ("HelmRepository", "spec.timeout", "one minute, but not written into the object"),
        ("HelmRepository", "spec.type", "unset means default"),
        ("HelmRelease", "spec.timeout", "the controller's five minutes"),
        ("HelmRelease", "spec.maxHistory", "the controller's five"),
        ("HelmRelease", "spec.valuesFrom[].valuesKey", "the controller's values.yaml"),
        ("Kustomization", "spec.deletionPolicy", "the controller's MirrorPrune"),
        ("Canary", "status.phase", "always written, yet no default"),
    ],
)
def test_no_default(kind, path, reason):
    assert "default" not in at(kind, path), reason


@pytest.mark.parametrize(
    ("kind", "path", "choices"),
    [
        ("GitRepository", "spec.provider", ["generic", "aws", "azure", "github"]),
        ("GitRepository", "spec.verify.mode", ["head", "HEAD", "Tag", "TagAndHEAD"]),
        ("OCIRepository", "spec.provider", ["generic", "aws", "azure", "gcp"]),
        ("OCIRepository", "spec.layerSelector.operation", ["extract", "copy"]),
        ("HelmRepository", "spec.type", ["default", "oci"]),
        ("HelmChart", "spec.sourceRef.kind", ["HelmRepository", "GitRepository", "Bucket"]),
        ("HelmChart", "spec.reconcileStrategy", CHART_STRATEGY),
        ("Bucket", "spec.provider", ["generic", "aws", "gcp", "azure"]),
        ("Bucket", "spec.sts.provider", ["aws", "ldap"]),
        ("Kustomization", "spec.sourceRef.kind",
         ["OCIRepository", "GitRepository", "Bucket", "ExternalArtifact"]),
        ("Kustomization", "spec.deletionPolicy",
         ["MirrorPrune", "Delete", "WaitForTermination", "Orphan"]),
        ("Kustomization", "spec.postBuild.substituteStrategy", ["WithVariables", "Always"]),
        ("Kustomization", "spec.buildMetadata[]", ["originAnnotations", "transformerAnnotations"]),
        ("HelmRelease", "spec.chartRef.kind", ["OCIRepository", "HelmChart", "ExternalArtifact"]),
        ("HelmRelease", "spec.install.crds", CRDS),
        ("HelmRelease", "spec.upgrade.crds", CRDS),
        ("HelmRelease", "spec.upgrade.serverSideApply", APPLY),
        ("HelmRelease", "spec.rollback.serverSideApply", APPLY),
        ("HelmRelease", "spec.upgrade.remediation.strategy", ["rollback", "uninstall"]),
        ("HelmRelease", "spec.driftDetection.mode", ["enabled", "warn", "disabled"]),
        ("HelmRelease", "spec.waitStrategy.name", ["poller", "legacy"]),
        ("HelmRelease", "spec.postRenderStrategy", ["nohooks", "combined", "separate"]),
        ("Canary", "spec.targetRef.kind", ["DaemonSet", "Deployment", "Service"]),
        ("Canary", "spec.autoscalerRef.kind", ["HorizontalPodAutoscaler", "ScaledObject"]),
        ("Canary", "spec.analysis.alerts[].severity", ["", "info", "warn", "error"]),
        ("Canary", "spec.analysis.sessionAffinity.sameSite", ["Strict", "Lax", "None"]),
        ("AlertProvider", "spec.type", ["slack", "msteams", "discord", "rocket", "gchat"]),
    ],
)  # fmt: skip
def test_enums(kind, path, choices):
    assert at(kind, path)["enum"] == choices


@pytest.mark.parametrize(
    ("kind", "path", "low", "high"),
    [
        ("Kustomization", "spec.namePrefix", 1, 200),
        ("Kustomization", "spec.targetNamespace", 1, 63),
        ("Kustomization", "spec.postBuild.substituteFrom[].name", 1, 253),
        ("HelmRelease", "spec.releaseName", 1, 53),
        ("HelmRelease", "spec.chart.spec.chart", 1, 2048),
        ("HelmRelease", "spec.valuesFrom[].targetPath", None, 250),
        ("GitRepository", "status.conditions[].message", None, 32768),
        ("GitRepository", "status.conditions[].reason", 1, 1024),
        ("GitRepository", "status.conditions[].type", None, 316),
    ],
)
def test_lengths(kind, path, low, high):
    schema = at(kind, path)
    assert (schema.get("minLength"), schema.get("maxLength")) == (low, high)


@pytest.mark.parametrize(
    ("kind", "path", "admitted", "refused"),
    [
        ("GitRepository", "spec.url", "https://a ssh://git@a/b", "git@a:b oci://a"),
        ("OCIRepository", "spec.url", "oci://a/b", "https://a"),
        ("HelmRepository", "spec.url", "https://a oci://a", "ssh://a"),
        ("GitRepository", "spec.interval", "1m 1h30m 1.5s 300ms", "1d 60 -1m 1us"),
        ("GitRepository", "spec.timeout", "60s 1m30s", "1h"),
        ("Bucket", "spec.sts.endpoint", "https://a", "a:443"),
        ("GitRepository", "status.artifact.digest", "sha256:ab blake3:0", "ab sha256:"),
        ("HelmRelease", "spec.valuesFrom[].valuesKey", "values.yaml a_b-c", "a/b"),
        ("HelmRelease", "spec.valuesFrom[].targetPath", "a.b[0].c a\\.b", "a[b]"),
        ("Canary", "spec.analysis.interval", "1m 30s 1m30s", "1h m"),
        ("Canary", "spec.analysis.webhooks[].timeout", "10s", "1h"),
        ("Canary", "spec.service.gatewayRefs[].namespace", "a-b", "A a."),
        ("GitRepository", "status.conditions[].type", "Ready a.io/B", "-a a/ a/b/c"),
    ],
)
def test_patterns(kind, path, admitted, refused):
    pattern = at(kind, path)["pattern"]
    assert all(re.search(pattern, text) for text in admitted.split())
    assert not any(re.search(pattern, text) for text in refused.split(" ") if text)


def test_every_interval_has_the_pattern():
    for kind, path in [
        ("Kustomization", "spec.interval"),
        ("Kustomization", "spec.retryInterval"),
        ("Kustomization", "spec.timeout"),
        ("HelmRelease", "spec.interval"),
        ("HelmRelease", "spec.timeout"),
        ("HelmRelease", "spec.chart.spec.interval"),
        ("HelmRelease", "spec.install.strategy.retryInterval"),
        ("HelmRepository", "spec.interval"),
    ]:
        assert at(kind, path)["pattern"] == INTERVAL
    assert at("HelmRepository", "spec.timeout")["pattern"] == TIMEOUT


@pytest.mark.parametrize(
    ("kind", "path", "type", "format"),
    [
        ("Canary", "spec.progressDeadlineSeconds", "number", None),
        ("Canary", "spec.analysis.stepWeights[]", "number", None),
        ("Canary", "status.canaryWeight", "number", None),
        ("Canary", "spec.service.port", "number", None),
        ("Canary", "spec.service.match[].port", "integer", None),
        ("Canary", "spec.service.gatewayRefs[].port", "integer", "int32"),
        ("Canary", "spec.analysis.metrics[].thresholdRange.min", "number", None),
        ("HelmRelease", "spec.maxHistory", "integer", None),
        ("HelmRelease", "status.failures", "integer", "int64"),
        ("GitRepository", "status.observedGeneration", "integer", "int64"),
        ("GitRepository", "status.artifact.size", "integer", "int64"),
        ("GitRepository", "status.artifact.lastUpdateTime", "string", "date-time"),
    ],
)
def test_types(kind, path, type, format):
    assert (at(kind, path)["type"], at(kind, path).get("format")) == (type, format)


@pytest.mark.parametrize(
    ("kind", "path", "words"),
    [
        ("GitRepository", "spec", ["serviceAccountName can only be set"]),
        ("HelmChart", "spec", ["spec.verify is only supported"]),
        ("Bucket", "spec", [
            "STS configuration is only supported",
            "'aws' is the only supported STS",
            "'ldap' is the only supported STS",
            "sts.secretRef is not required",
            "sts.certSecretRef is not required",
            "ServiceAccountName is not supported",
            "cannot set both",
        ]),
        ("Kustomization", "spec.kubeConfig", ["exactly one of", "exactly one of"]),
        ("HelmRelease", "spec.kubeConfig", ["exactly one of", "exactly one of"]),
        ("HelmRelease", "spec", ["either chart or chartRef"]),
        ("HelmRelease", "spec.install.strategy", ["cannot be set when"]),
        ("HelmRelease", "spec.upgrade.strategy", ["can only be set when"]),
        ("Canary", "spec.service.mirror[].backendRef", ["Must have port"]),
    ],
)  # fmt: skip
def test_rules(kind, path, words):
    rules = at(kind, path)["x-kubernetes-validations"]
    assert len(rules) == len(words)
    for rule, message in zip(rules, words, strict=True):
        assert message in rule["message"]
        assert rule["rule"].startswith(("self.", "has(", "!has(", "(has(", "(size("))


@pytest.mark.parametrize(
    ("kind", "path", "branches"),
    [
        ("Canary", "spec.analysis", [
            "interval threshold iterations",
            "interval threshold stepWeight",
            "interval threshold stepWeights",
        ]),
        ("AlertProvider", "spec", ["type address", "type secretRef"]),
        ("Canary", "spec.analysis.match[].headers{}", ["exact", "prefix", "suffix", "regex"]),
        ("Canary", "spec.service.corsPolicy.allowOrigins[]", ["exact", "prefix", "regex"]),
        ("Canary", "spec.service.match[].uri", [None, "exact", "prefix", "regex"]),
        ("Canary", "spec.service.trafficPolicy.loadBalancer", ["simple", "consistentHash"]),
    ],
)  # fmt: skip
def test_exactly_one_of(kind, path, branches):
    expected = [branch and branch.split() for branch in branches]
    assert [branch.get("required") for branch in at(kind, path)["oneOf"]] == expected


def test_free_form():
    assert at("HelmRelease", "spec.values")["x-kubernetes-preserve-unknown-fields"] is True
    assert at("Canary", "spec.service.targetPort")["x-kubernetes-int-or-string"] is True
    assert at("Canary", "spec.service.gatewayRefs")["maxItems"] == 32


@pytest.mark.parametrize(
    ("kind", "path", "absent", "reason"),
    [
        ("HelmChart", "spec.verify", "trustedRootSecretRef", "only OCIRepository has it"),
        ("GitRepository", "status", "url", "no link is kept for this kind"),
        ("HelmRepository", "spec", "serviceAccountName", "the controller's identity only"),
        ("Kustomization", "spec", "persistentClient", "that is HelmRelease's"),
        ("HelmRelease", "spec.chart.spec.verify", "matchOIDCIdentity", "HelmChart has it"),
        ("Canary", "spec", "canaryAnalysis", "the deprecated alias is pruned"),
        ("Canary", "spec.service.trafficPolicy.connectionPool", "tcp", "pruned"),
        ("Canary", "spec.analysis.match[]", "uri", "pruned"),
        ("ExternalArtifact", "status", "observedGeneration", "third parties write the status"),
    ],
)
def test_fields_that_upstream_does_not_have(kind, path, absent, reason):
    assert absent not in at(kind, path)["properties"], reason
