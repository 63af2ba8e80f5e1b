"""Pruning: what is deleted, what is kept, and when it stops altogether."""

import pytest

from fluvial.apis.ids import ObjectId
from fluvial.toolkit.apply import (
    Action,
    ApplyOptions,
    Entry,
    Inventory,
    PruneOptions,
    PruneRefused,
    wait_gone,
)

GROUP = "kustomize.toolkit.fluxcd.io"
STAYS = Inventory([Entry(ObjectId("", "ConfigMap", "default", "stays"), "v1")])
REST = PruneOptions(remaining=STAYS)
ALL = PruneOptions(everything=True)


def inventory(*names):
    return Inventory(Entry(ObjectId("", "ConfigMap", "default", name), "v1") for name in names)


async def test_deletes_in_reverse_order(applier, server, config_map):
    await applier.apply([config_map(name) for name in "abc"])

    pruned = await applier.prune(inventory("a", "b", "c"), REST)

    assert pruned.log(Action.DELETED) == (
        "ConfigMap/default/c deleted\nConfigMap/default/b deleted\nConfigMap/default/a deleted"
    )
    assert not server.objects
    assert not len(pruned.kept)


async def test_what_is_gone_counts_as_deleted(applier, server):
    pruned = await applier.prune(inventory("a"), REST)

    assert [change.action for change in pruned.changes] == [Action.DELETED]
    assert server.writes() == []


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda m: m["labels"].update({f"{GROUP}/name": "other"}),
            "K9: another owner has taken it over",
        ),
        (lambda m: m["labels"].update({f"{GROUP}/namespace": "other"}), "both labels count"),
        (lambda m: m.pop("labels"), "nobody's object is nobody's to delete"),
        (lambda m: m.update(annotations={f"{GROUP}/prune": "Disabled"}), "asked for"),
        (lambda m: m.update(annotations={f"{GROUP}/reconcile": "disabled"}), "not managed now"),
        (lambda m: m["labels"].update({f"{GROUP}/ssa": "Ignore"}), "not managed now, by label"),
    ],
)
async def test_is_left_alone_and_forgotten(applier, server, config_map, change, reason):
    await applier.apply([config_map()])
    server.touch("ConfigMap", "a", lambda obj: change(obj["metadata"]))

    pruned = await applier.prune(inventory("a"), REST)

    assert [one.action for one in pruned.changes] == [Action.SKIPPED], reason
    assert server.find("ConfigMap", "a")
    assert not len(pruned.kept)


async def test_what_was_only_created_if_not_present_is_pruned(applier, server, config_map):
    await applier.apply([config_map(annotations={f"{GROUP}/ssa": "IfNotPresent"})])

    await applier.prune(inventory("a"), REST)

    assert server.find("ConfigMap", "a") is None


async def test_k2_a_refusal_keeps_the_object_and_goes_on(applier, server, config_map):
    await applier.apply([config_map(name) for name in "abc"])
    server.refuse("DELETE", "/configmaps/b", 403, "Forbidden", "a webhook says no")

    pruned = await applier.prune(inventory("a", "b", "c"), REST)

    assert pruned.kept == inventory("b")
    assert [str(error) for error in pruned.failures] == [
        "ConfigMap/default/b delete failed: a webhook says no"
    ]
    assert {obj["metadata"]["name"] for obj in server.objects.values()} == {"b"}


async def test_what_still_terminates_stays_in_the_inventory(applier, server, config_map):
    await applier.apply([config_map(finalizers=["x/y"])])

    first = await applier.prune(inventory("a"), REST)
    again = await applier.prune(first.kept, REST)
    server.finish("ConfigMap", "a")
    last = await applier.prune(again.kept, REST)

    assert first.kept == again.kept == inventory("a")
    assert first.failures == []
    assert server.writes().count("DELETE a") == 1, "once is enough"
    assert not len(last.kept)


async def test_an_owner_that_takes_over_between_look_and_delete_wins(applier, server, config_map):
    await applier.apply([config_map()])
    inner = server._delete

    async def overtaken(request, endpoint, key):
        server._delete = inner
        server.touch(
            "ConfigMap", "a", lambda obj: obj["metadata"]["labels"].update({f"{GROUP}/name": "b"})
        )
        return await inner(request, endpoint, key)

    server._delete = overtaken
    pruned = await applier.prune(inventory("a"), REST)

    assert [change.action for change in pruned.changes] == [Action.SKIPPED]
    assert server.find("ConfigMap", "a")


class TestGuard:
    """K3: no mass deletion by mistake."""

    async def test_nothing_left_to_apply(self, applier, server, config_map):
        await applier.apply([config_map(name) for name in "abcd"])

        with pytest.raises(PruneRefused, match=r"all 4 objects .*a.*b.*c, …\) would be deleted"):
            await applier.prune(inventory("a", "b", "c", "d"))
        assert len(server.objects) == 4

    async def test_unless_it_is_meant(self, applier, server, config_map):
        await applier.apply([config_map()])

        await applier.prune(inventory("a"), ALL)

        assert not server.objects

    async def test_more_than_allowed(self, applier, server, config_map):
        await applier.apply([config_map(name) for name in "abc"])

        with pytest.raises(PruneRefused, match="at most 2 are allowed at once"):
            await applier.prune(inventory("a", "b", "c"), PruneOptions(remaining=STAYS, at_most=2))
        assert len(server.objects) == 3

    async def test_nothing_stale_is_never_refused(self, applier):
        assert (await applier.prune(Inventory())).changes == []

    @pytest.mark.parametrize(
        ("remaining", "kept", "reason"),
        [
            (["default_x__ConfigMap"], True, "what should stay is in it"),
            (["other_x__ConfigMap"], False, "nothing of ours is in it"),
        ],
    )
    async def test_a_namespace_with_contents(self, applier, server, remaining, kept, reason):
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
        stale = (await applier.apply([space])).inventory
        left = Inventory(Entry(ObjectId.parse(one), "v1") for one in remaining)

        pruned = await applier.prune(stale, PruneOptions(remaining=left))

        assert (server.find("Namespace", "default") is not None) is kept, reason
        assert (pruned.kept == stale) is kept
        assert bool(pruned.failures) is kept

    @pytest.mark.parametrize("foreign", [True, False])
    async def test_a_definition_with_objects_of_others(
        self, applier, server, definition, widget, foreign
    ):
        stale = (await applier.apply([definition, widget])).inventory
        if foreign:
            server.put({**widget, "metadata": {"name": "theirs", "namespace": "team"}})

        pruned = await applier.prune(stale, REST)

        assert (server.find("CustomResourceDefinition", "widgets.example.com") is not None) is (
            foreign
        )
        assert [error.id.kind for error in pruned.failures] == (
            ["CustomResourceDefinition"] if foreign else []
        )


class TestMissingKinds:
    """K7: a definition that went before its objects."""

    STALE = Inventory([Entry(ObjectId("example.com", "Widget", "default", "w"), "v1")])

    async def test_no_such_group_means_no_such_object(self, applier):
        pruned = await applier.prune(self.STALE, REST)

        assert [change.action for change in pruned.changes] == [Action.DELETED]
        assert not len(pruned.kept)

    async def test_a_group_whose_server_is_down_proves_nothing(self, applier, server):
        server.refuse("GET", "/apis/example.com", 503, "ServiceUnavailable", "it is down")

        pruned = await applier.prune(self.STALE, REST)

        assert pruned.kept == self.STALE
        assert "no matches for kind" in str(pruned.failures[0])


async def test_moving_an_object_between_owners_never_deletes_it(
    client, applier, server, clock, config_map
):
    from fluvial.toolkit.apply import Applier, Owner  # noqa: PLC0415

    other = Applier(client, "kustomize-controller", Owner(GROUP, "b", "flux-system"), clock=clock)
    old = (await applier.apply([config_map()])).inventory
    uid = server.find("ConfigMap", "a")["metadata"]["uid"]

    await other.apply([config_map()], ApplyOptions())
    await applier.prune(old, ALL)

    assert server.find("ConfigMap", "a")["metadata"]["uid"] == uid


async def test_waiting_until_gone(applier, client, server, clock, config_map):
    await applier.apply([config_map("a"), config_map("b")])
    ids = inventory("a", "b").ids
    server.finish("ConfigMap", "a")

    assert await wait_gone(client, ids, 10.0, clock) == ids[1:]
    assert clock.slept == [2.0] * 5
    server.finish("ConfigMap", "b")
    assert await wait_gone(client, ids, 10.0, clock) == []
