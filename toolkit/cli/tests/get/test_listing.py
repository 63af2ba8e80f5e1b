"""Tables as the server sends them, and as they are printed."""

import msgspec
import pytest

from fluvial.cli.get import kind_named
from fluvial.cli.get.listing import Table, laid_out

TABLE = msgspec.convert(
    {
        "columnDefinitions": [
            {"name": "Name", "priority": 0},
            {"name": "Status", "priority": 0},
            {"name": "Interval", "priority": 1},
            {"name": "Weight", "priority": 0},
        ],
        "rows": [
            {"cells": ["web", "Progressing", "2s", 10], "object": {"metadata": {"namespace": "a"}}},
            {"cells": ["api", None, "2s", 0], "object": {"metadata": {"namespace": "bb"}}},
        ],
    },
    Table,
)


def test_columns_line_up_and_wide_ones_are_left_out():
    assert laid_out(TABLE, prefix="canary", everywhere=False).splitlines() == [
        "NAME         STATUS        WEIGHT",
        "canary/web   Progressing   10",
        "canary/api                 0",
    ]


def test_namespaces_come_first():
    assert laid_out(TABLE, prefix="canary", everywhere=True).splitlines()[1:] == [
        "a           canary/web   Progressing   10",
        "bb          canary/api                 0",
    ]


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("kustomizations", "Kustomization", "plural"),
        ("canary", "Canary", "singular"),
        ("ks", "Kustomization", "short name"),
        ("HelmRelease", "HelmRelease", "kind"),
    ],
)
def test_kind_named(name, kind, reason):
    assert kind_named(name).kind == kind, reason


def test_unknown_kind():
    assert kind_named("pods") is None
