"""A Canary, its target, and stand-ins for routers, metrics and webhooks."""

from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import CANARY
from fluvial.toolkit.testing.extension import write_extension


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """Install a distribution with one entry point."""

    def install(source, group, name, attribute):
        write_extension(tmp_path, source, group, name, attribute)
        monkeypatch.syspath_prepend(str(tmp_path))

    return install


def make_canary(**changes):
    """Make a Canary as the server has it; `analysis`, `status` and `metadata` are merged."""
    metadata = {
        "name": "web",
        "namespace": "default",
        "uid": "uid-canary",
        "resourceVersion": "1",
        "generation": 1,
        **changes.pop("metadata", {}),
    }
    analysis = {"interval": "1m", "threshold": 2, "iterations": 2, **changes.pop("analysis", {})}
    status = changes.pop("status", {})
    obj = {
        "apiVersion": "flagger.app/v1beta1",
        "kind": "Canary",
        "metadata": metadata,
        "spec": {
            "provider": "kubernetes",
            "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "service": {"port": 80},
            "analysis": {key: value for key, value in analysis.items() if value is not None},
            **changes,
        },
    }
    return {**obj, "status": status} if status else obj


def make_deployment(name="web", image="web:1", replicas=1, **template):
    """Make a Deployment whose rollout is done."""
    label = {"app": name}
    counts = ("replicas", "updatedReplicas", "availableReplicas")
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name, "namespace": "default", "generation": 1},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": label},
            "template": {
                "metadata": {"labels": label},
                "spec": {"containers": [{"name": "web", "image": image}], **template},
            },
        },
        "status": {"observedGeneration": 1, **dict.fromkeys(counts, replicas)},
    }


@pytest.fixture
def canary():
    """Make a decoded Canary."""
    return lambda **changes: decode(CANARY, make_canary(**changes))


@dataclass
class Outcome:
    ok: bool = True
    message: str = ""


@dataclass
class Hooks:
    """Webhooks that approve, but those named in `closed`."""

    closed: set = field(default_factory=set)
    called: list = field(default_factory=list)
    events: list = field(default_factory=list)

    async def call(self, _canary, webhook, phase, checksum):
        self.called.append((webhook.name, str(phase), checksum))
        return Outcome(webhook.name not in self.closed, "said so")

    async def event(self, _canary, message, type, **_):
        self.events.append((type, message))


@dataclass
class Verdict:
    failures: list = field(default_factory=list)
    values: dict = field(default_factory=dict)

    @property
    def passed(self):
        return not self.failures


@dataclass
class Checks:
    """Metrics that pass, but for `failures`."""

    failures: list = field(default_factory=list)
    trouble: str | None = None

    async def check(self, _canary):
        return Verdict(list(self.failures), {"latency": 12.0})

    async def available(self, _canary):
        return self.trouble


@dataclass
class Alerts:
    sent: list = field(default_factory=list)

    async def send(self, _canary, message, severity, **_):
        self.sent.append((severity, message))


@dataclass
class Fakes:
    hooks: Hooks = field(default_factory=Hooks)
    checks: Checks = field(default_factory=Checks)
    alerts: Alerts = field(default_factory=Alerts)


@pytest.fixture
def fakes():
    return Fakes()


@pytest.fixture
def make():
    """Make objects as the server has them."""
    return SimpleNamespace(canary=make_canary, deployment=make_deployment)
