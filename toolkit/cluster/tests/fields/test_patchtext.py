import pytest

from fluvial.cluster.fields.patchtext import patched_text

OLD = {
    "kind": "ConfigMap",
    "metadata": {"uid": "u", "managedFields": [{"fieldsV1": {}, "manager": "m"}], "name": "a"},
    "data": {"b": "1", "a": "2"},
}
METADATA = '"metadata":{"name":"a","uid":"u","managedFields":[{"manager":"m","fieldsV1":{}}]}'


@pytest.mark.parametrize(
    ("patch", "text", "reason"),
    [
        (
            {},
            '{"data":{"b":"1","a":"2"},"kind":"ConfigMap",' + METADATA + "}",
            "the root is sorted, the rest stands as it was written",
        ),
        (
            {"data": {"a": "2"}},
            '{"data":{"a":"2","b":"1"},"kind":"ConfigMap",' + METADATA + "}",
            "what a merge patch goes through is sorted",
        ),
        (
            [{"op": "replace", "path": "/data/a", "value": "2"}],
            '{"data":{"a":"2","b":"1"},"kind":"ConfigMap",' + METADATA + "}",
            "as is what a JSON patch goes through",
        ),
        (
            {"metadata": {"name": "a"}},
            (
                '{"data":{"b":"1","a":"2"},"kind":"ConfigMap","metadata":{"managedFields":'
                '[{"manager":"m","fieldsV1":{}}],"name":"a","uid":"u"}}'
            ),
            "metadata too, but not the entries in it",
        ),
    ],
)
def test_patched_text(patch, text, reason):
    assert patched_text(OLD, patch) == text, reason
