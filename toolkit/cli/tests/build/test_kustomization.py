"""`fluvial build kustomization`."""

import base64

import pytest

from fluvial.cli.main import main
from fluvial.render.yaml import load_all

SPEC = """\
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata:
  name: {name}
  namespace: flux-system
spec:
  interval: 5m
  prune: true
  path: ./{name}
  sourceRef:
    kind: GitRepository
    name: {name}
"""
SETTINGS = """\
apiVersion: v1
kind: ConfigMap
metadata:
  name: settings
data:
  zone: ${zone:-none}
  size: ${size}
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Make a folder `apps` with a manifest, and `ks.yaml` with the Kustomization `apps`."""
    (tmp_path / "apps").mkdir()
    (tmp_path / "apps" / "settings.yaml").write_text(SETTINGS)
    (tmp_path / "ks.yaml").write_text(SPEC.format(name="apps"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def build(capsys):
    """Run the command for `apps`; return its objects."""

    def run(*arguments):
        command = ["build", "kustomization", "apps", "--path", "apps"]
        status = main([*command, "--kustomization-file", "ks.yaml", *arguments])
        output = capsys.readouterr()
        assert (status, output.err) == (0, "")
        return list(load_all(output.out))

    return run


@pytest.fixture
def refused(capsys):
    """Run the command for `apps`, which must fail; return what it says."""

    def run(*arguments):
        command = ["build", "kustomization", "apps", "--path", "apps"]
        assert main([*command, "--kustomization-file", "ks.yaml", *arguments]) == 1
        output = capsys.readouterr()
        assert not output.out
        return output.err

    return run


def test_a_folder_without_kustomization_file(folder, build):
    (found,) = build("--dry-run")
    assert found["data"] == {"zone": "${zone:-none}", "size": "${size}"}
    assert found["metadata"]["labels"] == {
        "kustomize.toolkit.fluxcd.io/name": "apps",
        "kustomize.toolkit.fluxcd.io/namespace": "flux-system",
    }


def test_fields_of_the_spec_are_layered_on_top(folder, build):
    (folder / "ks.yaml").write_text(
        SPEC.format(name="apps")
        + "  targetNamespace: shop\n  namePrefix: my-\n"
        + "  commonMetadata: {labels: {team: a}, annotations: {b: c}}\n"
        + '  patches:\n  - patch: \'[{"op": "add", "path": "/data/new", "value": "1"}]\'\n'
        + "    target: {kind: ConfigMap}\n"
    )
    (found,) = build()
    assert (found["metadata"]["name"], found["metadata"]["namespace"]) == ("my-settings", "shop")
    assert found["metadata"]["labels"]["team"] == "a"
    assert found["metadata"]["annotations"] == {"b": "c"}
    assert found["data"]["new"] == "1"


def test_variables_of_the_spec_win_over_those_of_the_same_file(folder, build):
    secret = base64.b64encode(b"secret").decode()
    (folder / "ks.yaml").write_text(
        SPEC.format(name="apps")
        + "  postBuild:\n    substitute: {size: big}\n    substituteFrom:\n"
        + "    - {kind: ConfigMap, name: vars}\n    - {kind: Secret, name: more}\n"
        + "    - {kind: Secret, name: only-in-the-cluster}\n"
        + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: vars}, data: {size: small}}\n"
        + "---\napiVersion: v1\nkind: Secret\nmetadata: {name: more, namespace: flux-system}\n"
        + f"data: {{zone: {secret}}}\n"
    )
    (found,) = build()
    assert found["data"] == {"zone": "secret", "size": "big"}


@pytest.mark.parametrize(
    ("strict", "reason"),
    [(False, "an unset variable is empty"), (True, "an unset variable is an error")],
)
def test_strictness(folder, build, refused, strict, reason):
    text = SPEC.format(name="apps") + "  postBuild: {substitute: {zone: z}}\n"
    (folder / "ks.yaml").write_text(text)
    if strict:
        assert 'variable not set (strict mode): "size"' in refused("--strict-substitute"), reason
    else:
        assert build()[0]["data"] == {"zone": "z", "size": None}, reason


def test_ignored_files_are_not_there(folder, build):
    (folder / "apps" / "broken.yaml").write_text("a: [")
    (folder / "apps" / "old").mkdir()
    (folder / "apps" / "old" / "broken.yaml").write_text("a: [")
    assert len(build("--ignore-paths", "broken.yaml,old/")) == 1


def test_encrypted_values_are_masked(folder, build):
    encrypted = base64.b64encode(b"x: ENC[AES]\nsops: {mac: ENC[AES]}\n").decode()
    (folder / "apps" / "settings.yaml").write_text(
        "apiVersion: v1\nkind: Secret\nmetadata: {name: whole}\n"
        "stringData: {a: 'ENC[AES]'}\nsops: {mac: 'ENC[AES]'}\n---\n"
        "apiVersion: v1\nkind: Secret\nmetadata: {name: parts}\n"
        f"data: {{file: {encrypted}, plain: eA==}}\n"
    )
    whole, parts = build()
    assert whole["stringData"] == {"a": "**SOPS**"}
    assert "sops" not in whole
    assert base64.b64decode(parts["data"]["file"]) == b"**SOPS**"
    assert parts["data"]["plain"] == "eA=="


def test_kustomizations_in_the_output_are_built_from_their_folders(folder, build, refused):
    (folder / "apps" / "nested.yaml").write_text(SPEC.format(name="infra"))
    (folder / "other" / "infra").mkdir(parents=True)
    (folder / "other" / "infra" / "a.yaml").write_text(SETTINGS.replace("settings", "inner"))
    assert "--local-sources GitRepository/flux-system/infra=DIR" in refused("--recursive")
    found = build("--recursive", "--local-sources", "GitRepository/flux-system/infra=other")
    assert [each["metadata"]["name"] for each in found] == ["infra", "settings", "inner"]
    assert found[2]["metadata"]["labels"]["kustomize.toolkit.fluxcd.io/name"] == "infra"


@pytest.mark.parametrize(
    ("spec", "arguments", "said", "reason"),
    [
        ("", ["-n", "other"], "has no Kustomization 'apps' in namespace 'other'", "namespace"),
        ("  components: [https://x/y]\n", [], "must be local and relative", "remote component"),
        ("  wait: maybe\n", [], "Expected `bool`", "a field of another type"),
        ("", ["--recursive", "--local-sources", "x"], "Kind/namespace/name=DIR", "bad source"),
    ],
)
def test_refusals(folder, refused, spec, arguments, said, reason):  # noqa: PLR0917 -- the table
    (folder / "ks.yaml").write_text(SPEC.format(name="apps") + spec)
    assert said in refused(*arguments), reason


def test_a_folder_that_is_not_there(folder, refused):
    (folder / "apps" / "settings.yaml").unlink()
    (folder / "apps").rmdir()
    assert "--path apps is not a folder" in refused()


def test_a_dry_run_takes_no_variables_from_config_maps(folder, build):
    (folder / "ks.yaml").write_text(
        SPEC.format(name="apps")
        + "  postBuild:\n    substitute: {zone: z}\n"
        + "    substituteFrom: [{kind: ConfigMap, name: vars}]\n"
        + "---\n{apiVersion: v1, kind: ConfigMap, metadata: {name: vars}, data: {size: small}}\n"
    )
    assert build()[0]["data"] == {"zone": "z", "size": "small"}
    assert build("--dry-run")[0]["data"] == {"zone": "z", "size": None}


def test_each_object_ends_with_a_separator(folder, capsys):
    command = ["build", "kustomization", "apps", "--path", "apps"]
    assert main([*command, "--kustomization-file", "ks.yaml"]) == 0
    assert capsys.readouterr().out.endswith("  name: settings\n---\n")


@pytest.mark.parametrize(
    ("arguments", "namespace", "reason"),
    [
        ([], "flux-system", "the one that flux looks for"),
        (["-n", "other"], "other", "the namespace that is asked for"),
        (["-n", "third"], "", "one without a namespace is in any"),
    ],
)
def test_the_kustomization_is_found_by_its_namespace(folder, build, arguments, namespace, reason):
    spec = SPEC.format(name="apps")
    others = [spec.replace("flux-system", "other"), spec.replace("  namespace: flux-system\n", "")]
    (folder / "ks.yaml").write_text("---\n".join([others[0], others[1], spec]))
    if namespace == "flux-system":
        (folder / "ks.yaml").write_text("---\n".join([others[0], spec]))
    (found,) = build(*arguments)
    labels = found["metadata"]["labels"]
    assert labels["kustomize.toolkit.fluxcd.io/namespace"] == namespace, reason


@pytest.mark.parametrize(
    ("ignored", "arguments", "kept", "reason"),
    [
        ("", [], ["a", "b", "c"], "nothing"),
        ("b.yaml\n", [], ["a", "c"], "a name anywhere"),
        ("/b.yaml\n", [], ["a", "b", "c"], "the folder to build is the top, not the source's"),
        ("/*\n!/in/\n", [], ["b", "c"], "everything but a folder"),
        ("/*\n", ["--ignore-paths", "!a.yaml"], ["a"], "the flag comes after the files"),
        ("", ["--ignore-paths", "in/b.yaml,/a.yaml"], ["c"], "several patterns in a flag"),
    ],
)
def test_what_is_ignored(folder, build, ignored, arguments, kept, reason):  # noqa: PLR0917 -- table
    apps = folder / "apps"
    (apps / "in").mkdir()
    (apps / "settings.yaml").unlink()
    for name, path in (("a", "a.yaml"), ("b", "in/b.yaml"), ("c", "in/c.yaml")):
        (apps / path).write_text(SETTINGS.replace("settings", name))
    (apps / ".sourceignore").write_text(ignored)
    (apps / "cloudbuild.yaml").write_text("steps: []\n")  # one of the patterns always in force
    assert [each["metadata"]["name"] for each in build(*arguments)] == kept, reason


def test_what_a_kustomization_file_names_is_ignored_too(folder, build, refused):
    apps = folder / "apps"
    (apps / "kustomization.yaml").write_text("resources: [settings.yaml, other.yaml]\n")
    (apps / "other.yaml").write_text(SETTINGS.replace("settings", "other"))
    (apps / "deep").mkdir()
    (apps / "deep" / ".sourceignore").write_text("other.yaml\n")  # speaks of deep/other.yaml only
    assert len(build()) == 2
    assert len(build("--ignore-paths", "other.yaml")) == 1
    (apps / "other.yaml").unlink()
    assert "no such file or directory: 'other.yaml'" in refused("--ignore-paths", "x")


LONG = base64.b64encode(b"x: ENC[AES" + b"x" * 100 + b"]\nsops: {}\n").decode()
MAC = "sops: {mac: 'ENC[AES]'}"
MASKED = base64.b64encode(b"**SOPS**").decode()


@pytest.mark.parametrize(
    ("secret", "data", "texts", "reason"),
    [
        (f"data: {{a: {LONG[:70]}\\n{LONG[70:]}}}", None, None, "no base64"),
        (f'data: {{a: "{LONG[:70]}\\n{LONG[70:]}\\n"}}', {"a": MASKED}, None, "wrapped base64"),
        (
            "stringData: {a: 'x: ENC[AES], sops: 1', b: plain}",
            None,
            {"a": MASKED, "b": "plain"},
            "an encrypted file among texts",
        ),
        (
            f"data: {{a: eA==}}\nstringData: {{b: c}}\n{MAC}\ntype: kubernetes.io/dockerconfigjson",
            {"a": base64.b64encode(b'{"mask":"**SOPS**"}').decode()},
            {"b": '{"mask":"**SOPS**"}'},
            "credentials of a registry stay JSON, by the type and not by the key",
        ),
        (
            f"stringData: {{.dockerconfigjson: c}}\n{MAC}",
            None,
            {".dockerconfigjson": "**SOPS**"},
            "the key says nothing",
        ),
    ],
)
def test_masks(folder, build, refused, secret, data, texts, reason):  # noqa: PLR0917 -- the table
    (folder / "apps" / "settings.yaml").write_text(
        f"apiVersion: v1\nkind: Secret\nmetadata: {{name: s}}\n{secret}\n"
    )
    if data is None and texts is None:
        assert "data of the key 'a' is no base64" in refused(), reason
        return
    (found,) = build()
    assert (found.get("data"), found.get("stringData")) == (data, texts), reason
    assert "sops" not in found
