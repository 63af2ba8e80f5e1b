"""Every chart is a rule (its description), and what helm makes of it, byte for byte.

`charts/<name>/` may have user values in `values/<name>.yaml`; `expected/` holds the recorded
output, or our own message where rendering must fail. With the oracle installed each chart is also
run through it, so that a recorded expectation cannot drift from the real thing.
"""

import importlib.util
import pathlib

import pytest

_PLACE = pathlib.Path(__file__).parent / "engines.py"
_SPEC = importlib.util.spec_from_file_location("helm_engines", _PLACE)
assert _SPEC is not None
assert _SPEC.loader is not None
engines = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(engines)


def test_there_are_charts() -> None:
    assert len(engines.NAMES) >= 20


@pytest.mark.parametrize("name", engines.NAMES)
def test_recorded(name: str) -> None:
    output, error = engines.ours(name)
    failing = engines.EXPECTED / f"{name}.error"
    if failing.exists():
        assert error == failing.read_text()
        assert not (engines.EXPECTED / f"{name}.yaml").exists()
    else:
        assert error == ""
        assert output.encode() == (engines.EXPECTED / f"{name}.yaml").read_bytes()


@pytest.mark.skipif(not engines.ORACLE.exists(), reason="the oracle helm is not installed")
@pytest.mark.parametrize("name", engines.NAMES)
def test_oracle(name: str) -> None:
    output, error = engines.ours(name)
    real, refusal = engines.theirs(name)
    assert bool(error) == bool(refusal), refusal
    assert output == real
    if error and name != "schema":  # each engine's schema library has its own words
        assert error.strip() in refusal
