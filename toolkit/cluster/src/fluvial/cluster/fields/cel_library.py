"""The functions that Kubernetes adds to CEL.

Values of Kubernetes' own types (quantity, URL, address) are maps here, with one key that names
the type.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from decimal import Decimal
from itertools import pairwise
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlsplit

from cel_expr_python import cel  # type: ignore[import-untyped] # (ships no py.typed)

from fluvial.cluster.fields.quantity import parse_quantity
from fluvial.cluster.fields.values import equal

__all__ = ["library"]

_T = cel.Type
_OWN = _T.Map(_T.STRING, _T.DYN)
_ANY_LIST = _T.List(_T.DYN)
_STRINGS = _T.List(_T.STRING)


def _quantity(text: str) -> dict[str, str]:
    return {"quantity": str(parse_quantity(text))}


def _amount(value: dict[str, Any]) -> Decimal:
    return Decimal(value["quantity"])


def _succeeds(parse: Callable[[str], object]) -> Callable[[str], bool]:
    def check(text: str) -> bool:
        try:
            parse(text)
        except ValueError:
            return False
        return True

    return check


def _compare(left: dict[str, Any], right: dict[str, Any]) -> int:
    a, b = _amount(left), _amount(right)
    return (a > b) - (a < b)


def _added(left: dict[str, Any], right: Any, sign: int) -> dict[str, str]:
    other = _amount(right) if isinstance(right, dict) else Decimal(right)
    return {"quantity": str(_amount(left) + sign * other)}


def _integer(value: dict[str, Any]) -> int:
    amount = _amount(value)
    if amount != amount.to_integral_value():
        raise ValueError("cannot convert value to integer")
    return int(amount)


def _find_all(text: str, pattern: str) -> list[str]:
    return [match.group(0) for match in re.finditer(pattern, text)]


def _find(text: str, pattern: str) -> str:
    match = re.search(pattern, text)
    return match.group(0) if match else ""


def _index(items: list[Any], wanted: Any) -> int:
    return next((i for i, item in enumerate(items) if equal(item, wanted)), -1)


def _contains_all(items: list[Any], wanted: list[Any]) -> bool:
    return all(_index(items, item) >= 0 for item in wanted)


def _url(text: str) -> dict[str, str]:
    if re.search(r"[\x00-\x20\x7f]", text):
        raise ValueError("URL parse error: invalid character in URL")
    if not (urlsplit(text).scheme or text.startswith("/")):
        raise ValueError("URL parse error: invalid URI for request")
    return {"url": text}


def _parts(value: dict[str, Any]) -> SplitResult:
    text: str = value["url"]
    return urlsplit(text)


def _host(value: dict[str, Any]) -> str:
    return _parts(value).netloc.rpartition("@")[2]


def _ip(text: str) -> dict[str, str]:
    return {"ip": str(ipaddress.ip_address(text))}


def _cidr(text: str) -> dict[str, str]:
    ipaddress.ip_interface(text)
    if "/" not in text:
        raise ValueError(f"network address parse error: {text}")
    return {"cidr": text}


def _family(value: dict[str, Any]) -> int:
    return ipaddress.ip_address(value["ip"]).version


def _contains_ip(network: dict[str, Any], address: Any) -> bool:
    text = address["ip"] if isinstance(address, dict) else address
    return ipaddress.ip_address(text) in ipaddress.ip_network(network["cidr"], strict=False)


def _contains_cidr(network: dict[str, Any], other: Any) -> bool:
    text = other["cidr"] if isinstance(other, dict) else other
    outer = ipaddress.ip_network(network["cidr"], strict=False)
    inner = ipaddress.ip_network(text, strict=False)
    return (
        outer.version == inner.version
        and outer.prefixlen <= inner.prefixlen
        and inner.network_address in outer
    )


_Row = tuple[str, list[Any], Any, Callable[..., Any]]

_FUNCTIONS: tuple[_Row, ...] = (
    ("quantity", [_T.STRING], _OWN, _quantity),
    ("isQuantity", [_T.STRING], _T.BOOL, _succeeds(parse_quantity)),
    ("url", [_T.STRING], _OWN, _url),
    ("isURL", [_T.STRING], _T.BOOL, _succeeds(_url)),
    ("ip", [_T.STRING], _OWN, _ip),
    ("isIP", [_T.STRING], _T.BOOL, _succeeds(_ip)),
    ("cidr", [_T.STRING], _OWN, _cidr),
    ("isCIDR", [_T.STRING], _T.BOOL, _succeeds(_cidr)),
    ("sets.contains", [_ANY_LIST, _ANY_LIST], _T.BOOL, _contains_all),
    (
        "sets.equivalent",
        [_ANY_LIST, _ANY_LIST],
        _T.BOOL,
        lambda a, b: _contains_all(a, b) and _contains_all(b, a),
    ),
    (
        "sets.intersects",
        [_ANY_LIST, _ANY_LIST],
        _T.BOOL,
        lambda a, b: any(_index(b, item) >= 0 for item in a),
    ),
)

_METHODS: tuple[_Row, ...] = (
    ("isGreaterThan", [_OWN, _OWN], _T.BOOL, lambda a, b: _compare(a, b) > 0),
    ("isLessThan", [_OWN, _OWN], _T.BOOL, lambda a, b: _compare(a, b) < 0),
    ("compareTo", [_OWN, _OWN], _T.INT, _compare),
    ("sign", [_OWN], _T.INT, lambda a: _compare(a, {"quantity": "0"})),
    ("asInteger", [_OWN], _T.INT, _integer),
    ("asApproximateFloat", [_OWN], _T.DOUBLE, lambda a: float(_amount(a))),
    ("isInteger", [_OWN], _T.BOOL, lambda a: _amount(a) == _amount(a).to_integral_value()),
    ("add", [_OWN, _OWN], _OWN, lambda a, b: _added(a, b, 1)),
    ("add", [_OWN, _T.INT], _OWN, lambda a, b: _added(a, b, 1)),
    ("sub", [_OWN, _OWN], _OWN, lambda a, b: _added(a, b, -1)),
    ("sub", [_OWN, _T.INT], _OWN, lambda a, b: _added(a, b, -1)),
    ("find", [_T.STRING, _T.STRING], _T.STRING, _find),
    ("findAll", [_T.STRING, _T.STRING], _STRINGS, _find_all),
    (
        "findAll",
        [_T.STRING, _T.STRING, _T.INT],
        _STRINGS,
        lambda text, pattern, n: _find_all(text, pattern)[: n if n >= 0 else None],
    ),
    (
        "isSorted",
        [_ANY_LIST],
        _T.BOOL,
        lambda a: all(x <= y for x, y in pairwise(a)),
    ),
    ("sum", [_ANY_LIST], _T.DYN, sum),
    ("min", [_ANY_LIST], _T.DYN, min),
    ("max", [_ANY_LIST], _T.DYN, max),
    ("getScheme", [_OWN], _T.STRING, lambda a: _parts(a).scheme),
    ("getHost", [_OWN], _T.STRING, _host),
    ("getHostname", [_OWN], _T.STRING, lambda a: _parts(a).hostname or ""),
    ("getPort", [_OWN], _T.STRING, lambda a: str(_parts(a).port or "")),
    ("getEscapedPath", [_OWN], _T.STRING, lambda a: _parts(a).path),
    ("getQuery", [_OWN], _T.Map(_T.STRING, _STRINGS), lambda a: parse_qs(_parts(a).query)),
    ("family", [_OWN], _T.INT, _family),
    ("isLoopback", [_OWN], _T.BOOL, lambda a: ipaddress.ip_address(a["ip"]).is_loopback),
    ("isUnspecified", [_OWN], _T.BOOL, lambda a: ipaddress.ip_address(a["ip"]).is_unspecified),
    ("containsIP", [_OWN, _OWN], _T.BOOL, _contains_ip),
    ("containsIP", [_OWN, _T.STRING], _T.BOOL, _contains_ip),
    ("containsCIDR", [_OWN, _OWN], _T.BOOL, _contains_cidr),
    ("containsCIDR", [_OWN, _T.STRING], _T.BOOL, _contains_cidr),
    (
        "prefixLength",
        [_OWN],
        _T.INT,
        lambda a: ipaddress.ip_network(a["cidr"], strict=False).prefixlen,
    ),
)


def library() -> list[Any]:
    """Return the declarations of all functions, for `cel.NewEnv`."""
    overloads: dict[str, list[Any]] = {}
    for rows, member in ((_FUNCTIONS, False), (_METHODS, True)):
        for name, parameters, result, call in rows:
            found = overloads.setdefault(name, [])
            found.append(
                cel.Overload(
                    f"k8s_{name.replace('.', '_')}_{len(found)}",
                    return_type=result,
                    parameters=parameters,
                    is_member=member,
                    impl=call,
                )
            )
    return [cel.FunctionDecl(name, found) for name, found in overloads.items()]
