"""An object that differs from what was applied is never said to be unmoved."""

import copy
import itertools
import uuid

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from fluvial.toolkit import Informer, Key, Resource, Selection
from fluvial.toolkit.apply.unmoved import CLAIM_BYTES, Ledger, Verdict, keeps_generation
from fluvial.toolkit.client import WatchEvent
from fluvial.toolkit.testing import FakeClock

STATUS = frozenset({"status"})
STATED = {"namespaced": False, "subresources": STATUS}
DEPLOYMENTS = Resource("apps", "v1", "deployments", "Deployment", subresources=STATUS)
CONFIG_MAPS = Resource("", "v1", "configmaps", "ConfigMap")
WIDGETS = Resource("example.com", "v1", "widgets", "Widget")
MANAGER = "kustomize-controller"
SSA = "kustomize.toolkit.fluxcd.io/ssa"
KEY = Key("default", "app")
OTHER = {"manager": "robot", "operation": "Update", "fieldsV1": {"f:spec": {"f:n": {}}}}


def entry(labels=("owner",), spec=("n",), **more):
    fields = {
        "f:metadata": {"f:labels": {f"f:{name}": {} for name in labels}},
        "f:spec": {f"f:{name}": {} for name in spec},
    }
    return {"manager": MANAGER, "operation": "Apply", "fieldsV1": fields, **more}


def live(version=10, generation=1, uid="0b5f4c52-4f9a-4c8e-9c43-8a1f6f6d9e01", **changes):
    metadata = {
        "name": "app",
        "namespace": "default",
        "uid": uid,
        "resourceVersion": str(version),
        "generation": generation,
        "labels": {"owner": "apps", "theirs": "1"},
        "managedFields": [entry(time="2026-01-01T00:00:00Z"), OTHER],
    }
    return {"metadata": metadata | changes}


@pytest.mark.parametrize(
    ("shown", "expected", "reason"),
    [
        (live(), Verdict.UNMOVED, "shown as it was verified"),
        (live(11), Verdict.UNMOVED, "its status changed"),
        (live(9), Verdict.UNSEEN, "what is shown is older than the answer"),
        (live(version="abc"), Verdict.UNSEEN, "a version that cannot be compared"),
        (live(11, generation=2), Verdict.CHANGED, "another spec"),
        (live(11, uid=str(uuid.UUID(int=7))), Verdict.REPLACED, "deleted and created anew"),
        (
            live(11, deletionTimestamp="2026-01-01T00:00:00Z"),
            Verdict.DELETING,
            "it will be gone when its finalizers are",
        ),
        (
            live(11, labels={"owner": "someone", "theirs": "1"}),
            Verdict.DISOWNED,
            "a label of ours has another value",
        ),
        (live(11, labels={"theirs": "1"}), Verdict.DISOWNED, "a label of ours is gone"),
        (
            live(11, labels={"owner": "apps", "theirs": "2"}),
            Verdict.UNMOVED,
            "a label of others is theirs to change",
        ),
        (
            live(11, annotations={SSA: "Ignore"}),
            Verdict.DISOWNED,
            "an annotation that changes how it is applied",
        ),
        (
            live(11, labels={"owner": "apps", "theirs": "1", SSA: "Ignore"}),
            Verdict.DISOWNED,
            "the same as a label",
        ),
        (live(11, annotations={"note": "x"}), Verdict.UNMOVED, "any other annotation"),
        (
            live(11, managedFields=[entry(), {**OTHER, "manager": "robot"}]),
            Verdict.UNMOVED,
            "another manager who leaves nothing to be cleaned away",
        ),
        (
            live(11, managedFields=[entry(), {**OTHER, "manager": "kubectl-edit"}]),
            Verdict.DISOWNED,
            "fields of kubectl are to be taken over",
        ),
        (
            live(11, managedFields=[entry(), {**OTHER, "manager": "tofu-1"}]),
            Verdict.DISOWNED,
            "so are those of managers that are overridden",
        ),
        (
            live(11, annotations={"kubectl.kubernetes.io/last-applied-configuration": "{}"}),
            Verdict.DISOWNED,
            "kubectl's copy is to be removed",
        ),
        (live(11, managedFields=[OTHER]), Verdict.DISOWNED, "our entry is gone"),
        (
            live(11, managedFields=[entry(spec=()), OTHER]),
            Verdict.DISOWNED,
            "a field of ours was taken over",
        ),
        (
            live(11, managedFields=[OTHER, entry(time="2026-02-02T00:00:00Z")]),
            Verdict.UNMOVED,
            "order and time of entries say nothing",
        ),
        (
            live(11, managedFields=[entry(), entry(spec=("status",), subresource="status"), OTHER]),
            Verdict.UNMOVED,
            "entries of a subresource are not those of the object",
        ),
    ],
)
def test_verdict(shown, expected, reason):
    ledger = Ledger(DEPLOYMENTS, MANAGER, [SSA], ["tofu"])
    ledger.expect([KEY])
    ledger.verified(live())
    ledger.put(shown)
    assert ledger.verdict(KEY) is expected, reason


@pytest.mark.parametrize(
    ("resource", "expected", "reason"),
    [
        (DEPLOYMENTS, True, "its generation is that of its spec"),
        (CONFIG_MAPS, False, "it has none"),
        (
            Resource("autoscaling", "v2", "hpas", "HorizontalPodAutoscaler", subresources=STATUS),
            False,
            "it has none, or the one of a manifest, which never moves",
        ),
        (
            Resource("example.com", "v1", "widgets", "Widget", subresources=STATUS),
            True,
            "a custom kind with a status",
        ),
        (Resource("", "v1", "services", "Service", subresources=STATUS), False, "it never moves"),
        (
            Resource("", "v1", "namespaces", "Namespace", namespaced=False, subresources=STATUS),
            False,
            "it has none",
        ),
        (WIDGETS, False, "without a status subresource it moves with the status"),
        (
            Resource("gateway.networking.k8s.io", "v1", "gatewayclasses", "GatewayClass", **STATED),
            False,
            "an apply waits for the status of a class",
        ),
        (
            Resource("apiextensions.k8s.io", "v1", "crds", "CustomResourceDefinition", **STATED),
            False,
            "and for that of a definition",
        ),
    ],
)
def test_keeps_generation(resource, expected, reason):
    assert keeps_generation(resource) is expected, reason


def test_without_a_generation_any_new_version_wants_a_look():
    ledger = Ledger(CONFIG_MAPS, MANAGER)
    ledger.verified(live())
    ledger.put(live())
    assert ledger.verdict(KEY) is Verdict.UNMOVED
    ledger.put(live(11))
    assert ledger.verdict(KEY) is Verdict.CHANGED


def test_it_is_verified_for_a_claim():
    ledger = Ledger(DEPLOYMENTS, MANAGER)
    ours, others = b"1" * CLAIM_BYTES, b"2" * CLAIM_BYTES
    ledger.expect([KEY])
    ledger.verified(live(), claim=ours)
    ledger.put(live())
    assert ledger.verdict(KEY, ours) is Verdict.UNMOVED
    assert ledger.verdict(KEY, others) is Verdict.UNVERIFIED, "other inputs, or another owner"
    ledger.verified(live(), claim=others)
    assert ledger.verdict(KEY, ours) is Verdict.UNVERIFIED, "who looked last knows"


@pytest.mark.parametrize(
    ("metadata", "exact", "expected", "reason"),
    [
        ({"labels": {"owner": "apps"}}, False, Verdict.UNMOVED, "we own what we want"),
        ({"labels": {"theirs": "1"}}, False, Verdict.CHANGED, "a label by somebody else's doing"),
        ({"annotations": {"note": "x"}}, False, Verdict.CHANGED, "an annotation likewise"),
        ({}, True, Verdict.CHANGED, "more of it counts than its entry tells"),
    ],
)
def test_what_the_entry_does_not_show_goes_by_the_version(metadata, exact, expected, reason):
    ledger = Ledger(DEPLOYMENTS, MANAGER)
    ledger.expect([KEY])
    ledger.verified(live(), {"metadata": metadata}, exact=exact)
    ledger.put(live())
    assert ledger.verdict(KEY) is Verdict.UNMOVED, reason
    ledger.put(live(11))
    assert ledger.verdict(KEY) is expected, reason


def test_what_is_not_expected_is_not_kept():
    ledger = Ledger(DEPLOYMENTS, MANAGER)
    ledger.put(live())
    assert (len(ledger), ledger.keys()) == (0, [])
    ledger.verified(live())
    assert ledger.verdict(KEY) is Verdict.UNSEEN, "shown before anyone asked for it"


def test_doubt_lasts_until_the_next_answer():
    ledger = Ledger(DEPLOYMENTS, MANAGER)
    ledger.expect([KEY])
    ledger.put(live())
    ledger.verified(live())
    ledger.doubted(KEY)
    assert ledger.verdict(KEY) is Verdict.UNVERIFIED
    ledger.verified(live())
    assert ledger.verdict(KEY) is Verdict.UNMOVED
    ledger.doubt_all()
    assert (ledger.verdict(KEY), ledger.shown(KEY)) == (Verdict.UNVERIFIED, 10)


def test_forgotten_objects_take_no_room():
    ledger = Ledger(DEPLOYMENTS, MANAGER)
    ledger.verified(live())
    ledger.forget([KEY])
    assert (len(ledger), ledger.verdict(KEY)) == (0, Verdict.UNVERIFIED)


class Histories(RuleBasedStateMachine):
    """A server with two objects, whatever may happen to them, and a watch that lags and breaks.

    `wanted` is what we applied last, `shown` the newest state that the watch has delivered.
    """

    names = st.sampled_from(["a", "b"])

    @initialize(generations=st.booleans())
    def begin(self, generations):
        self.resource = DEPLOYMENTS if generations else CONFIG_MAPS
        self.versions = itertools.count(1)
        self.server = {}
        self.wanted = {"a": 1, "b": 1}
        self.queue = []
        self.past = []
        self.restart()
        for name in "ab":
            self.apply(name)

    def store(self, name, obj):
        """Write an object and send an event, as the API server does."""
        obj["metadata"]["resourceVersion"] = str(next(self.versions))
        self.server[name] = obj
        self.queue.append(("MODIFIED", copy.deepcopy(obj)))

    def new(self, name):
        metadata = {"name": name, "namespace": "default", "uid": str(uuid.uuid4())}
        metadata |= {"generation": 1, "labels": {}, "annotations": {}, "managedFields": []}
        return {"metadata": metadata, "spec": {"n": 0}}

    def spec(self, obj, value):
        if obj["spec"]["n"] != value:
            obj["spec"]["n"] = value
            obj["metadata"]["generation"] += 1

    @rule(name=names)
    def apply(self, name):
        """Bring an object to what is wanted; the answer is verified."""
        self.ledger.expect([Key("default", name)])
        obj = copy.deepcopy(self.server.get(name) or self.new(name))
        if "deletionTimestamp" in obj["metadata"]:
            return
        before = copy.deepcopy(obj)
        self.spec(obj, self.wanted[name])
        obj["metadata"]["labels"]["owner"] = "apps"
        if obj != before or name not in self.server:
            obj["metadata"]["managedFields"] = [entry()]
            self.store(name, obj)
        # Where nothing is to be written it stays with whoever has set it right.
        manifest = {"metadata": {"labels": {"owner": "apps"}}}
        self.ledger.verified(copy.deepcopy(self.server[name]), manifest)
        self.controls[name] = self.server[name]["metadata"]["annotations"].get(SSA)

    @rule(name=names, value=st.integers(0, 3))
    def want(self, name, value):
        """Another commit: an input has changed, so what was verified no longer counts."""
        self.wanted[name] = value
        self.ledger.doubted(Key("default", name))

    def edit(self, name, change):
        if name in self.server:
            obj = copy.deepcopy(self.server[name])
            change(obj, obj["metadata"])
            self.store(name, obj)

    @rule(name=names, value=st.integers(0, 3))
    def someone_edits(self, name, value):
        def change(obj, metadata):
            if obj["spec"]["n"] != value:
                metadata["managedFields"] = [entry(spec=()), OTHER]
            self.spec(obj, value)

        self.edit(name, change)

    @rule(name=names)
    def someone_edits_and_takes_it_back(self, name):
        if name in self.server:
            value = self.server[name]["spec"]["n"]
            self.someone_edits(name, value + 1)
            self.someone_edits(name, value)

    @rule(name=names)
    def someone_strips_our_label(self, name):
        def change(_, metadata):
            if metadata["labels"].pop("owner", None):
                self.disown(metadata)

        self.edit(name, change)

    @rule(name=names, value=st.sampled_from(["apps", "someone"]))
    def someone_sets_our_label(self, name, value):
        def change(_, metadata):
            if metadata["labels"].get("owner") != value:
                metadata["labels"]["owner"] = value
                self.disown(metadata)

        self.edit(name, change)

    @rule(name=names)
    def someone_takes_our_label_over(self, name):
        """Leave the value that we want, no longer as ours."""
        self.someone_strips_our_label(name)
        self.someone_sets_our_label(name, "apps")

    def disown(self, metadata):
        if metadata["managedFields"]:
            metadata["managedFields"] = [entry(labels=())]

    @rule(name=names, value=st.sampled_from(["Ignore", "Merge", None]))
    def someone_sets_a_control(self, name, value):
        def change(_, metadata):
            metadata["annotations"].pop(SSA, None)
            if value:
                metadata["annotations"][SSA] = value

        self.edit(name, change)

    @rule(name=names)
    def the_status_moves(self, name):
        self.edit(name, lambda obj, _: obj.update(status={"n": next(self.versions)}))

    @rule(name=names)
    def someone_begins_to_delete(self, name):
        self.edit(name, lambda _, metadata: metadata.update(deletionTimestamp="now"))

    @rule(name=names)
    def it_goes(self, name):
        obj = self.server.pop(name, None)
        if obj is not None:
            obj = copy.deepcopy(obj)
            obj["metadata"]["resourceVersion"] = str(next(self.versions))
            self.queue.append(("DELETED", obj))

    @rule(name=names)
    def someone_creates_the_same(self, name):
        """Equal in all that is wanted, and yet not what we have applied."""
        if name not in self.server:
            obj = self.new(name)
            self.spec(obj, self.wanted[name])
            obj["metadata"]["labels"]["owner"] = "apps"
            self.store(name, obj)

    @precondition(lambda self: self.queue)
    @rule(count=st.integers(1, 4))
    def the_watch_delivers(self, count):
        for type_, obj in self.queue[:count]:
            self.past.append((type_, obj))
            self.show(type_, obj)
        del self.queue[:count]

    @precondition(lambda self: self.past)
    @rule(data=st.data())
    def an_old_event_comes_again(self, data):
        type_, obj = data.draw(st.sampled_from(self.past))
        self.informer._apply(WatchEvent(type_, copy.deepcopy(obj)))

    def show(self, type_, obj):
        self.informer._apply(WatchEvent(type_, copy.deepcopy(obj)))
        name = obj["metadata"]["name"]
        if type_ == "DELETED":
            self.shown.pop(name, None)
        else:
            self.shown[name] = obj

    @rule()
    def the_watch_misses_it_all_and_lists_again(self):
        self.queue.clear()
        self.shown = copy.deepcopy(self.server)
        self.informer._replace(copy.deepcopy(list(self.server.values())))
        self.informer._version = str(next(self.versions))

    @rule()
    def the_definition_goes_and_all_its_objects(self):
        self.server.clear()
        self.the_watch_misses_it_all_and_lists_again()

    @rule()
    def restart(self):
        """Nothing is known at first but which objects there should be."""
        self.ledger = Ledger(self.resource, MANAGER, [SSA])
        self.ledger.expect(Key("default", name) for name in "ab")
        self.informer = Informer(
            None, Selection(self.resource), FakeClock(), transform=lambda o: o, picture=self.ledger
        )
        self.controls = {}
        self.past.clear()
        self.the_watch_misses_it_all_and_lists_again()

    @invariant()
    def unmoved_is_what_was_applied(self):
        for name in "ab":
            if self.ledger.verdict(Key("default", name)) is not Verdict.UNMOVED:
                continue
            obj = self.shown[name]
            assert obj["spec"] == {"n": self.wanted[name]}
            assert obj["metadata"]["labels"]["owner"] == "apps"
            assert "deletionTimestamp" not in obj["metadata"]
            assert obj["metadata"]["annotations"].get(SSA) == self.controls[name]

    @rule(name=names)
    def what_is_applied_and_shown_is_unmoved(self, name):
        """See the other direction: not everything is always in doubt."""
        self.apply(name)
        if "deletionTimestamp" not in self.server.get(name, {"metadata": {}})["metadata"]:
            self.the_watch_misses_it_all_and_lists_again()
            assert self.ledger.verdict(Key("default", name)) is Verdict.UNMOVED


TestHistories = Histories.TestCase
TestHistories.settings = settings(stateful_step_count=30)
TestHistories.pytestmark = [pytest.mark.fuzz]
