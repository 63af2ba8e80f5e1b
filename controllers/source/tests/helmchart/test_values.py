import pytest

from fluvial.source.helmchart.errors import ValuesFilesError
from fluvial.source.helmchart.values import merge_files


@pytest.mark.parametrize(
    ("first", "second", "merged", "reason"),
    [
        ("a: 1", "b: 2", "a: 1\nb: 2\n", "both"),
        ("a: 1", "a: 2", "a: 2\n", "later wins"),
        ("a: {b: 1, c: 2}", "a: {c: 3}", "a:\n  b: 1\n  c: 3\n", "mappings are merged"),
        ("a: [1, 2]", "a: [3]", "a:\n- 3\n", "lists are replaced"),
        ("a: {b: 1}", "a: 2", "a: 2\n", "a mapping gives way"),
        ("a: 1", "a: {b: 2}", "a:\n  b: 2\n", "to a mapping"),
        ("a: 1", "a: null", "a: null\n", "null is a value: Helm removes by it"),
        ("a: yes", "# nothing", "a: true\n", "an empty file, and YAML 1.1"),
        ("", "", "", "nothing at all"),
    ],
)
def test_merging(write, first, second, merged, reason):
    root = write({"a.yaml": first, "env/b.yaml": second})
    found = merge_files(root, ["a.yaml", "env/b.yaml"], ignore_missing=False)
    assert found.text.decode() == merged, reason
    assert found.files == ["a.yaml", "env/b.yaml"]


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("a.yaml", "a file"),
        ("./a.yaml", "with a dot"),
        ("/a.yaml", "the root is the source's"),
        ("../../a.yaml", "nothing leads out of it"),
        ("x/../a.yaml", "not even through what is not there"),
    ],
)
def test_paths_stay_in_the_source(write, path, reason):
    root = write({"a.yaml": "a: 1", "../outside.yaml": "a: 2"}, "s/root")
    found = merge_files(root, [path], ignore_missing=False)
    assert found.text == b"a: 1\n", reason


def test_missing_files(write):
    root = write({"a.yaml": "a: 1", "folder/x": ""})
    found = merge_files(root, ["gone.yaml", "a.yaml"], ignore_missing=True)
    assert found == (b"a: 1\n", ["a.yaml"])
    with pytest.raises(ValuesFilesError, match=r"gone\.yaml"):
        merge_files(root, ["gone.yaml"], ignore_missing=False)
    with pytest.raises(ValuesFilesError, match="folder"):
        merge_files(root, ["folder"], ignore_missing=True)


@pytest.mark.parametrize("text", ["- a\n", "a: [", "word"])
def test_what_is_no_mapping(write, text):
    root = write({"a.yaml": text})
    with pytest.raises(ValuesFilesError, match=r"values from 'a\.yaml'"):
        merge_files(root, ["a.yaml"], ignore_missing=True)
