import base64

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from fluvial.apis.decoding import decode
from fluvial.apis.kinds import CANARY
from fluvial.canary.alerts import Alerts, body_of
from fluvial.toolkit import logger
from fluvial.toolkit.client import Client
from fluvial.toolkit.extensions import Alert
from fluvial.toolkit.testing import FakeApi


class Chat:
    def __init__(self) -> None:
        self.status = 200
        self.posts: list[tuple[str, dict, dict]] = []
        app = web.Application()
        app.router.add_post("/{path:.*}", self._receive)
        self.server = TestServer(app)

    def url(self, path):
        return str(self.server.make_url(path))

    async def _receive(self, request):
        self.posts.append((request.path_qs, await request.json(), dict(request.headers)))
        return web.Response(status=self.status, text="rate limited" if self.status > 299 else "")


@pytest.fixture
async def chat():
    chat = Chat()
    await chat.server.start_server()
    yield chat
    await chat.server.close()


@pytest.fixture
async def api():
    async with FakeApi() as api:
        yield api


@pytest.fixture
async def alerts(api):
    async with Client(api.config) as client, aiohttp.ClientSession() as session:
        yield Alerts(client, session, logger("canary"), cluster="east")


@pytest.fixture
def provider(api):
    def put(name, **spec):
        obj = {"apiVersion": "flagger.app/v1beta1", "kind": "AlertProvider"}
        api.put(obj | {"metadata": {"name": name, "namespace": "test"}, "spec": spec})

    return put


@pytest.fixture
def secret(api):
    def put(**data):
        coded = {key: base64.b64encode(value.encode()).decode() for key, value in data.items()}
        metadata = {"name": "hook", "namespace": "test"}
        api.put({"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "data": coded})

    return put


def canary(*severities, **analysis):
    listed = [
        {"name": f"a{n}", "severity": severity, "providerRef": {"name": f"p{n}"}}
        for n, severity in enumerate(severities)
    ]
    spec = {
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "podinfo"},
        "analysis": {"interval": "1m", "threshold": 3, "alerts": listed, **analysis},
    }
    metadata = {"name": "podinfo", "namespace": "test"}
    obj = {"apiVersion": "flagger.app/v1beta1", "kind": "Canary", "metadata": metadata}
    return decode(CANARY, obj | {"spec": spec})


ALERT = Alert("podinfo.test", "Rolled back <b>", "error", (("Target", "a < b"),), "bot", "ops")


@pytest.mark.parametrize(
    ("type", "severity", "colour"),
    [
        ("slack", "info", "good"),
        ("slack", "warn", "good"),
        ("discord", "error", "danger"),
        ("rocket", "info", "#0076D7"),
        ("rocket", "error", "#FF0000"),
    ],
)
def test_slacks_form(type, severity, colour):
    alert = Alert("podinfo.test", "hello", severity, (("Target", "x"),), "bot", "ops")
    assert body_of(type, alert) == {
        "channel": "ops",
        "username": "bot",
        "icon_url": "",
        "icon_emoji": ":rocket:",
        "attachments": [
            {
                "color": colour,
                "author_name": "podinfo.test",
                "text": "hello",
                "mrkdwn_in": ["text"],
                "fields": [{"title": "Target", "value": "x", "short": False}],
            }
        ],
    }


def test_a_card_for_teams():
    section = {
        "activityTitle": "Rolled back <b>",
        "activitySubtitle": "podinfo.test",
        "facts": [{"name": "Target", "value": "a < b"}],
    }
    assert body_of("msteams", ALERT) == {
        "@type": "MessageCard",
        "@context": "http://schema.org/extensions",
        "themeColor": "FF0000",
        "summary": "podinfo.test",
        "sections": [section],
    }


def test_a_card_for_google_chat_shows_texts_as_they_are():
    (card,) = body_of("gchat", ALERT)["cards"]
    assert card["header"]["subtitle"] == "podinfo.test"
    texts = [section["widgets"][0]["textParagraph"]["text"] for section in card["sections"]]
    assert texts == [
        "<font color=#848484><strong>Rolled back &lt;b&gt;</strong></font>",
        "Target<br><font color=#848484><strong>a &lt; b</strong></font>",
    ]


@pytest.mark.parametrize(
    ("severity", "told", "reason"),
    [
        ("info", ["/p0", "/p3"], "only those who want everything"),
        ("warn", ["/p0", "/p1", "/p3"], "and those who want warnings"),
        ("error", ["/p0", "/p1", "/p2", "/p3"], "everybody"),
    ],
)
async def test_who_is_told(chat, alerts, provider, severity, told, reason):  # noqa: PLR0917 - a table
    for n in range(4):
        provider(f"p{n}", type="slack", address=chat.url(f"/p{n}"))
    await alerts.send(canary("info", "warn", "error", ""), "m", severity)
    assert [path for path, _, _ in chat.posts] == told, reason


@pytest.mark.parametrize(
    ("analysis", "routing"),
    [
        ({"stepWeight": 10, "maxWeight": 50}, "Weight step: 10 max: 50"),
        ({"stepWeights": [5, 20]}, "Weight steps: 5,20 max: 0"),
        ({"iterations": 5}, "Blue/Green"),
        ({"iterations": 5, "match": [{"headers": {"x": {"exact": "1"}}}]}, "A/B Testing"),
    ],
)
async def test_metadata(chat, alerts, provider, analysis, routing):
    provider("p0", type="msteams", address=chat.url("/"))
    await alerts.send(canary("info", **analysis), "m", "info", metadata=True)
    facts = {fact["name"]: fact["value"] for fact in chat.posts[0][1]["sections"][0]["facts"]}
    assert facts == {
        "Cluster": "east",
        "Target": "Deployment/podinfo.test",
        "Failed checks threshold": "3",
        "Progress deadline": "600s",
        "Traffic routing": routing,
    }


async def test_names_have_defaults(chat, alerts, provider):
    provider("p0", type="slack", address=chat.url("/"))
    await alerts.send(canary("info"), "m", "info")
    body = chat.posts[0][1]
    assert (body["username"], body["channel"]) == ("flagger", "general")


@pytest.mark.parametrize(("type", "authorized"), [("slack", "Bearer t0"), ("discord", None)])
async def test_a_secret_has_the_address_and_slacks_token(  # noqa: PLR0917 - a table
    chat, alerts, provider, secret, type, authorized
):
    secret(address=chat.url("/hook?x=1") + "\n", token="t0")
    provider("p0", type=type, secretRef={"name": "hook"})
    await alerts.send(canary("info"), "m", "info")
    ((path, _, headers),) = chat.posts
    assert path == ("/hook?x=1" if type == "slack" else "/hook/slack?x=1")
    assert headers.get("Authorization") == authorized


async def test_a_proxy_is_used(chat, alerts, provider):
    provider("p0", type="slack", address="http://chat.example.com/hook", proxy=chat.url("/"))
    await alerts.send(canary("info"), "m", "info")
    assert chat.posts[0][2]["Host"] == "chat.example.com"


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"type": "slack", "address": "hooks/secret-part"}, "the address is no http or https URL"),
        ({"type": "slack", "secretRef": {"name": "hook"}}, "secret hook does not contain an addr"),
        ({"type": "slack", "secretRef": {"name": "gone"}}, 'secrets "gone" not found'),
        ({"type": "slack", "address": "http://127.0.0.1:1/secret-part"}, "no connection to"),
        ({"type": "pager", "address": "http://127.0.0.1:1/"}, "spec.type 'pager' is not supported"),
    ],
)
async def test_what_cannot_be_sent_is_logged_without_the_address(  # noqa: PLR0917 - a table
    chat, alerts, provider, secret, caplog, spec, reason
):
    secret(token="t0")
    provider("p0", **spec)
    provider("p1", type="slack", address=chat.url("/p1"))
    await alerts.send(canary("info", "info"), "m", "info")
    assert [path for path, _, _ in chat.posts] == ["/p1"]
    logged = " ".join(f"{record.getMessage()} {vars(record)}" for record in caplog.records)
    assert reason in logged
    assert "secret-part" not in logged


async def test_a_refusal_is_logged(chat, alerts, provider, caplog):
    chat.status = 429
    provider("p0", type="slack", address=chat.url("/"))
    await alerts.send(canary("info"), "m", "info")
    assert any("answer 429: rate limited" in str(vars(record)) for record in caplog.records)


async def test_a_canary_without_alerts_asks_nobody(api, alerts):
    await alerts.send(canary(), "m", "error")
    assert api.requests == []


async def test_a_notifier_of_an_extension(chat, alerts, provider, distribution):
    source = """
def page(alert):
    if alert.message == "m":
        return {"page": alert.subject, "how": alert.severity}
    raise LookupError("no such page")
"""
    distribution(source, "fluvial.notifiers", "pager", "page")
    provider("p0", type="pager", address=chat.url("/p0"))
    await alerts.send(canary("info"), "m", "info")
    await alerts.send(canary("info"), "another", "info")
    assert [body for _, body, _ in chat.posts] == [{"page": "podinfo.test", "how": "info"}]
