import copy

import pytest

from fluvial.canary.podspec import ConfigReference, config_references, with_copies

SPEC = {
    "volumes": [
        {"name": "a", "configMap": {"name": "in-volume"}},
        {"name": "b", "secret": {"secretName": "secret-volume"}},
        {
            "name": "c",
            "projected": {
                "sources": [
                    {"configMap": {"name": "projected-map"}},
                    {"secret": {"name": "projected-secret", "optional": True}},
                    {"serviceAccountToken": {"path": "token"}},
                ]
            },
        },
        {"name": "d", "emptyDir": {}},
    ],
    "containers": [
        {
            "name": "main",
            "env": [
                {"name": "PLAIN", "value": "1"},
                {"name": "A", "valueFrom": {"configMapKeyRef": {"name": "env-map", "key": "a"}}},
                {"name": "B", "valueFrom": {"secretKeyRef": {"name": "env-secret", "key": "b"}}},
            ],
        }
    ],
    "initContainers": [
        {
            "name": "init",
            "envFrom": [
                {"configMapRef": {"name": "from-map", "optional": True}},
                {"secretRef": {"name": "from-secret"}},
            ],
        }
    ],
    "imagePullSecrets": [{"name": "pull"}],
}
KEYS = {
    "configmap/in-volume",
    "secret/secret-volume",
    "configmap/projected-map",
    "secret/projected-secret",
    "configmap/env-map",
    "secret/env-secret",
    "configmap/from-map",
    "secret/from-secret",
}


def test_every_place_that_is_tracked_is_found_and_no_other():
    assert {reference.key for reference in config_references(SPEC)} == KEYS


@pytest.mark.parametrize(
    ("first", "second", "optional", "reason"),
    [
        (True, True, True, "nobody needs it"),
        (True, False, False, "one needs it"),
        (False, True, False, "in whichever order"),
    ],
)
def test_an_object_is_optional_only_if_all_say_so(first, second, optional, reason):
    sources = [{"configMapRef": {"name": "a", "optional": flag}} for flag in (first, second)]
    found = config_references({"containers": [{"envFrom": sources}]})
    assert found == [ConfigReference("configmap", "a", optional)], reason


def test_copies_are_named_everywhere_and_the_rest_stays():
    before = copy.deepcopy(SPEC)
    renamed = with_copies(SPEC, KEYS - {"configmap/env-map"}, "-primary")
    assert before == SPEC
    expected = {f"{key}-primary" if key != "configmap/env-map" else key for key in sorted(KEYS)}
    assert {reference.key for reference in config_references(renamed)} == expected
    assert renamed["imagePullSecrets"] == [{"name": "pull"}]


def test_a_secret_and_a_config_map_of_one_name_are_two_objects():
    sources = [{"configMapRef": {"name": "a"}}, {"secretRef": {"name": "a"}}]
    renamed = with_copies({"containers": [{"envFrom": sources}]}, {"secret/a"}, "-primary")
    keys = [reference.key for reference in config_references(renamed)]
    assert keys == ["configmap/a", "secret/a-primary"]
