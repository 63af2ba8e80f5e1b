import pytest

from fluvial.cluster.node.images import SAMPLE_IMAGES, is_valid, repository_of, tag_of
from fluvial.cluster.node.script import Script

DIGEST = "sha256:" + "0" * 64


@pytest.mark.parametrize(
    ("image", "repository", "tag"),
    [
        ("nginx", "nginx", "latest"),
        ("nginx:1.27", "nginx", "1.27"),
        ("fluvial.dev/sample/webapp:2.0.0", "fluvial.dev/sample/webapp", "2.0.0"),
        ("localhost:5000/app", "localhost:5000/app", "latest"),
        ("localhost:5000/app:v1", "localhost:5000/app", "v1"),
        (f"app:v1@{DIGEST}", "app", "v1"),
        (f"app@{DIGEST}", "app", "latest"),
    ],
)
def test_parts_of_a_reference(image, repository, tag):
    assert is_valid(image)
    assert (repository_of(image), tag_of(image)) == (repository, tag)


@pytest.mark.parametrize("image", ["", "app:", "a b", "repo/APP:1", "app@sha256:12", "/app"])
def test_what_no_runtime_could_read(image):
    assert not is_valid(image)


def test_only_the_listed_repository_is_real():
    assert repository_of("fluvial.dev/sample/webapp:1") in SAMPLE_IMAGES
    assert repository_of("evil.dev/fluvial.dev/sample/webapp:1") not in SAMPLE_IMAGES


@pytest.mark.parametrize(
    ("annotations", "expected", "reason"),
    [
        ({}, Script(), "no annotations, no script"),
        ({"fluvial.dev/rollout-delay": "1m30s"}, Script(rollout_delay=90.0), "Go durations"),
        ({"fluvial.dev/rollout-delay": "soon"}, Script(), "nonsense counts as absent"),
        ({"fluvial.dev/never-ready": "true"}, Script(never_ready=True), "switched on"),
        ({"fluvial.dev/never-ready": "yes"}, Script(), "only the text true switches on"),
        ({"fluvial.dev/crash-loop": "true"}, Script(crash_loop=True), "switched on"),
        ({"fluvial.dev/image-pull-failure": "true"}, Script(pull_failure=True), "switched on"),
        (
            {"fluvial.dev/run-for": "250ms", "fluvial.dev/exit-code": "3"},
            Script(run_for=0.25, exit_code=3),
            "a job that fails",
        ),
        ({"fluvial.dev/exit-code": "-1"}, Script(), "no exit code"),
    ],
)
def test_scripts(annotations, expected, reason):
    assert Script.of({"metadata": {"annotations": annotations}}) == expected, reason
