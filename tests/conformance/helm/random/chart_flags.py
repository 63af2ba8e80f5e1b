"""Random values on the command line: `--set` and its kin, most of them well formed."""

import json
from typing import Any

from chart_values import KEYS, TRICKY, trees
from hypothesis import strategies as st

Flag = tuple[str, str]
_PLAIN = [
    "1", "-7", "0", "007", "1.5", "1e3", "true", "FALSE", "null", "nil", "", "text", "two words",
    "a=b", "{}", "{1,b,true}", "{}x", "0x1F", "9223372036854775808", "a\\,b",
    "a\\.b", "\\\\", "'q'",
]  # fmt: skip
_ODD = ["{a", "a,b", "[", "a[0", "=", ",", "a=1,,b=2", "a[-1]=1", "a[x]=1", ".a=1", "a..b=1"]


@st.composite
def paths(draw: st.DrawFn, below: dict[str, Any]) -> str:
    """Make a path of keys and indexes, often into what the values have."""
    key = draw(st.sampled_from([*sorted(below), *KEYS[:4]]))
    value = below.get(key)
    path = key.replace(".", "\\.")
    if isinstance(value, dict) and value and draw(st.booleans()):
        return f"{path}.{draw(paths(value))}"
    if isinstance(value, list) and draw(st.booleans()):
        path += f"[{draw(st.integers(0, len(value) + 1))}]"
    step = draw(st.sampled_from(["", "", "", ".new", "[0]", "[1].deep", "\\.dotted", ".a.b"]))
    return f"{path}{step}"


def _escaped(text: str) -> str:
    for char in "\\,{}":
        text = text.replace(char, f"\\{char}")
    return text


@st.composite
def flag(draw: st.DrawFn, below: dict[str, Any]) -> Flag:
    """Make one flag with its value."""
    name = draw(st.sampled_from(["set", "set", "set-string", "set-json", "set-literal"]))
    if name != "set-literal" and draw(st.integers(0, 9)) == 0:
        return name, draw(st.sampled_from(_ODD))
    path = draw(paths(below))
    if name == "set-json":
        if draw(st.integers(0, 4)) == 0:
            return name, json.dumps(draw(st.dictionaries(st.sampled_from(KEYS), trees(1))))
        return name, f"{path}={json.dumps(draw(trees(2)))}"
    value = draw(st.sampled_from(_PLAIN) | st.sampled_from(TRICKY).map(_escaped))
    text = f"{path}={value}"
    if name != "set-literal" and draw(st.integers(0, 3)) == 0:
        text += f",{draw(paths(below))}={draw(st.sampled_from(_PLAIN))}"
    return name, text


def flags(below: dict[str, Any]) -> st.SearchStrategy[list[Flag]]:
    """Make up to three flags over the values `below`; none, for half of the charts."""
    return st.just([]) | st.lists(flag(below), min_size=1, max_size=3)
