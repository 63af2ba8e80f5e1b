"""What other distributions add to our controllers, found by entry points.

| group | name | object |
|---|---|---|
| `fluvial.metric_providers` | `spec.provider.type` of a MetricTemplate | a MetricProviderFactory |
| `fluvial.notifiers` | `spec.type` of an AlertProvider | a Notifier |
| `fluvial.sources` | of your choice | a coroutine function that adds controllers of sources |

Those that a controller brings itself come first: nothing that is installed takes their place.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final, Protocol

import aiohttp

__all__ = [
    "METRIC_PROVIDERS",
    "NOTIFIERS",
    "SOURCES",
    "Alert",
    "ExtensionError",
    "MetricProvider",
    "MetricProviderFactory",
    "NoValues",
    "Notifier",
    "extension",
    "installed",
    "load",
]

METRIC_PROVIDERS: Final = "fluvial.metric_providers"
"""Services that metrics are asked from, by the `type` of a MetricTemplate's provider."""

NOTIFIERS: Final = "fluvial.notifiers"
"""Services that alerts are sent to, by the `type` of an AlertProvider."""

SOURCES: Final = "fluvial.sources"
"""Kinds of sources that run in the source controller."""


class ExtensionError(Exception):
    """An installed extension cannot be used; the message names its distribution and the reason."""


class NoValues(Exception):  # noqa: N818 -- upstream's term
    """The query was answered, but with nothing to compare: no traffic yet, most likely."""


class MetricProvider(Protocol):
    """A service that is asked for one number."""

    async def value(self, query: str) -> float:
        """Run a query. Raises NoValues, and anything else for a query that was not answered."""

    async def check_online(self) -> None:
        """Ask something simple; raises whatever goes wrong."""


class MetricProviderFactory(Protocol):
    """Makes a provider for one measurement."""

    def __call__(
        self,
        session: aiohttp.ClientSession,
        spec: Mapping[str, Any],
        secret: Mapping[str, bytes] | None,
    ) -> MetricProvider:
        """Take `spec.provider` of the MetricTemplate as it is in the API, and its Secret's data.

        The session is the controller's, without credentials. Raises ValueError for settings that
        cannot work; its text is shown to users.
        """


@dataclass(frozen=True, slots=True)
class Alert:
    """A message about a release; `severity` is info, warn or error, `fields` are name and value.

    `username` and `channel` matter to Slack and what speaks like it.
    """

    subject: str
    """`name.namespace` of the Canary."""
    message: str
    """What happened, as a sentence."""
    severity: str
    fields: tuple[tuple[str, str], ...] = ()
    username: str = "flagger"
    channel: str = "general"


class Notifier(Protocol):
    """Says what is posted to the address of an AlertProvider."""

    def __call__(self, alert: Alert) -> Mapping[str, Any]:
        """Return the body, which is posted as JSON."""


def installed(group: str) -> tuple[EntryPoint, ...]:
    """List the extensions of a group, by name; of one name that comes twice, the first."""
    return tuple({found.name: found for found in reversed(entry_points(group=group))}.values())


def extension(group: str, name: str) -> Any:
    """Load an extension; None where none of that name is installed. Raises ExtensionError."""
    for found in installed(group):
        if found.name == name:
            return load(found)
    return None


def load(found: EntryPoint) -> Any:
    """Import what an entry point names. Raises ExtensionError."""
    try:
        return found.load()
    except Exception as error:
        origin = found.dist.name if found.dist is not None else found.value
        raise ExtensionError(
            f"the extension {found.name!r} of {origin} cannot be loaded: "
            f"{type(error).__name__}: {error}"
        ) from error
