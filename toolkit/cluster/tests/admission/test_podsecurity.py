"""What each check of the Pod Security Standards says."""

import pytest

from fluvial.cluster.builtin.podsecurity import violations

GOOD = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}


OPEN = {"seccompProfile": {"type": "Unconfined"}}
SYSCTLS = [{"name": "kernel.msgmax"}, {"name": "net.ipv4.tcp_rmem"}]


def pod(*contexts, **spec):
    """Return a pod spec with a container for each security context."""
    names = "abc"
    containers = [
        {"name": names[index], "image": "i", "securityContext": own}
        for index, own in enumerate(contexts or [{}])
    ]
    return {"containers": containers, **spec}


@pytest.mark.parametrize(
    ("spec", "expected", "reason"),
    [
        (pod(), "", "an ordinary pod"),
        (
            pod(hostNetwork=True, hostPID=True),
            "host namespaces (hostNetwork=true, hostPID=true)",
            "the node's namespaces",
        ),
        (
            pod({"privileged": True}, {"privileged": True}),
            'privileged (containers "a", "b" must not set securityContext.privileged=true)',
            "several containers",
        ),
        (
            pod({"capabilities": {"add": ["NET_ADMIN", "CHOWN"]}}),
            ('non-default capabilities (container "a" must not include "NET_ADMIN" in '
            "securityContext.capabilities.add)"),
            "only those beyond the default",
        ),
        (
            pod(volumes=[{"name": "v", "hostPath": {"path": "/"}}]),
            'hostPath volumes (volume "v")',
            "a path of the node",
        ),
        (
            {"containers": [{"name": "a", "ports": [{"hostPort": 80}, {"hostPort": 8080}]}]},
            'hostPort (container "a" uses hostPorts 80, 8080)',
            "ports of the node",
        ),
        (
            {"containers": [{"name": "a", "livenessProbe": {"httpGet": {"host": "x"}}}]},
            'probe or lifecycle host (container "a" uses probe or lifecycle host "x")',
            "a probe of another host",
        ),
        (
            pod({"procMount": "Unmasked"}),
            'procMount (container "a" must not set securityContext.procMount to "Unmasked")',
            "an unmasked /proc",
        ),
        (pod({"procMount": "Unmasked"}, hostUsers=False), "", "of users that are not the node's"),
        (
            pod({"seLinuxOptions": {"type": "spc_t", "user": "u"}}),
            ('seLinuxOptions (container "a" set forbidden securityContext.seLinuxOptions: type '
            '"spc_t"; user may not be set)'),
            "a type and a user",
        ),
        (
            pod(OPEN, securityContext=OPEN),
            ('seccompProfile (pod and container "a" must not set '
            'securityContext.seccompProfile.type to "Unconfined")'),
            "pod and container",
        ),
        (
            pod({"appArmorProfile": {"type": "Unconfined"}}),
            ('forbidden AppArmor profile (container "a" must not set AppArmor profile type to '
            '"Unconfined")'),
            "no profile",
        ),
        (
            pod(securityContext={"sysctls": SYSCTLS}),
            "forbidden sysctls (kernel.msgmax)",
            "one that is not safe",
        ),
        (
            pod(securityContext={"windowsOptions": {"hostProcess": True}}),
            "hostProcess (pod must not set securityContext.windowsOptions.hostProcess=true)",
            "a process of the host",
        ),
    ],
)  # fmt: skip
def test_baseline(spec, expected, reason):
    assert violations("baseline", spec) == expected, reason


@pytest.mark.parametrize(
    ("spec", "expected", "reason"),
    [
        (pod(GOOD), "", "a pod that says it all"),
        (
            pod(),
            (
                'allowPrivilegeEscalation != false (container "a" must set '
                "securityContext.allowPrivilegeEscalation=false), "
                'unrestricted capabilities (container "a" must set '
                'securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or '
                'container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or '
                'container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" '
                'or "Localhost")'
            ),
            "an ordinary pod lacks four things",
        ),
        (
            pod({**GOOD, "capabilities": {"drop": ["ALL"], "add": ["NET_BIND_SERVICE", "CHOWN"]}}),
            (
                'unrestricted capabilities (container "a" must not include "CHOWN" in '
                "securityContext.capabilities.add)"
            ),
            "one capability may be added",
        ),
        (
            pod(GOOD, volumes=[{"name": "v", "hostPath": {}}, {"name": "w", "secret": {}}]),
            'restricted volume types (volume "v" uses restricted volume type "hostPath")',
            "named once, by the stricter check",
        ),
        (
            pod({**GOOD, "runAsNonRoot": None}, securityContext={"runAsNonRoot": True}),
            "",
            "the pod speaks for its containers",
        ),
        (
            pod({**GOOD, "runAsNonRoot": False}, securityContext={"runAsNonRoot": True}),
            'runAsNonRoot != true (container "a" must not set securityContext.runAsNonRoot=false)',
            "a container for itself",
        ),
        (
            pod({**GOOD, "runAsUser": 0}),
            'runAsUser=0 (container "a" must not set runAsUser=0)',
            "root by number",
        ),
        (pod({**GOOD, "runAsUser": 0}, hostUsers=False), "", "which is nobody on the node"),
        (
            pod({**GOOD, "seccompProfile": {"type": "Unconfined"}}),
            (
                'seccompProfile (container "a" must not set securityContext.seccompProfile.type to '
                '"Unconfined")'
            ),
            "said and wrong",
        ),
        (
            pod(GOOD, hostNetwork=True),
            "host namespaces (hostNetwork=true)",
            "the baseline holds too",
        ),
    ],
)
def test_restricted(spec, expected, reason):
    assert violations("restricted", spec) == expected, reason


def test_privileged_forbids_nothing():
    assert violations("privileged", pod({"privileged": True}, hostNetwork=True)) == ""
