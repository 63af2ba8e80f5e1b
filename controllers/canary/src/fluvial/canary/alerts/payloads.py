"""What each chat service takes: pure functions from an alert to the JSON that is posted."""

from collections.abc import Mapping
from html import escape
from typing import Any, Final

from fluvial.toolkit.extensions import NOTIFIERS, Alert, Notifier, extension

__all__ = ["body_of"]


def body_of(type: str, alert: Alert) -> Mapping[str, Any]:
    """Return the body for an AlertProvider's type, one of ours or of an extension.

    Raises KeyError for an unknown one, ExtensionError for an extension that cannot be loaded.
    """
    notifier: Notifier | None = _BODIES[type] if type in _BODIES else extension(NOTIFIERS, type)
    if notifier is None:
        raise KeyError(type)
    return notifier(alert)


def _attachment(alert: Alert, colours: Mapping[bool, str]) -> dict[str, Any]:
    return {
        "channel": alert.channel,
        "username": alert.username,
        "icon_url": "",
        "icon_emoji": ":rocket:",
        "attachments": [
            {
                "color": colours[alert.severity == "error"],
                "author_name": alert.subject,
                "text": alert.message,
                "mrkdwn_in": ["text"],
                "fields": [
                    {"title": name, "value": value, "short": False} for name, value in alert.fields
                ],
            }
        ],
    }


_WORDS: Final = {False: "good", True: "danger"}
_HEX: Final = {False: "0076D7", True: "FF0000"}
_CSS: Final = {bad: f"#{colour}" for bad, colour in _HEX.items()}


def _slack(alert: Alert) -> dict[str, Any]:
    return _attachment(alert, _WORDS)


def _rocket(alert: Alert) -> dict[str, Any]:
    return _attachment(alert, _CSS)


def _msteams(alert: Alert) -> dict[str, Any]:
    section = {
        "activityTitle": alert.message,
        "activitySubtitle": alert.subject,
        "facts": [{"name": name, "value": value} for name, value in alert.fields],
    }
    return {
        "@type": "MessageCard",
        "@context": "http://schema.org/extensions",
        "themeColor": _HEX[alert.severity == "error"],
        "summary": alert.subject,
        "sections": [section],
    }


def _gchat(alert: Alert) -> dict[str, Any]:
    def paragraph(prefix: str, text: str) -> dict[str, Any]:
        strong = f"<font color=#848484><strong>{escape(text, quote=False)}</strong></font>"
        return {"widgets": [{"textParagraph": {"text": prefix + strong}}]}

    header = {
        "title": "Flagger",
        "subtitle": alert.subject,
        "imageUrl": "https://flagger.app/favicon.png",
    }
    facts = [paragraph(f"{escape(name, quote=False)}<br>", value) for name, value in alert.fields]
    return {"cards": [{"header": header, "sections": [paragraph("", alert.message), *facts]}]}


_BODIES: Final[Mapping[str, Notifier]] = {
    "slack": _slack,
    "discord": _slack,
    "rocket": _rocket,
    "msteams": _msteams,
    "gchat": _gchat,
}
