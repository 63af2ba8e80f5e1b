"""Command line flags, declared as the fields of a dataclass and written as Go programs take them.

```python
@dataclass(kw_only=True)
class ExampleFlags(RuntimeFlags):
    concurrent: int = flag(2, "Workers per kind.")
    requeue_dependency: float = duration(30.0, "Wait between looks at a missing dependency.")
    gates: ClassVar[Mapping[str, bool]] = {"CacheSecretsAndConfigMaps": False}

flags = parse(ExampleFlags, ["--concurrent=8", "--log-level", "debug"])
```

`--flag=value`, `--flag value` and one dash are the same; a boolean takes its value only after `=`.
"""

import dataclasses
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, TypeVar, cast

from fluvial.apis.duration import format_duration, parse_duration

__all__ = [
    "FlagError",
    "HelpRequested",
    "IntervalFlags",
    "RuntimeFlags",
    "TokenFlags",
    "duration",
    "flag",
    "parse",
]

T = TypeVar("T", bound="RuntimeFlags")
V = TypeVar("V", str, int, float, bool)

_TRUE = frozenset({"1", "t", "T", "true", "TRUE", "True"})
_FALSE = frozenset({"0", "f", "F", "false", "FALSE", "False"})


class FlagError(ValueError):
    """The command line cannot be used; the message names the flag."""


class HelpRequested(Exception):  # noqa: N818 - not an error
    """`--help` was given; the text is the message."""


def flag(default: V, help: str, *, name: str | None = None, env: str | None = None) -> V:
    """Declare a flag; its name is the field's with dashes unless given.

    `env` names a variable that outranks the default.
    """
    metadata = {"help": help, "name": name, "env": env, "type": type(default)}
    return field(default=default, metadata=metadata)


def duration(seconds: float, help: str, *, name: str | None = None) -> float:
    """Declare a flag that is written as a Go duration (`1m30s`) and read as seconds."""
    metadata = {"help": help, "name": name, "env": None, "type": parse_duration}
    return field(default=seconds, metadata=metadata)


@dataclass(kw_only=True)
class RuntimeFlags:
    """The flags that every controller has, with upstream's names and defaults.

    A subclass adds its own and may change defaults; its `gates` are the feature gates it knows,
    with their defaults. An address may have port 0: the bound one is in `--address-file`.
    """

    gates: ClassVar[Mapping[str, bool]] = {}

    metrics_addr: str = flag(":8080", "Address of the metrics endpoint.")
    health_addr: str = flag(":9440", "Address of the health endpoint.")
    events_addr: str = flag("", "Where events are posted; empty for nowhere.")
    concurrent: int = flag(4, "Workers per kind.")
    watch_all_namespaces: bool = flag(True, "Watch all namespaces, not only RUNTIME_NAMESPACE.")
    watch_label_selector: str = flag("", "Reconcile only objects with these labels (a shard).")
    watch_configs_label_selector: str = flag(
        "reconcile.fluxcd.io/watch=Enabled",
        "ConfigMaps and Secrets whose changes wake what refers to them.",
    )
    log_level: str = flag("info", "trace, debug, info or error.")
    log_encoding: str = flag("json", "json or console.")
    enable_leader_election: bool = flag(False, "Work only while holding the lease.")
    leader_election_release_on_cancel: bool = flag(True, "Give the lease up at the end.")
    leader_election_lease_duration: float = duration(35.0, "How long a lease is valid.")
    leader_election_renew_deadline: float = duration(30.0, "When a leader gives up renewing.")
    leader_election_retry_period: float = duration(5.0, "Time between attempts.")
    min_retry_delay: float = duration(0.75, "First delay after a failure, doubled each time.")
    max_retry_delay: float = duration(900.0, "Longest delay after failures.")
    kube_api_qps: float = flag(50.0, "Requests a second, where the server does not share fairly.")
    kube_api_burst: int = flag(300, "Requests at once, likewise.")
    feature_gates: str = flag("", "Gates as name=true,name=false.")
    graceful_shutdown_timeout: float = duration(5.0, "Time for what is in progress at the end.")
    kubeconfig: str = flag("", "A kubeconfig file; empty for the pod's own identity.")
    address_file: str = flag("", "File to write the bound addresses to, as JSON.")
    runtime_namespace: str = flag("flux-system", "Namespace this runs in.", env="RUNTIME_NAMESPACE")

    def enabled(self, gate: str) -> bool:
        """Whether a feature gate is on. Raises KeyError for a gate that is not declared."""
        return self._gate_values()[gate]

    @property
    def watch_namespace(self) -> str | None:
        """The one namespace to watch, or None for all."""
        return None if self.watch_all_namespaces else self.runtime_namespace

    def validate(self) -> None:
        """Check values against each other. Raises FlagError; subclasses extend it."""
        self._gate_values()
        if self.concurrent < 1:
            raise FlagError(f"--concurrent: {self.concurrent} workers do no work; use 1 or more")
        if not (
            self.leader_election_lease_duration
            > self.leader_election_renew_deadline
            > self.leader_election_retry_period
            > 0
        ):
            raise FlagError(
                "--leader-election-lease-duration must be longer than the renew deadline, and that"
                " longer than the retry period"
            )
        if not 0 < self.min_retry_delay <= self.max_retry_delay:
            raise FlagError("--min-retry-delay must be above 0 and at most --max-retry-delay")

    def _gate_values(self) -> dict[str, bool]:
        values = dict(self.gates)
        for item in filter(None, self.feature_gates.split(",")):
            name, equals, value = item.strip().partition("=")
            if name not in values:
                known = ", ".join(sorted(values)) or "none"
                raise FlagError(f"--feature-gates: unknown gate {name!r}; known are: {known}")
            if not equals or value not in _TRUE | _FALSE:
                raise FlagError(f"--feature-gates: {item!r}: write {name}=true or {name}=false")
            values[name] = value in _TRUE
        return values


@dataclass(kw_only=True)
class IntervalFlags(RuntimeFlags):
    """What controllers have as well that work at intervals and wait for each other's objects."""

    interval_jitter_percentage: int = flag(5, "Spread of intervals, both ways; 0 for none.")
    requeue_dependency: float = duration(30.0, "Wait between looks at what is not ready.")

    def validate(self) -> None:
        """Check values against each other. Raises FlagError."""
        super().validate()
        if not 0 <= self.interval_jitter_percentage < 100:
            raise FlagError("--interval-jitter-percentage must be at least 0 and below 100")


@dataclass(kw_only=True)
class TokenFlags(RuntimeFlags):
    """What controllers have as well that get tokens of clouds and clusters."""

    token_cache_max_size: int = flag(100, "Tokens that are held; 0 for none.")
    token_cache_max_duration: float = duration(
        3600.0, "How long a token is held at most; never longer than an hour."
    )

    def validate(self) -> None:
        """Check values against each other. Raises FlagError."""
        super().validate()
        if self.token_cache_max_size < 0:
            raise FlagError("--token-cache-max-size must be 0 or more")
        if self.token_cache_max_duration <= 0:
            raise FlagError("--token-cache-max-duration must be above 0")


def parse(cls: type[T], argv: Sequence[str], environ: Mapping[str, str] = os.environ) -> T:
    """Read a command line. Raises FlagError, or HelpRequested with the text to print."""
    known = {_name(f): f for f in dataclasses.fields(cls) if f.metadata}
    values: dict[str, Any] = {}
    for f in known.values():
        variable = f.metadata["env"]
        if variable and environ.get(variable):
            values[f.name] = environ[variable]
    rest = list(argv)
    while rest:
        argument = rest.pop(0)
        if not argument.startswith("-") or argument in {"-", "--"}:
            raise FlagError(f"unexpected argument {argument!r}: only flags are taken")
        name, equals, text = argument.lstrip("-").partition("=")
        if name in {"help", "h"}:
            raise HelpRequested(_usage(known))
        if name not in known:
            raise FlagError(f"unknown flag: --{name}")
        f = known[name]
        if not equals and f.metadata["type"] is bool:
            text = "true"
        elif not equals:
            if not rest:
                raise FlagError(f"flag needs a value: --{name}")
            text = rest.pop(0)
        values[f.name] = _read(name, f.metadata["type"], text)
    flags = cls(**values)
    flags.validate()
    return flags


def _name(f: "dataclasses.Field[Any]") -> str:
    return f.metadata["name"] or f.name.replace("_", "-")


def _read(name: str, type: Any, text: str) -> Any:
    if type is bool:
        if text not in _TRUE | _FALSE:
            raise FlagError(f"--{name}: {text!r} is neither true nor false")
        return text in _TRUE
    try:
        return type(text)
    except ValueError as error:
        raise FlagError(f"--{name}: {error}") from error


def _usage(known: Mapping[str, "dataclasses.Field[Any]"]) -> str:
    lines = ["Flags:"]
    for name, f in sorted(known.items()):
        default = f.default
        if f.metadata["type"] is parse_duration:
            default = format_duration(cast("float", default))
        elif isinstance(default, bool):
            default = str(default).lower()
        lines.append(f"  --{name} (default {default!s})\n        {f.metadata['help']}")
    return "\n".join(lines)
