"""What a conversion webhook may answer, in upstream's words where it may not."""

import pytest

from fluvial.cluster.errors import StatusError

V2 = "example.com/v2/widgets"
FAILED = "conversion webhook for example.com/v1, Kind=Widget"


def metadata(**changed):
    return lambda obj: {**obj, "metadata": {**obj["metadata"], **changed}}


def without_metadata(obj):
    return {key: value for key, value in obj.items() if key != "metadata"}


OBJECTS = [
    (lambda obj: {**obj, "apiVersion": "example.com/v1"},
     (" returned invalid object at index 0: invalid groupVersion (expected example.com/v2, "
      "received example.com/v1)"), "it must be the version asked for"),
    (lambda obj: {**obj, "kind": "Gadget"},
     " returned invalid object at index 0: invalid kind (expected Widget, received Gadget)",
     "the kind stays"),
    (metadata(name="b"), " returned invalid object: must have the same name: a != b",
     "the name stays"),
    (metadata(namespace="other"),
     " returned invalid object: must have the same namespace: default != other",
     "the namespace stays"),
    (without_metadata, " returned invalid object: must have the same name: a != ",
     "no metadata has no name"),
    (metadata(labels=["x"]),
     (" returned invalid metadata: invalid metadata.labels of type []interface {} in converted "
     "object"), "labels are a map"),
    (metadata(annotations={"x": 1}),
     (" returned invalid metadata: metadata.annotations[x] must be a string, but is int64 in "
     "converted object"), "of texts"),
    (metadata(labels={"x": "a b"}), " returned invalid metadata: metadata.labels: Invalid value",
     "new labels are checked"),
]  # fmt: skip


async def refusal(api):
    with pytest.raises(StatusError) as error:
        await api.get(V2, "default", "a")
    assert (error.value.code, error.value.reason) == (500, "")
    return error.value.message


@pytest.mark.parametrize(("spoil", "expected", "reason"), OBJECTS)
async def test_an_object_that_is_not_the_one(api, widgets, converter, *, spoil, expected, reason):
    await api.create(widgets(size=1))
    converter.spoil = spoil
    assert (await refusal(api)).startswith(FAILED + expected), reason


ANSWERS = [
    ({"response": None}, " failed: no response provided", "there is none"),
    ({"response": {"uid": "x"}}, ' failed: expected response.uid="', "of another review"),
    ({"kind": "Other"},
     (" failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got "
     "apiextensions.k8s.io/v1, Kind=Other"), "another kind"),
    ({"apiVersion": "apiextensions.k8s.io/v1beta1"},
     (" failed: expected webhook response of apiextensions.k8s.io/v1, Kind=ConversionReview, got "
     "apiextensions.k8s.io/v1beta1, Kind=ConversionReview"), "another version"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "expected", "reason"), ANSWERS)
async def test_an_answer_that_is_none(api, widgets, converter, *, changed, expected, reason):
    await api.create(widgets(size=1))
    converter.answer = lambda review: {**review, **changed}
    assert (await refusal(api)).startswith(FAILED + expected), reason


RESULTS = [
    ({"result": {"status": "Failure", "message": "cannot"}}, " failed: cannot", "it says why"),
    ({"result": {"status": "Failure"}},
     " failed: response.result.status was 'Failure', not 'Success'", "it does not say why"),
    ({"result": None}, " failed: response.result.status was '', not 'Success'", "says nothing"),
    ({"convertedObjects": []}, " returned 0 objects, expected 1", "none came back"),
]  # fmt: skip


@pytest.mark.parametrize(("changed", "expected", "reason"), RESULTS)
async def test_a_result_that_is_no_success(api, widgets, converter, *, changed, expected, reason):
    await api.create(widgets(size=1))
    converter.answer = lambda review: {**review, "response": {**review["response"], **changed}}
    assert await refusal(api) == FAILED + expected, reason


async def test_metadata_but_labels_and_annotations_is_put_back(api, widgets, converter):
    made = await api.create(widgets(size=1))
    converter.spoil = metadata(
        labels={"converted": "yes"}, annotations={"note": "b"}, generation=99, finalizers=["x/y"]
    )
    found = (await api.get(V2, "default", "a"))["metadata"]
    assert found["labels"] == {"converted": "yes"}
    assert found["annotations"] == {"note": "b"}
    assert {**found, "labels": None, "annotations": None} == {
        **made["metadata"], "labels": None, "annotations": None,
    }  # fmt: skip


async def test_an_older_review_needs_neither_kind_nor_uid(
    api, registrar, definition, converter, widgets
):
    await api.create(widgets(size=1))
    resource = "apiextensions.k8s.io/v1/customresourcedefinitions"
    found = await api.get(resource, None, "widgets.example.com")
    spec = definition(conversionReviewVersions=["v0", "v1beta1"])["spec"]
    await api.update({**found, "spec": spec})
    registrar.step()
    converter.answer = lambda review: {"response": {**review["response"], "uid": ""}}
    assert (await api.get(V2, "default", "a"))["spec"] == {"count": 1}


async def test_a_webhook_that_is_not_there(api, registrar, definition, widgets):
    await api.create(widgets(size=1))
    resource = "apiextensions.k8s.io/v1/customresourcedefinitions"
    found = await api.get(resource, None, "widgets.example.com")
    spec = definition(clientConfig={"url": "https://127.0.0.1:1/c"})["spec"]
    await api.update({**found, "spec": spec})
    registrar.step()
    assert await refusal(api) == (
        f'{FAILED} failed: Post "https://127.0.0.1:1/c?timeout=30s": dial tcp 127.0.0.1:1: '
        "connect: connection refused"
    )


async def test_what_cannot_be_stored_is_not_written(api, endpoints, widgets, converter):
    converter.spoil = metadata(name="other")
    with pytest.raises(StatusError) as error:
        await api.create(widgets("v2", count=1))
    assert error.value.message.startswith("conversion webhook for example.com/v2, Kind=Widget")
    assert endpoints.store.get("example.com/widgets", ("default", "a")) is None
