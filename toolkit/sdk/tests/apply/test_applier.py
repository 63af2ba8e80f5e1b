# ruff: noqa: PLR0917, ARG002 -- fixtures and the columns of a table are all positional
"""Applying: what is written, in which order, and what is known when it breaks."""

import base64

import pytest

from fluvial.apis.ids import GroupKind, ObjectId
from fluvial.toolkit.apply import (
    MISSING,
    Action,
    Applier,
    ApplyFailed,
    ApplyOptions,
    Entry,
    FieldChange,
    Inventory,
)
from fluvial.toolkit.client import LeaseLost

MANAGER = "kustomize-controller"
GROUP = "kustomize.toolkit.fluxcd.io"


def a(name, kind="ConfigMap", namespace="default", group=""):
    return ObjectId(group, kind, namespace, name)


async def test_what_is_missing_is_created_with_owner_labels(applier, server, config_map):
    changes = await applier.apply([config_map()])

    assert changes.log() == "ConfigMap/default/a created"
    live = server.find("ConfigMap", "a")
    assert live["metadata"]["labels"] == {
        f"{GROUP}/name": "apps",
        f"{GROUP}/namespace": "flux-system",
    }
    assert changes.inventory == Inventory([Entry(a("a"), "v1")])
    assert changes.changes[0].metadata["uid"] == live["metadata"]["uid"]


async def test_what_is_equal_costs_two_requests_and_no_write(applier, server, config_map):
    await applier.apply([config_map()])
    server.log.clear()

    changes = await applier.apply([config_map()])

    assert [change.action for change in changes.changes] == [Action.UNCHANGED]
    assert not changes.changed
    assert [method for method, _, _ in server.log] == ["GET", "PATCH"]
    assert server.writes() == []


async def test_drift_is_corrected_and_names_who_caused_it(applier, server, config_map):
    await applier.apply([config_map()])
    server.edit("ConfigMap", "a", lambda obj: obj["data"].update(key="edited"), manager="vim")

    changes = await applier.apply([config_map()])

    [change] = changes.changes
    assert change.action is Action.CONFIGURED
    assert change.fields == [FieldChange("/data/key", "edited", "value")]
    assert change.managers == ("vim",)
    assert server.find("ConfigMap", "a")["data"] == {"key": "value"}


async def test_fields_of_others_are_no_drift(applier, server, config_map):
    await applier.apply([config_map()])
    server.edit("ConfigMap", "a", lambda obj: obj["data"].update(other="theirs"))

    changes = await applier.apply([config_map()])

    assert not changes.changed
    assert server.find("ConfigMap", "a")["data"]["other"] == "theirs"


async def test_a_field_that_is_no_longer_wanted_goes(applier, server, config_map):
    await applier.apply([config_map(data={"key": "value", "old": "x"})])

    changes = await applier.apply([config_map()])

    assert changes.changes[0].fields == [FieldChange("/data/old", "x", MISSING)]
    assert server.find("ConfigMap", "a")["data"] == {"key": "value"}


async def test_lists_are_opened_and_common_metadata_wins(applier, server, config_map):
    bundle = {"apiVersion": "v1", "kind": "List", "items": [config_map("a"), config_map("b")]}

    await applier.apply([bundle], ApplyOptions(labels={"team": "x"}, annotations={"note": "y"}))

    for name in "ab":
        metadata = server.find("ConfigMap", name)["metadata"]
        assert metadata["labels"]["team"] == "x"
        assert metadata["annotations"] == {"note": "y"}


async def test_stages_and_order(applier, server, config_map, definition, widget):
    space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "default"}}
    storage = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": "fast"},
        "provisioner": "x",
    }
    service = {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "s", "namespace": "default"},
        "spec": {"ports": [{"port": 80}]},
    }

    changes = await applier.apply([widget, service, config_map(), storage, space, definition])

    assert [change.id.kind for change in changes.changes] == [
        "CustomResourceDefinition",
        "Namespace",
        "StorageClass",
        "ConfigMap",
        "Service",
        "Widget",
    ]
    assert all(change.action is Action.CREATED for change in changes.changes)
    assert server.find("Service", "s")["spec"]["ports"] == [{"port": 80, "protocol": "TCP"}]


async def test_a_custom_stage_goes_before_the_rest(applier, server, config_map):
    secret = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": "z", "namespace": "default"},
    }

    changes = await applier.apply(
        [config_map(), secret], ApplyOptions(custom_stage={GroupKind("", "Secret")})
    )

    assert [change.id.kind for change in changes.changes] == ["Secret", "ConfigMap"]


async def test_a_definition_that_is_never_established_stops_there(
    applier, server, definition, widget
):
    server.instant_definitions = False

    with pytest.raises(ApplyFailed, match="timeout waiting for") as raised:
        await applier.apply([widget, definition], ApplyOptions(stage_timeout=4.0))

    assert str(raised.value) == (
        "timeout waiting for: [CustomResourceDefinition/widgets.example.com status: 'InProgress']"
    )
    assert [change.id.kind for change in raised.value.changes.changes] == [
        "CustomResourceDefinition"
    ]


async def test_a_namespace_on_a_cluster_scoped_object_is_dropped(applier, server):
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "system:x", "namespace": "bogus"},
        "rules": [],
    }

    changes = await applier.apply([role])

    [entry] = changes.inventory.to_status().entries
    assert (entry.id, entry.v) == ("_system__x_rbac.authorization.k8s.io_ClusterRole", "v1")


class TestErrors:
    @pytest.mark.parametrize(
        ("status", "reason", "message", "causes", "expected", "why"),
        [
            (
                422,
                "Invalid",
                "spec.x: Required value",
                [],
                "ConfigMap/default/a dry-run failed (Invalid): spec.x: Required value",
                "the server's reason is in parentheses",
            ),
            (
                409,
                "Conflict",
                "Apply failed with 1 conflict",
                [{"reason": "FieldManagerConflict", "message": 'conflict with "x"', "field": ".a"}],
                (
                    "ConfigMap/default/a dry-run failed (FieldManagerConflict): "
                    "Apply failed with 1 conflict"
                ),
                "a conflict of managers takes its place",
            ),
            (
                404,
                "NotFound",
                'namespaces "default" not found',
                [],
                'ConfigMap/default/a not found: namespaces "default" not found',
                "a missing namespace",
            ),
            (
                403,
                "Forbidden",
                "no new content in namespace default because it is being terminated",
                [],
                (
                    "ConfigMap/default/a dry-run failed (Forbidden): no new content in "
                    "namespace default because it is being terminated"
                ),
                "a namespace that goes",
            ),
            (
                500,
                "",
                "boom",
                [],
                "ConfigMap/default/a dry-run failed: boom",
                "no reason, no parentheses",
            ),
        ],
    )
    async def test_text(
        self, applier, server, config_map, status, reason, message, causes, expected, why
    ):
        server.refuse("PATCH", "/configmaps/a", status, reason, message, causes=causes)

        with pytest.raises(ApplyFailed) as raised:
            await applier.apply([config_map()])

        assert str(raised.value) == expected, why
        assert raised.value.errors[0].id == a("a")

    async def test_a_namespaced_object_without_namespace(self, applier, server, config_map):
        manifest = config_map()
        del manifest["metadata"]["namespace"]

        with pytest.raises(ApplyFailed, match=r"^ConfigMap/a namespace not specified: "):
            await applier.apply([manifest])

    async def test_an_unknown_kind(self, applier, server, widget):
        with pytest.raises(
            ApplyFailed, match=r"^Widget/default/w dry-run failed: no matches for kind"
        ):
            await applier.apply([widget])

    async def test_a_kind_that_is_no_longer_served(self, applier, server, definition, widget):
        await applier.apply([definition, widget])
        server.endpoints = [one for one in server.endpoints if one.kind != "Widget"]

        with pytest.raises(
            ApplyFailed, match=r"^Widget/default/w dry-run failed: no matches for kind"
        ):
            await applier.apply([widget])

    async def test_a_namespace_that_terminates_is_not_waited_for(self, applier, server):
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "old"}}
        await applier.apply([space])
        ending = {"deletionTimestamp": "2026-01-01T00:00:00Z"}
        server.touch("Namespace", "old", lambda obj: obj["metadata"].update(ending), "")
        server.log.clear()

        with pytest.raises(ApplyFailed, match=r"^Namespace/old is terminating"):
            await applier.apply([space])

        assert not [entry for entry in server.log if entry[0] == "WATCH"]

    async def test_all_errors_of_a_stage_are_told_and_nothing_of_it_is_written(
        self, applier, server, config_map
    ):
        for name in ("b", "c"):
            server.refuse("PATCH", f"/configmaps/{name}", 422, "Invalid", f"bad {name}")

        with pytest.raises(ApplyFailed) as raised:
            await applier.apply([config_map("a"), config_map("b"), config_map("c")])

        assert [error.id.name for error in raised.value.errors] == ["b", "c"]
        assert server.writes() == []

    async def test_a_failed_write_tells_what_was_done_before(self, applier, server, config_map):
        server.refuse("PATCH", "/configmaps/b", 500, "", "etcd is full", dry_run=False)

        with pytest.raises(
            ApplyFailed, match=r"^ConfigMap/default/b apply failed: etcd is full$"
        ) as e:
            await applier.apply([config_map("a"), config_map("b"), config_map("c")])

        assert e.value.changes.inventory.ids == [a("a")]
        assert server.find("ConfigMap", "c") is None

    async def test_a_secret_stays_out_of_error_texts(self, applier, server):
        value = base64.b64encode(b"hunter2hunter2").decode()
        server.refuse("PATCH", "/secrets/s", 422, "Invalid", f'Invalid value: "{value}"')
        secret = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": "s", "namespace": "default"},
            "data": {"password": value},
        }

        with pytest.raises(ApplyFailed) as raised:
            await applier.apply([secret])

        assert str(raised.value) == (
            'Secret/default/s dry-run failed (Invalid): Invalid value: "***"'
        )

    async def test_a_lost_lease_is_nobodys_object_error(self, applier, client, config_map):
        def guard(_deadline):
            raise LeaseLost

        client.guard = guard
        with pytest.raises(LeaseLost):
            await applier.apply([config_map()])


class TestInventoryFirst:
    """K1: an object is in the inventory before it is applied."""

    async def test_before_the_first_write_with_old_and_new(self, applier, server, config_map):
        old = Inventory([Entry(a("gone"), "v1"), Entry(a("a"), "v1")])
        seen = []

        async def record(inventory):
            seen.append((inventory.ids, server.writes()))

        await applier.apply([config_map("a"), config_map("b")], ApplyOptions(previous=old), record)

        assert seen == [([a("gone"), a("a"), a("b")], [])]

    async def test_covers_kinds_that_the_run_itself_defines(
        self, applier, server, definition, widget
    ):
        seen = []

        async def record(inventory):
            seen.append([entry.id for entry in inventory.to_status().entries])

        await applier.apply([definition, widget], None, record)

        assert seen == [
            [
                "_widgets.example.com_apiextensions.k8s.io_CustomResourceDefinition",
                "default_w_example.com_Widget",
            ]
        ]

    async def test_not_asked_when_there_is_nothing_to_write(self, applier, config_map):
        await applier.apply([config_map()])

        async def never(inventory):
            raise AssertionError(inventory)

        await applier.apply([config_map()], None, never)

    async def test_no_write_when_it_fails(self, applier, server, config_map):
        async def fail(_):
            raise OSError("status not written")

        with pytest.raises(OSError, match="status not written"):
            await applier.apply([config_map()], None, fail)
        assert server.writes() == []

    @pytest.mark.parametrize("survived", range(4))
    async def test_a_crash_after_any_write_converges(self, applier, server, config_map, survived):
        """Kill the run at each write; the next one knows all that exists."""
        recorded = Inventory()

        async def record(inventory):
            nonlocal recorded
            recorded = inventory

        wanted = [config_map(name) for name in "abc"]
        for name in "abc"[survived:]:
            server.refuse("PATCH", f"/configmaps/{name}", 500, "", "killed", dry_run=False)
        if survived < 3:
            with pytest.raises(ApplyFailed):
                await applier.apply(wanted, ApplyOptions(previous=recorded), record)
        server.refusals.clear()
        alive = {obj["metadata"]["name"] for obj in server.objects.values()}
        assert alive <= {identity.name for identity in recorded.ids}

        changes = await applier.apply(wanted, ApplyOptions(previous=recorded), record)
        assert [identity.name for identity in changes.inventory.ids] == ["a", "b", "c"]
        assert {obj["metadata"]["name"] for obj in server.objects.values()} == {"a", "b", "c"}


class TestDiff:
    async def test_is_what_apply_would_do_without_a_write(self, applier, server, config_map):
        server.put(config_map("b", data={"key": "old"}), manager=MANAGER)

        changes = await applier.diff([config_map("a"), config_map("b")])

        assert [str(change) for change in changes] == [
            "ConfigMap/default/a created",
            "ConfigMap/default/b configured",
        ]
        assert FieldChange("/data/key", "old", "value") in changes[1].fields
        assert server.writes() == []

    async def test_secrets_are_masked(self, applier, server):
        def secret(**data):
            return {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": "s", "namespace": "default"},
                "data": data,
            }

        await applier.apply([secret(same="c2FtZQ==", changed="b2xk")])
        [change] = await applier.diff([secret(same="c2FtZQ==", changed="bmV3", more="eA==")])

        assert change.fields == [
            FieldChange("/data/changed", "*** (before)", "*** (after)"),
            FieldChange("/data/more", MISSING, "*** (after)"),
        ]

    async def test_what_needs_a_new_definition_or_namespace_counts_as_created(
        self, applier, server, definition, widget, config_map
    ):
        server.refuse("PATCH", "/namespaces/new/", 404, "NotFound", 'namespaces "new" not found')
        space = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "new"}}

        changes = await applier.diff([widget, definition, space, config_map("a", "new")])

        assert [(change.id.kind, change.action) for change in changes] == [
            ("CustomResourceDefinition", Action.CREATED),
            ("Namespace", Action.CREATED),
            ("ConfigMap", Action.CREATED),
            ("Widget", Action.CREATED),
        ]

    async def test_other_errors_are_raised(self, applier, server, widget):
        with pytest.raises(ApplyFailed, match="no matches for kind"):
            await applier.diff([widget])


async def test_dry_runs_are_concurrent_within_the_bound(client, owner, server, config_map):
    running = most = 0
    inner = server._patch

    async def counted(request, endpoint, key):
        nonlocal running, most
        running += 1
        most = max(most, running)
        try:
            return await inner(request, endpoint, key)
        finally:
            running -= 1

    server._patch = counted
    await Applier(client, MANAGER, owner, concurrency=3).apply(
        [config_map(f"n{at}") for at in range(12)]
    )
    assert 1 <= most <= 3
    assert server.writes() == [f"PATCH n{at}" for at in sorted(range(12), key=str)]
