"""Where composed values are written."""

import base64

import pytest

from fluvial.apis.meta import ValuesReference
from fluvial.render.helm import ValueLayers, ValuesError
from fluvial.render.helm.flux import ReleasePlace, compose, text_of
from fluvial.render.yaml import load_documents

RELEASE = """\
kind: HelmRelease
spec:
  values:
    replicas: 2
    image:
      tag: v2
"""


def ref(kind="ConfigMap", name="c", key="", target="", *, optional=False, literal=False):
    return ValuesReference(
        kind=kind, name=name, values_key=key, target_path=target, optional=optional, literal=literal
    )


def origins(found, release=None):
    """Compose; return the values, and the origin of each path as text."""
    layers = ValueLayers()
    inline, place = None, None
    if release:
        (document,) = load_documents(release, file="release.yaml", positions=True)
        inline = document.value["spec"]["values"]
        place = ReleasePlace("release.yaml", document)
    values = compose(found, inline, layers, namespace="shop", place=place)
    assert values == compose(found, inline), "whoever asks for origins gets the same values"
    return values, {".".join(path): str(origin) for path, origin in layers.origins.items()}


CONFIG = (ref(), "replicas: 1\nimage:\n  tag: v1\n  name: web\n")


@pytest.mark.parametrize(
    ("found", "release", "expected", "reason"),
    [
        ([CONFIG], None, {"replicas": "ConfigMap shop/c values.yaml:1:1 (valuesFrom)",
                          "image.tag": "ConfigMap shop/c values.yaml:3:3 (valuesFrom)"},
         "object, key, line and column"),
        ([CONFIG, (ref("Secret", "s", "more"), "image: {tag: v9}\n")], None,
         {"image.tag": "Secret shop/s more:1:9 (valuesFrom)",
          "image.name": "ConfigMap shop/c values.yaml:4:3 (valuesFrom)"}, "later ones win"),
        ([(ref(), "a: 1\n---\nb: 2\n")], None,
         {"a": "ConfigMap shop/c values.yaml:1:1 (valuesFrom)"},
         "only the first document of a text counts"),
        ([(ref(), "list: [1, 2]"), (ref(name="d"), "list: [3]")], None,
         {"list.0": "ConfigMap shop/d values.yaml:1:8 (valuesFrom)"}, "a list replaces a list"),
        ([CONFIG], RELEASE, {"replicas": "release.yaml:4:5 (spec.values)",
                             "image.tag": "release.yaml:6:7 (spec.values)",
                             "image.name": "ConfigMap shop/c values.yaml:4:3 (valuesFrom)"},
         "inline values win, by the file they stand in"),
        ([(ref("Secret", "s", "password", "auth.token"), "hunter2")], None,
         {"auth.token": "Secret shop/s password → auth.token (valuesFrom)"},
         "a value at a path has no line"),
        ([(ref("Secret", "s", "tag", "image.tag"), "v3")], RELEASE,
         {"image.tag": "Secret shop/s tag → image.tag (valuesFrom)"},
         "at a path inside of the inline values it stays"),
        ([(ref("Secret", "s", "n", "replicas"), "3")], RELEASE,
         {"replicas": "release.yaml:4:5 (spec.values)"}, "at the top inline wins again"),
        ([(ref("Secret", "s", "tag", "image.tag"), "v3"), CONFIG,
          (ref("Secret", "t", "tag", "image.tag"), "v4")], RELEASE,
         {"image.tag": "Secret shop/s tag → image.tag (valuesFrom)"},
         "what came after a text had made the map its own is lost, the one before it is not"),
        ([(ref("Secret", "s", "tag", "image.tag"), "v3"),
          (ref("Secret", "t", "tag", "image.tag"), "v4")], RELEASE,
         {"image.tag": "Secret shop/s tag → image.tag (valuesFrom)"},
         "of two at a path the first, for the merge before the second made the map another"),
        ([(ref("Secret", "s", "n", "list[1].n"), "3,replicas=7")], RELEASE,
         {"list.1.n": "Secret shop/s n → list.1.n (valuesFrom)",
          "replicas": "release.yaml:4:5 (spec.values)"},
         "more than one value at once"),
        ([(ref(optional=True), None)], RELEASE, {"replicas": "release.yaml:4:5 (spec.values)"},
         "a missing one sets nothing"),
    ],
)  # fmt: skip
def test_origins(found, release, expected, reason):
    _, found_origins = origins(found, release)
    assert {path: found_origins.get(path) for path in expected} == expected, reason


def test_the_winner_of_each_value_is_the_one_that_is_named():
    """The values say who won: each is named after the layer that brings it."""
    found = [
        (ref("Secret", "s", "tag", "image.tag"), "s"),
        (ref("Secret", "v", "tag", "image.tag"), "v"),
        (ref(name="c"), "image: {tag: c, name: c, at: c}"),
        (ref("Secret", "t", "at", "image.at"), "t"),
        (ref("Secret", "u", "name", "image.deep.name"), "u"),
    ]
    release = "spec:\n  values:\n    image:\n      tag: release\n      deep: {}\n"
    values, named = origins(found, release)
    image = values["image"]
    assert image == {"tag": "s", "name": "c", "at": "t", "deep": {"name": "u"}}
    for path, value in (("tag", "s"), ("name", "c"), ("at", "t"), ("deep.name", "u")):
        assert f" shop/{value} " in named[f"image.{path}"], path


def test_a_secret_is_in_no_origin():
    found = [
        (ref("Secret", "s", "password", "auth.token"), "hunter2"),
        (ref("Secret", "s"), "auth: {user: hunter3}"),
        (ref("Secret", "s", "map", "auth.map"), "{hunter4,hunter5}"),
    ]
    _, named = origins(found, RELEASE)
    assert len(named) > 5
    assert "hunter" not in str(named)


def test_inline_values_without_a_file():
    layers = ValueLayers()
    compose([], {"a": {"b": 1}}, layers)
    assert layers.origins[("a", "b")].file == "spec.values a.b"


def secret(**data):
    return {"data": {key: base64.b64encode(value).decode() for key, value in data.items()}}


@pytest.mark.parametrize(
    ("reference", "obj", "expected", "reason"),
    [
        (ref(), {"data": {"values.yaml": "a: 1"}}, "a: 1", "the default key"),
        (ref(key="k"), {"data": {"k": "a: 1"}}, "a: 1", "a key of its own"),
        (ref("Secret", key="k"), secret(k=b"a: 1"), "a: 1", "a Secret is decoded"),
        (ref(optional=True), None, None, "an optional object that is missing"),
        (ref(key="k", optional=True), {"data": {}}, None, "an optional key that is missing"),
        (ref(key="k", optional=True), {}, None, "an object without data"),
    ],
)
def test_text_of(reference, obj, expected, reason):
    assert text_of(reference, obj, "shop") == expected, reason


@pytest.mark.parametrize(
    ("reference", "obj", "message"),
    [
        (ref(), None, r"ConfigMap 'shop/c' not found; create it, or say `optional: true`"),
        (ref(key="k"), {"data": {"j": ""}}, r"missing key 'k' in ConfigMap 'shop/c'; name another"),
        (ref("Secret", key="k"), secret(k=b"", j=b"\xff"), "Secret 'c' has data that is no text"),
        (ref("Secret", key="k"), {"data": {"k": "hunter2!"}}, "Secret 'c' has data that is no"),
    ],
)
def test_what_is_missing_is_named(reference, obj, message):
    with pytest.raises(ValuesError, match=message) as caught:
        text_of(reference, obj, "shop")
    assert "hunter2" not in str(caught.value)
