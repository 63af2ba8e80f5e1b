import pytest

from fluvial.source.helmchart.helmignore import HelmIgnore, HelmIgnoreInvalid

CASES = [
    ("helm.txt", "helm.txt", True, "a file"),
    ("helm.txt", "cargo/helm.txt", True, "without a slash only the name counts"),
    ("helm.*", "helm.txt", True, "a star"),
    ("helm.*", "tiller.txt", False, "a star has limits"),
    ("*/rudder.txt", "cargo/rudder.txt", True, "one folder"),
    ("*/rudder.txt", "a/b/rudder.txt", False, "a star takes no slash"),
    ("/a/b/x", "a/b/x", True, "from the root"),
    ("a/b/x", "z/a/b/x", False, "with a slash always from the root"),
    ("/x", "a/x", False, "a leading slash as well"),
    ("cargo/", "cargo/", True, "a folder"),
    ("cargo/", "cargo", False, "no file of that name"),
    ("cargo/", "a/cargo/", True, "a folder further down"),
    ("[ab]x", "bx", True, "a class"),
    ("[^ab]x", "bx", False, "a negated class"),
    ("?.txt", "ab.txt", False, "exactly one character"),
    ("!helm.txt", "helm.txt", False, "negated: what matches stays"),
    ("!helm.txt", "tiller.txt", True, "negated: all else goes"),
    ("!*.txt\nhelm.txt", "helm.txt", True, "what a negated one lets through meets the next"),
    ("!cargo/", "cargo", True, "negated, for folders: files go"),
    ("!cargo/", "cargo/", False, "negated, for folders: that one stays"),
    ("# x\n\n  x  \n", "x", True, "comments, blanks, and space around"),
    ("", "templates/.x", True, "hidden files among the templates are always out"),
    ("", "templates/x", False, "the others are not"),
    ("", "templates/a/.x", False, "nor are those below"),
    ("", "templates/.", False, "a dot is no hidden file"),
]


@pytest.mark.parametrize(("rules", "path", "ignored", "reason"), CASES)
def test_rules(rules, path, ignored, reason):
    found = HelmIgnore.parse(rules).ignores(path.rstrip("/"), folder=path.endswith("/"))
    assert found == ignored, reason


@pytest.mark.parametrize("line", ["a/**", "[", "[]x", "x\\"])
def test_what_helm_refuses(line):
    with pytest.raises(HelmIgnoreInvalid) as caught:
        HelmIgnore.parse(line)
    assert repr(line) in str(caught.value)
