"""Objects as the cluster's watches bring them."""

import pytest

from fluvial.cli.demo.board import Board


@pytest.fixture
def board():
    return Board()


def canary(phase, weight=0, failed=0):
    return {
        "kind": "Canary",
        "metadata": {"name": "web"},
        "status": {"phase": phase, "canaryWeight": weight, "failedChecks": failed},
    }


def event(message, type="Warning", uid="1", count=1, kind="Canary"):
    return {
        "kind": "Event",
        "metadata": {"name": f"web.{uid}", "uid": uid},
        "involvedObject": {"kind": kind, "name": "web"},
        "type": type,
        "message": message,
        "count": count,
    }


@pytest.fixture
def make_canary():
    return canary


@pytest.fixture
def make_event():
    return event
