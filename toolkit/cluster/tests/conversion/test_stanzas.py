"""`spec.conversion` of a definition: what may stand there."""

import base64

import pytest

from fluvial.cluster.errors import StatusError

DEFINITIONS = "apiextensions.k8s.io/v1/customresourcedefinitions"
SERVICE = {"name": "s", "namespace": "n"}
PATH = "spec.conversion"
CASES = [
    ({"strategy": "Some"}, [f'{PATH}.strategy: Unsupported value: "Some": supported values: "None"',
                            f"{PATH}.webhookClientConfig: Forbidden: should not be set when",
                            f"{PATH}.conversionReviewVersions: Forbidden: should not be set when"],
     "two strategies"),
    ({"strategy": "None", "webhook": None}, [], "names differ"),
    ({"webhook": None}, [f"{PATH}.webhookClientConfig: Required value: required when strategy is",
                         f"{PATH}.conversionReviewVersions: Required value"], "a webhook is named"),
    ({"client": {}}, [f"{PATH}.webhookClientConfig: Required value: exactly one of url or serv"],
     "somewhere"),
    ({"client": {"url": "https://a/", "service": SERVICE}},
     [f"{PATH}.webhookClientConfig: Required value: exactly one of url or serv"], "one place"),
    ({"client": {"url": "http://a/?x#y"}},
     [(f"{PATH}.webhookClientConfig.url: Invalid value: \"http\": 'https' is the only allowed URL "
      "scheme; desired format: https://host[/path]"),
      f'{PATH}.webhookClientConfig.url: Invalid value: "y": fragments are not permitted in the URL',
      f'{PATH}.webhookClientConfig.url: Invalid value: "x": query parameters are not permitted'],
     "a plain address"),
    ({"client": {"service": {"name": "s", "port": 70000}}},
     [f"{PATH}.webhookClientConfig.service.name: Required value: service name is required",
      f"{PATH}.webhookClientConfig.service.port: Invalid value: 70000: port is not valid"],
     "upstream names the place of a missing namespace so"),
    ({"client": {"service": {**SERVICE, "path": "/a//B"}}},
     [f'{PATH}.webhookClientConfig.service.path: Invalid value: "/a//B": segment[1] may not be',
      f'{PATH}.webhookClientConfig.service.path: Invalid value: "/a//B": segment[2]: a lowercase'],
     "segments are subdomains"),
    ({"versions": ["v0"]},
     [f'{PATH}.conversionReviewVersions: Invalid value: ["v0"]: must include at least one of v1'],
     "a review that can be sent"),
    ({"versions": ["v1", "v1"]},
     [f'{PATH}.conversionReviewVersions[1]: Invalid value: "v1": duplicate version'], "once"),
    ({"client": {"url": "https://a/", "caBundle": base64.b64encode(b"none").decode()}}, [],
     "a new definition may have a bundle that is none"),
]  # fmt: skip


def stanza(definition, changed):
    webhook = {"clientConfig": changed.get("client", {"service": dict(SERVICE)}),
               "conversionReviewVersions": changed.get("versions", ["v1"])}  # fmt: skip
    made = definition()
    made["spec"]["conversion"] = {
        "strategy": changed.get("strategy", "Webhook"), "webhook": changed.get("webhook", webhook),
    }  # fmt: skip
    return made


def shown(error):
    return [f"{cause['field']}: {cause['message']}" for cause in error.details["causes"]]


@pytest.mark.parametrize(("changed", "causes", "reason"), CASES)
async def test_a_conversion_is_checked(api, definition, changed, causes, reason):
    made = stanza(definition, changed)
    if not causes:
        await api.create(made)
        return
    with pytest.raises(StatusError) as error:
        await api.create(made)
    found = shown(error.value)
    assert len(found) == len(causes), (reason, found)
    for one, expected in zip(found, causes, strict=True):
        assert one.startswith(expected), reason


async def test_the_port_of_a_service_is_443(api, definition):
    made = await api.create(stanza(definition, {}))
    assert made["spec"]["conversion"]["webhook"]["clientConfig"]["service"]["port"] == 443


async def test_a_bundle_that_was_good_stays_good(api, registrar, definition, converter):
    await api.create(definition())
    registrar.step()
    bundle = base64.b64encode(b"none").decode()
    webhook = {"clientConfig": {"caBundle": bundle}}
    change = {"spec": {"conversion": {"webhook": webhook}}}
    with pytest.raises(StatusError) as error:
        await api.patch_merge(DEFINITIONS, None, "widgets.example.com", change)
    assert shown(error.value) == [
        (
            f'{PATH}.webhookClientConfig.caBundle: Invalid value: "{bundle}": unable to load root '
            "certificates: unable to parse bytes as PEM block"
        )
    ]
