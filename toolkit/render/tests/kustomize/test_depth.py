"""Documents that are nested deeper than the stack of a thread can hold."""

import sys
import threading

import pytest

from fluvial.render.kustomize import KustomizeError, MemoryTree, Options, build, to_yaml

HEAD = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: a}\nspec: "
DEEP = Options(deep=True)


def _tree(levels: int) -> MemoryTree:
    text = f"{HEAD}{'[' * levels}{']' * levels}\n"
    return MemoryTree({"kustomization.yaml": b"resources: [r.yaml]\n", "r.yaml": text.encode()})


def test_only_a_deep_build_reads_on() -> None:
    with pytest.raises(KustomizeError, match=r"r\.yaml:4:\d+: nested deeper than 200 levels"):
        build(_tree(201))
    assert to_yaml(build(_tree(201), options=DEEP)) == to_yaml(build(_tree(199))).replace(
        "- []", "- - - []"
    )


def test_ten_thousand_levels_are_the_most() -> None:
    (deepest,) = build(_tree(9_998), options=DEEP)
    assert deepest.data.count(b"[") == 9_998
    with pytest.raises(KustomizeError, match="nested deeper than 10000 levels"):
        build(_tree(10_001), options=DEEP)


def test_the_process_is_left_as_it_was() -> None:
    frames, stack = sys.getrecursionlimit(), threading.stack_size()
    build(_tree(1_000), options=DEEP)
    assert (sys.getrecursionlimit(), threading.stack_size()) == (frames, stack)
