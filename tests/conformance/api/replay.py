"""Replays a recorded case against a server and reports the first difference.

A case is a list of steps as `cases/README.md` describes them; `Replay` holds what placeholders
stand for. Comparison is exact: every member of a body, no more and no less.
"""

import asyncio
import datetime as dt
import io
import json
import re
import secrets
import string
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from tests.conformance.api.hooks import Hooks
from yarl import URL

PLACEHOLDER = re.compile(
    r"\$(ns|group|hookPort|hook|ca|host|age|time|any|rv\d+|uid\d+|gen\d+|ip\d+|nodePort\d+|continue\d+|token\d+)"
)
REPEAT = re.compile(r"\$repeat\((.),(\d+)\)")
PATTERNS = {
    "time": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z",
    "any": r"(?s:.*)",
    "age": r"<invalid>|\d+[smhdy](?:\d+[smhd])?",
    "host": r"[^\s\"/]+",
    "rv": r"\d+",
    "uid": r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
    "gen": r"[-a-z0-9.]+",
    "ip": r"\d+\.\d+\.\d+\.\d+",
    "nodePort": r"\d+",
    "continue": r"[-A-Za-z0-9_=.]+",
    "token": r"[-A-Za-z0-9_=.]+",
}
HEADERS = (
    "Content-Type",
    "Warning",
    "Retry-After",
    "Content-Encoding",
    "Allow",
    "WWW-Authenticate",
)
ADMISSION = "/admissionregistration.k8s.io/"
INVALID_LIST = re.compile(r"^(.*? is invalid: )\[(.*)\]$", re.DOTALL)


TEXT_VERSION = re.compile(r'(?m)^(\s*resourceVersion: )"\d+"$')


def _present() -> str:
    return dt.datetime.now(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class DifferenceError(AssertionError):
    """The server answered otherwise than recorded."""


@dataclass
class Replay:
    """One case under way: `url` and `session` reach the server, `control` does its controls.

    `now` tells the time of the server; `literals` are values that a recording could not but hold
    (the digest of its own client certificate, by a pattern), with those that stand for them here.
    """

    url: str
    session: aiohttp.ClientSession
    anonymous: aiohttp.ClientSession
    control: Any
    now: Callable[[], str] = _present
    literals: dict[str, str] = field(default_factory=dict)
    hooks: Hooks | None = None
    bound: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        letters = "".join(secrets.choice(string.ascii_lowercase) for _ in range(10))
        self.bound["ns"] = letters
        group = "".join(secrets.choice(string.ascii_lowercase) for _ in range(10))
        self.bound["group"] = f"{group}.example.com"
        if self.hooks is not None:
            self.bound["hook"] = f"{self.hooks.url}/{letters}"
            self.bound["hookPort"] = str(self.hooks.port)
            self.bound["ca"] = self.hooks.bundle

    async def run(self, steps: list[Any]) -> None:
        for number, step in enumerate(steps):
            try:
                await self.step(step)
            except DifferenceError as error:
                raise DifferenceError(f"step {number}: {error}") from None

    async def step(self, step: dict[str, Any]) -> None:
        if "request" in step:
            await self.request(step["request"], step["response"])
            if ADMISSION in step["request"]["path"] and step["request"]["method"] != "GET":
                await self.control({"control": "settle"})
        elif "watch" in step:
            await self.watch(step["watch"])
        elif "wait" in step:
            await self.wait(step["wait"])
        elif "until" in step:
            await self.until(step["until"])
        elif step.get("control") == "webhook" and self.hooks is not None:
            self.hooks.script(self.hook_path(step), step)
        elif step.get("control") == "reviews" and self.hooks is not None:
            got = self.hooks.reviews(self.hook_path(step))
            partial = not step.get("whole")
            self.compare(step["reviews"], got, f"reviews at {step['path']}", partial=partial)
        else:
            await self.control(self.expand(step))

    def hook_path(self, step: dict[str, Any]) -> str:
        return f"/{self.bound['ns']}{step['path']}"

    async def until(self, until: dict[str, Any]) -> None:
        """Read until the answer is as expected; what differed last is said when time is up."""
        expected = {"status": 200, "partial": True, **until["response"]}
        before = dict(self.bound)
        end = asyncio.get_running_loop().time() + until.get("seconds", 10)
        while True:
            try:
                await self.request(until, expected)
            except DifferenceError:
                if asyncio.get_running_loop().time() > end:
                    raise
                self.bound = dict(before)
                await asyncio.sleep(0.05)
            else:
                return

    def expand(self, value: Any) -> Any:
        """Return what is to be sent: placeholders replaced by what they stand for."""
        if isinstance(value, dict):
            return {self.expand(key): self.expand(item) for key, item in value.items()}
        if isinstance(value, list):
            return [self.expand(item) for item in value]
        if not isinstance(value, str):
            return value
        value = REPEAT.sub(lambda found: found[1] * int(found[2]), value)
        found = PLACEHOLDER.fullmatch(value)
        if found and found[1].startswith(("nodePort", "hookPort")):
            return int(self.bound[found[1]])
        return PLACEHOLDER.sub(self._known, value)

    def _known(self, found: re.Match[str]) -> str:
        if found[1] == "time":
            return self.now()
        if found[1] not in self.bound:
            raise DifferenceError(f"{found[0]} was never bound")
        return self.bound[found[1]]

    async def send(self, request: dict[str, Any]) -> aiohttp.ClientResponse:
        headers = {"User-Agent": "golden/1.0", "Accept": "application/json"}
        headers.update(self.expand(request.get("headers") or {}))
        body = request.get("body")
        data = None
        if isinstance(body, str):
            data = io.BytesIO(self.expand(body).encode())
        elif body is not None:
            data = io.BytesIO(json.dumps(self.expand(body)).encode())
        bare = request.get("anonymous") or "Authorization" in headers
        session = self.anonymous if bare else self.session
        path = self.expand(request["path"])
        query = {key: str(value) for key, value in self.expand(request.get("query") or {}).items()}
        url = URL(self.url).with_path(path).with_query(query) if query else URL(self.url + path)
        skip = ["Content-Type"] if "Content-Type" not in headers else None
        return await session.request(
            request.get("method", "GET"), url, headers=headers, data=data,
            skip_auto_headers=skip,
        )  # fmt: skip

    async def request(self, request: dict[str, Any], expected: dict[str, Any]) -> None:
        if expected.get("dropped"):
            await self.dropped(request)
            return
        response = await self.send(request)
        async with response:
            raw = await response.read()
            text = raw.decode(errors="replace")
            where = f"{request.get('method')} {request['path']}"
            if response.status != expected["status"]:
                raise DifferenceError(
                    f"{where}: status {response.status}, recorded "
                    f"{expected['status']}: {text[:800]}"
                )
            if "body" not in expected and "headers" not in expected:
                return
            self.headers(response, expected, where)
            self.body(text, expected, where)

    async def dropped(self, request: dict[str, Any]) -> None:
        """Send a request whose connection is to break before the answer is complete."""
        try:
            async with await self.send(request) as response:
                await response.read()
        except aiohttp.ClientError:
            return
        raise DifferenceError(f"{request['path']}: answered {response.status}, not dropped")

    def headers(
        self, response: aiohttp.ClientResponse, expected: dict[str, Any], where: str
    ) -> None:
        if expected.get("partial") or "headers" not in expected:
            return
        for name in HEADERS:
            wanted = expected["headers"].get(name)
            got: Any = response.headers.getall(name, [])
            if name != "Warning":
                got = got[0] if got else None
            elif not got:
                got = None
            self.compare(wanted, got, f"{where} header {name}")

    def body(self, text: str, expected: dict[str, Any], where: str) -> None:
        if "body" not in expected:
            return
        wanted = expected["body"]
        if isinstance(wanted, str):
            # A YAML answer is text, in which the recording did not replace the list's version.
            self.compare(TEXT_VERSION.sub(r"\1", wanted), TEXT_VERSION.sub(r"\1", text), where)
            return
        got = json.loads(text)
        if expected.get("unordered"):
            got = unordered(got)
        self.compare(wanted, got, where, partial=bool(expected.get("partial")))

    def compare(self, wanted: Any, got: Any, path: str, *, partial: bool = False) -> None:
        if isinstance(wanted, dict) and isinstance(got, dict):
            keys = {self.key(key, got, path): item for key, item in wanted.items()}
            for key, item in keys.items():
                if key not in got:
                    raise DifferenceError(f"{path}: lacks {key} (recorded {short(item)})")
                self.compare(item, got[key], f"{path}.{key}", partial=partial)
            extra = set(got) - set(keys)
            if extra and not partial:
                name = min(extra)
                raise DifferenceError(f"{path}: has {name} = {short(got[name])}, not recorded")
            return
        if isinstance(wanted, list) and isinstance(got, list):
            for index, (left, right) in enumerate(zip(wanted, got, strict=False)):
                self.compare(left, right, f"{path}[{index}]", partial=partial)
            if len(wanted) != len(got):
                raise DifferenceError(
                    f"{path}: {len(got)} items, recorded {len(wanted)}: {short(got)}"
                )
            return
        if isinstance(wanted, str):
            for pattern, replacement in self.literals.items():
                wanted = re.sub(pattern, replacement, wanted)
        if isinstance(wanted, str) and "$" in wanted:
            self.placeholders(wanted, got, path)
            return
        if type(wanted) is not type(got) or wanted != got:
            raise DifferenceError(f"{path}: {short(got)}, recorded {short(wanted)}")

    def key(self, key: str, got: dict[str, Any], path: str) -> str:
        if "$" not in key:
            return key
        pattern = self.pattern(key)
        for name in got:
            if re.fullmatch(pattern, name):
                self.placeholders(key, name, path)
                return name
        return key

    def pattern(self, wanted: str) -> str:
        result, at, seen = "", 0, set()
        for found in PLACEHOLDER.finditer(wanted):
            result += re.escape(wanted[at : found.start()])
            at, name = found.end(), found[1]
            stem = name.rstrip("0123456789")
            if name in self.bound:
                result += re.escape(self.bound[name])
            elif name in seen:
                result += f"(?P={name})"
            elif stem in ("time", "any", "age"):
                result += f"(?:{PATTERNS[stem]})"
            else:
                seen.add(name)
                result += f"(?P<{name}>{PATTERNS[stem]})"
        return result + re.escape(wanted[at:])

    def placeholders(self, wanted: str, got: Any, path: str) -> None:
        wanted = REPEAT.sub(lambda found: found[1] * int(found[2]), wanted)
        is_port = wanted.startswith("$nodePort")
        text = str(got) if is_port and isinstance(got, int) else got
        if wanted == "$any":
            return
        if not isinstance(text, str):
            raise DifferenceError(f"{path}: {short(got)}, recorded {wanted}")
        found = re.fullmatch(self.pattern(wanted), text)
        if not found:
            raise DifferenceError(f"{path}: {short(got)}, recorded {short(wanted)} ({self.bound})")
        for name, value in found.groupdict().items():
            self.bind(name, value, path)

    def bind(self, name: str, value: str, path: str) -> None:
        stem = name.rstrip("0123456789")
        for other, known in self.bound.items():
            if other.rstrip("0123456789") == stem and other[len(stem) :]:
                if known == value:
                    raise DifferenceError(f"{path}: ${name} equals ${other} ({value})")
                if stem == "rv":
                    smaller = int(other[2:]) < int(name[2:])
                    if (int(known) < int(value)) != smaller:
                        raise DifferenceError(f"{path}: ${name}={value} against ${other}={known}")
        self.bound[name] = value

    async def wait(self, wait: dict[str, Any]) -> None:
        async with asyncio.timeout(10):
            while True:
                response = await self.send({"path": wait["path"]})
                async with response:
                    body = await response.json(content_type=None)
                if wait["condition"] == "Gone" and response.status == 404:
                    return
                conditions = (body.get("status") or {}).get("conditions") or []
                if any(
                    item["type"] == wait["condition"] and item["status"] == "True"
                    for item in conditions
                ):
                    return
                await asyncio.sleep(0.01)

    async def watch(self, watch: dict[str, Any]) -> None:
        where = f"watch {watch['path']}"
        if "response" in watch:
            await self.request({**watch, "method": "GET"}, watch["response"])
            return
        response = await self.send({**watch, "method": "GET"})
        async with response:
            if response.status != 200:
                raise DifferenceError(f"{where}: status {response.status}: {await response.text()}")
            events = list(watch["events"])
            got: list[Any] = []
            await self._read(response, got, self._initial(watch), look=False)
            for step in watch["during"]:
                await self.step(step)
            closed = await self._read(response, got, len(events), until_closed=watch["closed"])
            self.compare(events, got, where)
            if closed != watch["closed"]:
                raise DifferenceError(f"{where}: closed {closed}, recorded {watch['closed']}")

    def _initial(self, watch: dict[str, Any]) -> int:
        """How many events are there before anything is done: those of objects known already."""
        for index, event in enumerate(watch["events"]):
            notes = event["object"].get("metadata", {}).get("annotations") or {}
            if "k8s.io/initial-events-end" in notes:
                return index + 1
        count = 0
        for event in watch["events"]:
            obj = event["object"]
            version = obj.get("metadata", {}).get("resourceVersion", "")
            if version.removeprefix("$") not in self.bound:
                break
            count += 1
        return count

    async def _read(
        self,
        response: aiohttp.ClientResponse,
        got: list[Any],
        count: int,
        *,
        until_closed: bool = False,
        look: bool = True,
    ) -> bool:
        """Read until there are `count` events (or the end); then look if more comes."""
        while len(got) < count or until_closed:
            try:
                async with asyncio.timeout(12 if until_closed else 5):
                    line = await response.content.readline()
            except TimeoutError:
                if until_closed:
                    return False
                raise DifferenceError(f"only {len(got)} of {count} events: {short(got)}") from None
            if not line:
                return True
            event = json.loads(line)
            if event["type"] == "BOOKMARK" and got and got[-1] == event:
                continue
            got.append(event)
        if not look:
            return False
        try:
            async with asyncio.timeout(0.05):
                line = await response.content.readline()
        except TimeoutError:
            return False
        if line:
            got.append(json.loads(line))
        return not line


def unordered(body: Any) -> Any:
    """Sort what the server gives in no fixed order, as the recording did."""
    if body.get("kind") == "SelfSubjectRulesReview":
        for name in ("resourceRules", "nonResourceRules"):
            rules = body["status"][name]
            rules.sort(key=lambda rule: json.dumps(rule, sort_keys=True))
        return body
    causes = (body.get("details") or {}).get("causes")
    if causes:
        causes.sort(key=lambda c: (c.get("field", ""), c.get("message", ""), c.get("reason", "")))
        found = INVALID_LIST.match(body.get("message", ""))
        if body.get("reason") == "Invalid" and found:
            lines = dict.fromkeys(f"{c.get('field')}: {c.get('message')}" for c in causes)
            body["message"] = f"{found[1]}[{', '.join(lines)}]"
    return body


def short(value: Any) -> str:
    text = json.dumps(value)
    return text if len(text) < 700 else text[:700] + "…"
