"""The repository of the demo, pushed to a folder in place of a host."""

import pytest

from fluvial.cli.demo.errors import StepFailed
from fluvial.cli.demo.project import BAD, FIRST, GOOD, NEW_CONFIG, Project
from fluvial.render.kustomize import DiskTree, Options, build, to_yaml


@pytest.fixture
async def project(tmp_path):
    made = Project(tmp_path / "work", tmp_path / "app.git", str(tmp_path / "app.git"))
    await made.create()
    return made


def rendered(tree):
    return to_yaml(build(DiskTree(tree), "apps/demo", options=Options(order="legacy")))


async def test_a_push_is_what_the_remote_has(project, tmp_path):
    revision = await project.push(FIRST, "The first version")
    head = (tmp_path / "app.git" / "refs" / "heads" / "main").read_text().strip()
    assert revision == f"main@sha1:{head}"


@pytest.mark.parametrize(
    ("version", "text", "reason"),
    [
        (FIRST, "image: fluvial.dev/sample/webapp:1.0.0", "the tag is the image's"),
        (BAD, 'value: "0.2"', "the share of failing requests"),
        (NEW_CONFIG, "message: Welcome", "the ConfigMap"),
    ],
)
async def test_versions_render(project, tmp_path, version, text, reason):
    await project.push(version, "a version")
    assert text in rendered(tmp_path / "work"), reason


async def test_the_config_release_changes_only_the_configmap(project, tmp_path):
    await project.push(GOOD, "before")
    before = rendered(tmp_path / "work")
    await project.push(NEW_CONFIG, "after")
    after = rendered(tmp_path / "work")
    changed = [line for line in after.splitlines() if line not in before.splitlines()]
    assert changed == ["  message: Welcome"]


async def test_a_refused_push_says_why(project):
    await project.push(FIRST, "The first version")
    await project.refuse_pushes()
    with pytest.raises(StepFailed, match="no pushes today"):
        await project.push(GOOD, "Version 1.1.0")
