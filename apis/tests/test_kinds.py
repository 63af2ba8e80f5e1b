"""The names, columns and categories of every kind are upstream's."""

import msgspec
import pytest

from fluvial.apis import kinds
from fluvial.apis.ids import GroupKind, GroupVersionKind
from fluvial.apis.kinds import ALL

AGE = ("Age", ".metadata.creationTimestamp", "date", 0)
READY = ("Ready", '.status.conditions[?(@.type=="Ready")].status', "string", 0)
STATUS = ("Status", '.status.conditions[?(@.type=="Ready")].message', "string", 0)
URL = ("URL", ".spec.url", "string", 0)

COLUMNS = {
    "GitRepository": [URL, AGE, READY, STATUS],
    "OCIRepository": [URL, READY, STATUS, AGE],
    "HelmRepository": [URL, AGE, READY, STATUS],
    "HelmChart": [
        ("Chart", ".spec.chart", "string", 0),
        ("Version", ".spec.version", "string", 0),
        ("Source Kind", ".spec.sourceRef.kind", "string", 0),
        ("Source Name", ".spec.sourceRef.name", "string", 0),
        AGE,
        READY,
        STATUS,
    ],
    "Bucket": [("Endpoint", ".spec.endpoint", "string", 0), AGE, READY, STATUS],
    "ExternalArtifact": [AGE, READY, STATUS, ("Source", ".spec.sourceRef.name", "string", 0)],
    "Kustomization": [AGE, READY, STATUS],
    "HelmRelease": [AGE, READY, STATUS],
    "Canary": [
        ("Status", ".status.phase", "string", 0),
        ("Weight", ".status.canaryWeight", "string", 0),
        ("Suspended", ".spec.suspend", "boolean", 1),
        ("FailedChecks", ".status.failedChecks", "string", 1),
        ("Interval", ".spec.analysis.interval", "string", 1),
        ("Mirror", ".spec.analysis.mirror", "boolean", 1),
        ("StepWeight", ".spec.analysis.stepWeight", "string", 1),
        ("StepWeights", ".spec.analysis.stepWeights", "string", 1),
        ("MaxWeight", ".spec.analysis.maxWeight", "string", 1),
        ("LastTransitionTime", ".status.lastTransitionTime", "string", 0),
    ],
    "MetricTemplate": [("Provider", ".spec.provider.type", "string", 0)],
    "AlertProvider": [("Type", ".spec.type", "string", 0)],
}

SOURCE = "source.toolkit.fluxcd.io/v1"
NAMES = [
    ("GitRepository", SOURCE, "gitrepositories", ("gitrepo",), "fluxcd-sources"),
    ("OCIRepository", SOURCE, "ocirepositories", ("ocirepo",), "fluxcd-sources"),
    ("HelmRepository", SOURCE, "helmrepositories", ("helmrepo",), "fluxcd-sources"),
    ("HelmChart", SOURCE, "helmcharts", ("hc",), "fluxcd-sources"),
    ("Bucket", SOURCE, "buckets", (), "fluxcd-sources"),
    ("ExternalArtifact", SOURCE, "externalartifacts", ("ea",), "fluxcd-sources"),
    ("Kustomization", "kustomize.toolkit.fluxcd.io/v1", "kustomizations", ("ks",),
     "fluxcd-appliers"),
    ("HelmRelease", "helm.toolkit.fluxcd.io/v2", "helmreleases", ("hr",), "fluxcd-appliers"),
    ("Canary", "flagger.app/v1beta1", "canaries", (), "all"),
    ("MetricTemplate", "flagger.app/v1beta1", "metrictemplates", (), "all"),
    ("AlertProvider", "flagger.app/v1beta1", "alertproviders", (), "all"),
]  # fmt: skip
BY_NAME = {kind.kind: kind for kind in ALL}


def test_every_kind_has_its_row():
    assert [row[0] for row in NAMES] == list(COLUMNS) == [kind.kind for kind in ALL]


@pytest.mark.parametrize(("name", "api_version", "plural", "short", "category"), NAMES)
def test_names(name, api_version, plural, short, category):
    kind = BY_NAME[name]
    assert kind.api_version == api_version
    assert kind.gvk == GroupVersionKind.of(api_version, name)
    assert kind.plural == plural
    assert kind.singular == name.lower()
    assert kind.short_names == short
    assert kind.categories[0] == "all"
    assert kind.categories[-1] == category
    assert kind.namespaced


@pytest.mark.parametrize("name", COLUMNS)
def test_columns(name):
    assert list(BY_NAME[name].columns) == COLUMNS[name]


@pytest.mark.parametrize("kind", ALL, ids=str)
def test_a_model_knows_what_it_is(kind):
    fields = {field.name: field for field in msgspec.structs.fields(kind.model)}
    assert fields["api_version"].default_factory() == kind.api_version
    assert fields["kind"].default_factory() == kind.kind


def test_find():
    assert kinds.find("kustomize.toolkit.fluxcd.io", "Kustomization") is kinds.KUSTOMIZATION
    assert kinds.find("kustomize.config.k8s.io", "Kustomization") is None


def test_printed_form():
    assert str(kinds.CANARY) == "Canary.flagger.app"
    assert kinds.CANARY.group_kind == GroupKind("flagger.app", "Canary")
    assert kinds.CANARY.crd_name == "canaries.flagger.app"
