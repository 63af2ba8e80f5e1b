"""Documents, hooks, and the order of kinds."""

import random

import pytest

from fluvial.render.helm import (
    INSTALL_ORDER,
    UNINSTALL_ORDER,
    ManifestError,
    manifest_text,
    sort_manifests,
    split_documents,
)


@pytest.mark.parametrize(
    ("text", "expected", "reason"),
    [
        ("a\n---\nb\n", ["a\n", "b\n"], "the usual separator"),
        ("---\na\n", ["a\n"], "a separator first"),
        ("  ---\na\n", ["a\n"], "blanks before the first one"),
        ("a\n\n\n--- \t\n\n  b\n\n", ["a\n\n\n", "b\n\n"], "leading blanks go, trailing stay"),
        ("a\n--- # note\nb", ["a\n", "# note\nb"], "what follows on the line stays"),
        ("a\n---b: 1", ["a\n", "b: 1"], "even without a blank"),
        ("a: |\n  ---\n", ["a: |\n  ---\n"], "an indented one is content"),
        ("\n---\n  \n---\n", [], "nothing but blanks"),
        ("# note\n", ["# note\n"], "a comment is a document"),
    ],
)
def test_split(text: str, expected: list[str], reason: str) -> None:
    assert split_documents(text) == expected, reason


def test_kinds_sort_in_install_order_and_stable() -> None:
    kinds = [*INSTALL_ORDER, "Alpha", "Zebra"]
    shuffled = kinds[:]
    random.Random(7).shuffle(shuffled)
    files = {f"t/{n:03}.yaml": f"kind: {kind}\n" for n, kind in enumerate(shuffled)}
    files |= {"t/999.yaml": "kind: Alpha\nmetadata: {name: second}\n"}
    manifests, _ = sort_manifests(files)
    assert [one.kind for one in manifests] == [*INSTALL_ORDER, "Alpha", "Alpha", "Zebra"]
    assert manifests[-2].name == "second"


def test_uninstall_order_has_the_same_kinds() -> None:
    assert set(UNINSTALL_ORDER) == set(INSTALL_ORDER)
    assert UNINSTALL_ORDER.index("Service") < UNINSTALL_ORDER.index("Deployment")


def hook(event: str, **notes: str) -> str:
    lines = "".join(f"    helm.sh/{key.replace('_', '-')}: {text}\n" for key, text in notes.items())
    return f"kind: Job\nmetadata:\n  name: j\n  annotations:\n    helm.sh/hook: {event}\n{lines}"


@pytest.mark.parametrize(
    ("text", "events", "weight", "policies", "reason"),
    [
        (hook("pre-install"), ["pre-install"], 0, ["before-hook-creation"], "defaults"),
        (hook("Test-Success , post-delete"), ["test", "post-delete"], 0, None, "an old name"),
        (hook("test", hook_weight="-5"), ["test"], -5, None, "an unquoted weight"),
        (hook("test", hook_weight='"heavy"'), ["test"], 0, None, "no number is nought"),
        (
            hook("test", hook_delete_policy="hook-succeeded,HOOK-FAILED"),
            ["test"],
            0,
            ["hook-succeeded", "hook-failed"],
            "several policies",
        ),
    ],
)
def test_hooks(text, events, weight, policies, reason) -> None:
    manifests, (one,) = sort_manifests({"t/a.yaml": text})
    assert manifests == []
    assert (one.events, one.weight) == (events, weight), reason
    assert one.delete_policies == (policies or ["before-hook-creation"]), reason
    assert one.text == text


@pytest.mark.parametrize("event", ["bogus", "test, bogus", '""'])
def test_a_hook_that_is_not_known_is_dropped(event: str) -> None:
    assert sort_manifests({"t/a.yaml": hook(event)}) == ([], [])


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: [\n", "YAML parse error on t/a.yaml: error converting YAML to JSON: yaml: line 1"),
        ("- a\n", "json: cannot unmarshal array into Go value"),
        ("just text\n", "json: cannot unmarshal string into Go value"),
    ],
)
def test_output_that_is_no_object(text: str, problem: str) -> None:
    with pytest.raises(ManifestError) as raised:
        sort_manifests({"t/a.yaml": text})
    assert problem in str(raised.value)
    assert raised.value.file == "t/a.yaml"


def test_partials_give_no_manifest() -> None:
    assert sort_manifests({"t/_a.tpl": "kind: A\n"}) == ([], [])


def test_the_text_of_a_release_names_each_template() -> None:
    manifests, _ = sort_manifests({"t/a.yaml": "kind: B\n---\nkind: A\n"})
    assert manifest_text(manifests) == (
        "---\n# Source: t/a.yaml\nkind: A\n\n---\n# Source: t/a.yaml\nkind: B\n\n"
    )


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"\xff", "invalid leading UTF-8 octet"),
        (b"\xe6", "incomplete UTF-8 octet sequence"),
        (b"\xe6xyz", "invalid trailing UTF-8 octet"),
        (b"\xc0\x80", "invalid length of a UTF-8 sequence"),
        (b"\xed\xa0\x80", "invalid Unicode character"),
    ],
)
def test_a_manifest_that_is_no_utf8(data: bytes, problem: str) -> None:
    text = b"kind: A # " + data
    with pytest.raises(ManifestError, match=f"YAML parse error on t/a.yaml: .*: yaml: {problem}$"):
        sort_manifests({"t/a.yaml": text.decode("utf-8", "surrogateescape")})
