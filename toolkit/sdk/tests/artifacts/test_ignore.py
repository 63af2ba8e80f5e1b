import pytest
from hypothesis import given
from hypothesis import strategies as st

from fluvial.toolkit.artifacts.ignore import IgnoreRules

CASES = [
    # rules, kept, ignored, reason (a path that ends in / is a folder)
    ("", "a.yaml d/ .sourceignore", ".git/config .gitignore d/.gitmodules", "VCS files never"),
    ("", "jpg", "a.jpg d/b.tar.gz d/.github/x .travis.yml x/.sops.yaml", "nor the other defaults"),
    ("# only a comment\n\n", "a.yaml", "a.jpg", "comments leave the defaults in force"),
    ("*.md", "a.jpg .github/x .sops.yaml", "a.md .gitignore", "one rule takes all but VCS away"),
    ("!.gitignore", ".gitignore", ".git/config", "a rule may bring VCS files back"),
    ("*.md\n!README.md", "README.md d/README.md", "a.md", "later rules win"),
    ("!README.md\n*.md", "", "README.md", "later rules win, the other way round"),
    ("docs", "mydocs a/docs2", "docs docs/ docs/x a/docs/b/c", "no slash: any part of the path"),
    ("docs/", "docs a/docs", "docs/ docs/x a/docs/x", "a slash at the end: folders only"),
    ("/docs", "a/docs a/docs/x", "docs docs/x", "a slash in front: anchored"),
    ("a/b", "x/a/b ab", "a/b a/b/c a/b/", "a slash inside: anchored too"),
    ("**/b", "bb", "a/b a/x/b/c b", "at any depth"),
    ("**/a/b", "a/x/a/b", "x/a/b a/b", "no second try after the first a"),
    ("a/**", "b", "a/x a/ a", "everything below, and the folder itself"),
    ("a/**/z", "a/y", "a/z a/x/y/z", "nothing or much in between"),
    ("a**b/c", "axb/c", "", "** within a segment never matches"),
    ("/**", "a a/b", "", "an anchored ** alone never matches"),
    ("/*\n!/a/b", "a/b a/b/c", "a/ a/d x", "a negated folder under an excluded one"),
    ("*.y?ml", "a.yml", "a.yaml d/b.ybml", "? is one character"),
    ("[ab].txt", "c.txt", "a.txt b.txt", "a set"),
    ("[a-c].txt", "d.txt", "b.txt", "a range"),
    ("[^a].txt", "a.txt", "b.txt", "a negated set"),
    ("[!a].txt", "b.txt", "a.txt !.txt", "! does not negate"),
    ("[a", "[a a", "", "a malformed set matches nothing"),
    ("[]a]", "a ]", "", "an empty set is malformed"),
    ("\\*.txt", "a.txt", "*.txt", "escaped"),
    ("a\\", "a a\\", "", "nothing to escape: malformed"),
    ("a.txt   ", "b", "a.txt", "blanks at the end go"),
    ("a\\ ", "a", "a\u0020", "unless escaped"),
    ("a.md\r\nb.md\r\n", "c.md", "a.md b.md", "lines may end as Windows has them"),
    ("A.md", "a.md", "A.md", "case counts"),
]


@pytest.mark.parametrize(("rules", "kept", "ignored", "reason"), CASES)
def test_rules(rules, kept, ignored, reason):
    compiled = IgnoreRules.of([], rules)

    def ignores(path):
        return compiled.ignores(path.rstrip("/"), folder=path.endswith("/"))

    assert [path for path in kept.split(" ") if path and ignores(path)] == [], reason
    paths = [ignored] if ignored == "a " else ignored.split()
    assert [path for path in paths if not ignores(path)] == [], reason


def test_a_file_rules_its_own_folder_only():
    rules = IgnoreRules.of([((), "*.txt"), (("a",), "/b\n!x.txt")])
    assert rules.ignores("a/b")
    assert not rules.ignores("b")
    assert not rules.ignores("a/x.txt")
    assert rules.ignores("x.txt")


def test_the_spec_wins_over_the_files():
    rules = IgnoreRules.of([((), "*.txt")], "!keep.txt")
    assert not rules.ignores("keep.txt")
    assert rules.ignores("other.txt")


@given(st.text(alphabet="ab*?[]^-\\!/. ", max_size=12), st.text(alphabet="ab/", min_size=1))
def test_any_pattern_answers(pattern, path):
    assert IgnoreRules.of([], pattern).ignores(path) in {True, False}


@given(st.lists(st.sampled_from("abc"), min_size=1, max_size=4))
def test_what_lies_below_a_matched_folder_goes_with_it(parts):
    path = "/".join(parts)
    rules = IgnoreRules.of([], f"/{path}/")
    assert rules.ignores(path, folder=True)
    assert rules.ignores(f"{path}/below/it")
    assert not rules.ignores(path)


def test_stars_do_not_explode():
    rules = IgnoreRules.of([], "*a" * 30 + "b")
    assert not rules.ignores("a" * 200)
