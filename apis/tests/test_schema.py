"""How models are written in JSON, and what markers do not do to decoding."""

from typing import Annotated

import msgspec
import pytest

from fluvial.apis.meta import Condition, Image, ObjectMeta, SubstituteReference
from fluvial.apis.schema import Model, Schema, always, defaulted, json_name, unobserved


@pytest.mark.parametrize(
    ("attribute", "name"),
    [
        ("url", "url"),
        ("secret_ref", "secretRef"),
        ("last_handled_reconcile_at", "lastHandledReconcileAt"),
        ("disable_openapi_validation", "disableOpenAPIValidation"),
        ("skip_crds", "skipCRDs"),
        ("disable_tls", "disableTLS"),
        ("match_oidc_identity", "matchOIDCIdentity"),
        ("locality_lb_setting", "localityLbSetting"),
        ("http1_max_pending_requests", "http1MaxPendingRequests"),
        ("consecutive5xx_errors", "consecutive5xxErrors"),
        ("from_", "from"),
    ],
)
def test_spelling(attribute, name):
    assert json_name(attribute) == name


class Status(Model, kw_only=True):
    observed_generation: int = 0


class Example(Model, kw_only=True):
    text: Annotated[str, Schema(pattern="^a$", enum=("a",), min_length=5)] = ""
    flag: bool = False
    count: int = 0
    names: list[str] = []  # noqa: RUF012 -- msgspec gives every instance its own
    optional: int | None = None
    filled: str = defaulted("60s")
    written: int = always(0)
    status: Status = unobserved(Status)


def test_zero_values_are_left_out():
    assert msgspec.to_builtins(Example()) == {
        "filled": "60s",
        "written": 0,
        "status": {"observedGeneration": -1},
    }


def test_a_zero_that_was_said_is_kept_where_absence_differs():
    assert msgspec.to_builtins(Example(optional=0))["optional"] == 0


def test_markers_are_for_the_api_server():
    assert msgspec.convert({"text": "b"}, Example).text == "b"


def test_instances_share_no_default():
    first, second = Example(), Example()
    first.names.append("a")
    first.status.observed_generation = 3
    assert second.names == []
    assert second.status.observed_generation == -1


@pytest.mark.parametrize(
    ("model", "encoded", "reason"),
    [
        (ObjectMeta(), {}, "metadata has nothing that must be there"),
        (Image(name="a", new_tag="1"), {"name": "a", "newTag": "1"}, "camelCase, omitted rest"),
        (
            Condition(type="Ready", status="True", reason="R", message="", last_transition_time=""),
            {"type": "Ready", "status": "True", "reason": "R", "message": "",
             "lastTransitionTime": ""},
            "required fields are written even when empty",
        ),
        (
            SubstituteReference(kind="Secret", name="a"),
            {"kind": "Secret", "name": "a", "optional": False},
            "a default of the CRD is written out",
        ),
    ],
)  # fmt: skip
def test_encoded_as_go_does(model, encoded, reason):
    assert msgspec.to_builtins(model) == encoded, reason
