import pytest

from fluvial.cluster.standins.ownership import Graph, Item, Verdict, judge


def item(uid, *owners, finalizers=(), deleting=False, blocks=True):
    references = tuple({"uid": owner, "blockOwnerDeletion": blocks} for owner in owners)
    return Item("v1/things", "default", uid, uid, references, tuple(finalizers), deleting)


WAITING = {"finalizers": ["foregroundDeletion"], "deleting": True}


@pytest.mark.parametrize(
    ("subject", "others", "absent", "expected", "reason"),
    [
        (item("a"), [], [], Verdict(), "no owners, not ours to judge"),
        (item("a", "o"), [item("o")], [], Verdict(), "its owner stands"),
        (item("a", "o"), [], ["o"], Verdict("Background"), "its owner is gone"),
        (
            item("a", "o", finalizers=["orphan"]),
            [],
            ["o"],
            Verdict("Orphan"),
            "deleted as its own finalizer wants",
        ),
        (
            item("a", "o", finalizers=["foregroundDeletion"]),
            [],
            ["o"],
            Verdict("Foreground"),
            "the same for foreground",
        ),
        (item("a", "o", deleting=True), [], ["o"], Verdict(), "already on its way"),
        (
            item("a", "o", "p"),
            [item("p")],
            ["o"],
            Verdict(release=("o",)),
            "one of two owners is enough; the absent one is taken out",
        ),
        (item("a", "o", "p"), [], ["o", "p"], Verdict("Background"), "both owners are gone"),
        (
            item("a", "o"),
            [item("o", **WAITING)],
            [],
            Verdict("Background"),
            "its owner waits for it to go",
        ),
        (
            item("a", "o"),
            [item("o", **WAITING), item("child", "a")],
            [],
            Verdict("Foreground"),
            "its owner waits, and it has dependents of its own",
        ),
        (
            item("a", "o", "p"),
            [item("o", **WAITING), item("p")],
            [],
            Verdict(release=("o",)),
            "a standing owner keeps it from one that waits",
        ),
        (
            item("a", "o"),
            [item("o", finalizers=["orphan"], deleting=True)],
            [],
            Verdict(),
            "an orphaning owner has not let go yet",
        ),
    ],
)
def test_verdicts(subject, others, absent, expected, reason):
    graph = Graph()
    for each in (subject, *others):
        graph.put(each)
    assert judge(subject, absent, graph) == expected, reason


def test_dependents_follow_references():
    graph = Graph()
    graph.put(item("o"))
    graph.put(item("a", "o"))
    graph.put(item("b", "o"))
    assert [each.uid for each in graph.dependents("o")] == ["a", "b"]
    graph.put(item("a"))
    assert [each.uid for each in graph.dependents("o")] == ["b"]
    graph.drop("o")
    assert [each.uid for each in graph.dependents("o")] == ["b"], "they are judged next"
    graph.drop("b")
    assert graph.dependents("o") == []


@pytest.mark.parametrize(("blocks", "expected"), [(True, True), (False, False)])
def test_only_blocking_references_hold_an_owner(blocks, expected):
    assert item("a", "o", blocks=blocks).blocks("o") is expected
    assert not item("a", "o").blocks("p")
