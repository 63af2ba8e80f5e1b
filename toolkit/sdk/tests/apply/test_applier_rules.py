# ruff: noqa: PLR0917, ARG002 -- fixtures and the columns of a table are all positional
"""Applying by the rules of single objects: policies, field managers, force, ignored fields."""

import pytest

from fluvial.apis.ids import ObjectId
from fluvial.apis.meta import IgnoreRule, Selector
from fluvial.toolkit.apply import Action, ApplyFailed, ApplyOptions

MANAGER = "kustomize-controller"
GROUP = "kustomize.toolkit.fluxcd.io"


def a(name):
    return ObjectId("", "ConfigMap", "default", name)


class TestPolicies:
    @pytest.mark.parametrize("place", ["labels", "annotations"])
    @pytest.mark.parametrize(
        ("key", "value", "live", "expected", "reason"),
        [
            ("reconcile", "disabled", False, Action.SKIPPED, "never applied, not even created"),
            ("reconcile", "Disabled", True, Action.SKIPPED, "values compare without case"),
            ("ssa", "Ignore", True, Action.SKIPPED, "the same by another name"),
            ("ssa", "IfNotPresent", True, Action.SKIPPED, "there is one"),
            ("ssa", "IfNotPresent", False, Action.CREATED, "there is none"),
            ("ssa", "Override", True, Action.CONFIGURED, "the default"),
        ],
    )
    async def test_of_the_manifest(
        self, applier, server, config_map, place, key, value, live, expected, reason
    ):
        if live:
            server.put(config_map(data={"key": "theirs"}))

        changes = await applier.apply([config_map(**{place: {f"{GROUP}/{key}": value}})])

        assert changes.changes[0].action is expected, reason
        assert a("a") in changes.inventory
        assert (a("a") in changes.checked) is (expected is not Action.SKIPPED)

    async def test_of_the_live_object(self, applier, server, config_map):
        server.put(config_map(data={"k": "x"}, annotations={f"{GROUP}/reconcile": "disabled"}))

        changes = await applier.apply([config_map()])

        assert changes.changes[0].action is Action.SKIPPED

    async def test_if_not_present_of_the_live_object_means_nothing(
        self, applier, server, config_map
    ):
        server.put(config_map(data={"k": "x"}, annotations={f"{GROUP}/ssa": "IfNotPresent"}))

        changes = await applier.apply([config_map()])

        assert changes.changes[0].action is Action.CONFIGURED


class TestFieldManagers:
    async def test_kubectls_fields_are_taken_over_and_removed(self, applier, server, config_map):
        server.put(config_map(data={"key": "value", "extra": "x"}), manager="kubectl-edit")

        changes = await applier.apply([config_map()])

        assert changes.log() == "ConfigMap/default/a configured"
        live = server.find("ConfigMap", "a")
        assert live["data"] == {"key": "value"}
        assert [entry["manager"] for entry in live["metadata"]["managedFields"]] == [MANAGER]

    async def test_merge_leaves_them(self, applier, server, config_map):
        server.put(config_map(data={"key": "value", "extra": "x"}), manager="kubectl-edit")

        await applier.apply([config_map(annotations={f"{GROUP}/ssa": "Merge"})])

        assert server.find("ConfigMap", "a")["data"] == {"key": "value", "extra": "x"}

    async def test_an_operator_stays_unless_it_is_to_be_overridden(
        self, applier, server, config_map
    ):
        server.put(config_map(data={"key": "value", "extra": "x"}), manager="operator")

        await applier.apply([config_map()])
        assert "extra" in server.find("ConfigMap", "a")["data"]

        await applier.apply([config_map()], ApplyOptions(override_managers=["operator"]))
        assert "extra" not in server.find("ConfigMap", "a")["data"]

    async def test_a_change_meanwhile_is_not_lost(self, applier, server, config_map):
        server.put(config_map(data={"key": "value"}), manager="kubectl-edit")
        server.refuse("PATCH", "/configmaps/a", 409, "Conflict", "modified", dry_run=False, times=1)

        changes = await applier.apply([config_map()])

        assert changes.log() == "ConfigMap/default/a configured"

    async def test_an_object_that_never_holds_still(self, applier, server, config_map):
        server.put(config_map(data={"key": "old"}), manager=MANAGER)
        server.refuse("PATCH", "/configmaps/a", 409, "Conflict", "modified", dry_run=False, times=5)

        with pytest.raises(ApplyFailed, match="default/a apply failed: it changed 5 times"):
            await applier.apply([config_map()])
        assert server.writes() == ["PATCH a"] * 5


class TestForce:
    @pytest.fixture
    def frozen(self, server, config_map):
        return server.put({**config_map(data={"key": "old"}), "immutable": True}, manager=MANAGER)

    @pytest.fixture
    def wanted(self, config_map):
        return {**config_map(data={"key": "new"}), "immutable": True}

    async def test_an_immutable_field_without_force(self, applier, server, frozen, wanted):
        with pytest.raises(ApplyFailed, match=r"dry-run failed \(Invalid\).*immutable"):
            await applier.apply([wanted])
        assert server.find("ConfigMap", "a") == frozen

    @pytest.mark.parametrize("by_annotation", [True, False])
    async def test_an_immutable_field_with_force(
        self, applier, server, frozen, wanted, by_annotation
    ):
        if by_annotation:
            wanted["metadata"]["annotations"] = {f"{GROUP}/force": "enabled"}

        changes = await applier.apply([wanted], ApplyOptions(force=not by_annotation))

        assert changes.changes[0].recreated
        assert changes.log() == "ConfigMap/default/a configured"
        live = server.find("ConfigMap", "a")
        assert live["data"] == {"key": "new"}
        assert live["metadata"]["uid"] != frozen["metadata"]["uid"]

    @pytest.mark.parametrize(
        ("status", "reason", "message", "causes", "why"),
        [
            (422, "Invalid", "spec.replicas: Invalid value: -1", [], "a plain mistake"),
            (409, "Conflict", "the object has been modified", [], "a conflict"),
            (
                422,
                "Invalid",
                "two findings",
                [
                    {"reason": "FieldValueInvalid", "message": "field is immutable", "field": "a"},
                    {"reason": "FieldValueRequired", "message": "Required value", "field": "b"},
                ],
                "a mistake beside an immutable field: it could not be created again",
            ),
            (400, "BadRequest", "the webhook says immutable", [], "not a validation of fields"),
        ],
    )
    async def test_force_deletes_for_nothing_else(
        self, applier, server, config_map, status, reason, message, causes, why
    ):
        before = server.put(config_map(data={"key": "old"}))
        server.refuse("PATCH", "/configmaps/a", status, reason, message, causes=causes)

        with pytest.raises(ApplyFailed):
            await applier.apply([config_map()], ApplyOptions(force=True))
        assert server.find("ConfigMap", "a") == before, why

    async def test_nothing_is_deleted_before_the_whole_stage_is_sound(
        self, applier, server, frozen, wanted, config_map
    ):
        server.refuse("PATCH", "/configmaps/b", 422, "Invalid", "bad")

        with pytest.raises(ApplyFailed):
            await applier.apply([wanted, config_map("b")], ApplyOptions(force=True))
        assert server.find("ConfigMap", "a") == frozen

    async def test_a_finalizer_that_never_goes_is_named(
        self, applier, server, frozen, wanted, clock
    ):
        server.touch("ConfigMap", "a", lambda obj: obj["metadata"].update(finalizers=["x/y"]))

        with pytest.raises(ApplyFailed, match="not gone after 60 s, held by x/y"):
            await applier.apply([wanted], ApplyOptions(force=True))
        assert clock.monotonic() >= 60


class TestIgnore:
    async def test_an_ignored_field_is_no_drift(self, applier, server, config_map):
        await applier.apply([config_map()])
        server.edit("ConfigMap", "a", lambda obj: obj["data"].update(key="theirs"))
        rules = [IgnoreRule(paths=["/data/key"], target=Selector(kind="Config.*"))]

        changes = await applier.apply([config_map()], ApplyOptions(ignore=rules))

        assert not changes.changed

    async def test_a_write_for_another_field_keeps_the_live_value(
        self, applier, server, config_map
    ):
        await applier.apply([config_map()])
        server.edit("ConfigMap", "a", lambda obj: obj["data"].update(key="theirs"))
        rules = [IgnoreRule(paths=["/data/key"])]
        wanted = config_map(data={"key": "value", "more": "x"})

        changes = await applier.apply([wanted], ApplyOptions(ignore=rules))

        assert changes.changed
        assert server.find("ConfigMap", "a")["data"] == {"key": "theirs", "more": "x"}

    async def test_a_rule_for_other_objects_changes_nothing(self, applier, server, config_map):
        await applier.apply([config_map()])
        server.edit("ConfigMap", "a", lambda obj: obj["data"].update(key="theirs"))
        rules = [IgnoreRule(paths=["/data/key"], target=Selector(name="b"))]

        changes = await applier.apply([config_map()], ApplyOptions(ignore=rules))

        assert changes.changed
