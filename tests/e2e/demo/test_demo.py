"""The front door: it ends well only when everything happened, and leaves nothing behind."""

import re
import signal
import sys
import time

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are read from /proc")


def test_a_good_version_reaches_all_users(demo):
    assert demo.start("--until=good").wait() == 0, demo.text
    text = demo.text
    assert re.search(r"artifact +\d+\.\d\d s", text)
    assert "A good version: promoted" in text
    assert re.search(r"10 % of users .* requests, 100.0 % good", text)
    assert re.search(r"50 % of users .* requests, 100.0 % good", text)
    assert "From push to applied:" in text
    assert "\x1b[" not in text, "plain lines where the output is no terminal"
    assert demo.left == []


@pytest.mark.parametrize(
    ("fault", "said", "reason"),
    [
        pytest.param(
            "push-refused",
            "no pushes today",
            "the Git host's own words",
            marks=pytest.mark.thorough,
        ),
        ("metrics-off", "no values found", "without evidence nothing is promoted"),
        pytest.param(
            "kill-kustomize",
            "kustomize ended by itself (killed by SIGKILL)",
            "nobody applies",
            marks=pytest.mark.thorough,
        ),
    ],
)
def test_a_fault_is_noticed_and_named(demo, fault, said, reason):
    assert demo.start("--until=good", f"--fault={fault}").wait() == 1, reason
    assert "FAILED in step good" in demo.text, reason
    assert said in demo.text, reason
    assert "Everything happened as told" not in demo.text, reason
    assert demo.left == []


def test_what_does_not_happen_in_time_is_named(demo):
    assert demo.start("--until=start", "--within=0.01").wait() == 1
    assert "FAILED in step start: plane was not ready within 0 s" in demo.text
    assert demo.left == []


def test_ctrl_c_ends_everything(demo):
    demo.start("--until=start", "--keep")
    demo.until(lambda: "Press Ctrl-C" in demo.text)
    demo.signal(signal.SIGINT)
    assert demo.wait() == 130
    assert demo.left == []


def test_look_around_and_then_nothing_outlives_a_killed_demo(demo):
    demo.start("--until=deploy", "--keep")
    demo.until(lambda: "Press Ctrl-C" in demo.text)
    kubeconfig = re.search(r"KUBECONFIG=(\S+)", demo.text)[1]
    table = demo.fluvial("get", "-A", f"--kubeconfig={kubeconfig}")
    assert re.search(r"^demo +kustomization/web +\S+ +True +Applied revision", table, re.MULTILINE)
    assert re.search(r"^demo +canary/web +Initialized +0", table, re.MULTILINE)
    none = demo.fluvial("get", "buckets", "-n=demo", f"--kubeconfig={kubeconfig}")
    assert none == "No objects in namespace demo.\n"
    assert demo.left
    demo.signal(signal.SIGKILL)
    demo.wait()
    end = time.monotonic() + 20
    while demo.left:
        assert time.monotonic() < end, demo.left
        time.sleep(0.05)
