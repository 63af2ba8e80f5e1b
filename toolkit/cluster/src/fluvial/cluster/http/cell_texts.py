"""The texts that cells of several kinds share: ages, labels, selectors, images, shortened lists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable
from typing import Any

from fluvial.cluster.http.durations import age
from fluvial.cluster.objects import Object

__all__ = [
    "NONE",
    "UNSET",
    "Maker",
    "addresses_text",
    "age_of",
    "labels_text",
    "name_of",
    "selector_text",
    "shortened",
    "template_images",
]

Maker = Callable[[Object, dt.datetime], list[Any]]
"""Makes the cells of one object's row; ages are counted up to the given moment."""

NONE, UNSET = "<none>", "<unset>"
_MOST = 3
"""How many addresses, ports or hosts are shown; of the rest only the number."""


def age_of(obj: Object, now: dt.datetime) -> str:
    """Return how long ago an object was made."""
    return age(obj["metadata"].get("creationTimestamp"), now)


def name_of(obj: Object) -> str:
    """Return an object's name."""
    return str(obj["metadata"].get("name", ""))


def labels_text(labels: dict[str, str] | None) -> str:
    """Return labels as `key=value`, sorted."""
    return ",".join(f"{key}={value}" for key, value in sorted((labels or {}).items())) or NONE


def selector_text(selector: Object | None) -> str:
    """Return a label selector in the form of a query, its terms sorted by key."""
    selector = selector or {}
    terms = [(key, f"{key}={value}") for key, value in (selector.get("matchLabels") or {}).items()]
    for term in selector.get("matchExpressions") or []:
        key, values = term["key"], ",".join(sorted(term.get("values") or []))
        shown = {
            "In": f"{key} in ({values})",
            "NotIn": f"{key} notin ({values})",
            "Exists": key,
            "DoesNotExist": f"!{key}",
        }.get(term["operator"])
        if shown is None:
            return "<error>"
        terms.append((key, shown))
    return ",".join(text for _, text in sorted(terms, key=lambda term: term[0])) or NONE


def template_images(template: Object) -> tuple[str, str]:
    """Return the names and the images of a template's containers."""
    containers = (template.get("spec") or {}).get("containers") or []
    names = ",".join(item.get("name", "") for item in containers)
    return names, ",".join(item.get("image", "") for item in containers)


def shortened(texts: list[str]) -> str:
    """Join the first three; say how many more there are."""
    more = f" + {len(texts) - _MOST} more..." if len(texts) > _MOST else ""
    return ",".join(texts[:_MOST]) + more


def addresses_text(status: Object) -> str:
    """Return the addresses, or else names, that a load balancer gave: each once, sorted."""
    given: Iterable[Object] = (status.get("loadBalancer") or {}).get("ingress") or []
    return ",".join(sorted({item.get("ip") or item.get("hostname", "") for item in given} - {""}))
