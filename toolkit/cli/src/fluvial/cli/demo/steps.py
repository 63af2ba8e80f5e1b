"""The steps of the demo, each with what it does and what must be seen."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

import aiohttp

from fluvial.apis.ids import Unstructured
from fluvial.apis.kinds import GIT_REPOSITORY, HELM_RELEASE, KUSTOMIZATION
from fluvial.cli.demo.board import Board, condition
from fluvial.cli.demo.errors import StepFailed
from fluvial.cli.demo.options import Options, Step
from fluvial.cli.demo.processes import Crew
from fluvial.cli.demo.project import BAD, FIRST, GOOD, NEW_CONFIG, Project, Version
from fluvial.cli.demo.release import Release
from fluvial.cli.demo.screen import Screen
from fluvial.cluster.load import Load
from fluvial.toolkit import Client, Resource
from fluvial.toolkit.client import resource_of_kind

__all__ = ["BANNER_HOST", "HOST", "NAMESPACE", "Steps"]

NAMESPACE: Final = "demo"
HOST: Final = "web.example"
BANNER_HOST: Final = "banner.example"

T = TypeVar("T")

_NAMESPACES: Final = Resource("", "v1", "namespaces", "Namespace", namespaced=False)
_MANAGER: Final = "fluvial-demo"
_GIT: Final = resource_of_kind(GIT_REPOSITORY)
_KUSTOMIZATION: Final = resource_of_kind(KUSTOMIZATION)
_RELEASE: Final = resource_of_kind(HELM_RELEASE)
_SETTLED: Final = frozenset({"Initialized", "Succeeded", "Failed"})
_LOOK: Final = 1.0
"""Seconds over which users are looked at after a verdict."""

_TICKS: Final = 2.5
"""Seconds in which the canary controller would have begun a release."""


class Steps:
    """Does the steps after the start; `releases` has what was pushed so far."""

    def __init__(
        self,
        options: Options,
        *,
        client: Client,
        board: Board,
        project: Project,
        crew: Crew,
        screen: Screen,
    ) -> None:
        self._options = options
        self._client = client
        self._board = board
        self._project = project
        self._crew = crew
        self._screen = screen
        self._asked = 0
        self.releases: list[Release] = []
        self.load: Load | None = None
        self.present: Version = FIRST

    async def deploy(self, metrics_url: str) -> str:
        """Apply a source, a Kustomization and a HelmRelease; returns the gateway's address."""
        revision = await self._project.push(FIRST, "The first version")
        self._screen.line(f"pushed {revision[:22]}… to {self._project.url}")
        await self._apply(_NAMESPACES, NAMESPACE, {})
        await self._apply(_GIT, "app", {"url": self._project.url, "ref": {"branch": "main"}})
        reference = {"kind": "GitRepository", "name": "app"}
        kustomization = {
            "sourceRef": reference,
            "path": "./apps/demo",
            "prune": True,
            "targetNamespace": NAMESPACE,
            "postBuild": {"substitute": {"metrics_server": metrics_url}},
        }
        await self._apply(_KUSTOMIZATION, "web", kustomization)
        chart = {"chart": "./charts/banner", "sourceRef": reference, "interval": "10m"}
        values = {"message": "Charts welcome", "host": BANNER_HOST}
        await self._apply(_RELEASE, "banner", {"chart": {"spec": chart}, "values": values})
        await self._ready("GitRepository", "app")
        await self._ready("Kustomization", "web")
        address = await self._expect(
            self._address, "the Gateway has an address", "Gateway", "front"
        )
        await self._ready("HelmRelease", "banner")
        await self._expect(
            lambda: True if self._phase() == "Initialized" else None,
            "the Canary is initialized",
            "Canary",
            "web",
        )
        self._screen.line("Canary web is Initialized: users are served by its primary")
        await self._serves(address, HOST, FIRST.tag)
        await self._serves(address, BANNER_HOST, "Charts welcome")
        return address

    async def good(self) -> None:
        """Push a good version; it must reach all users."""
        await self._break()
        tag = GOOD.tag if self._options.fault != "metrics-off" else "1.1.0-silent"
        version = Version(
            tag=tag, metrics="off" if self._options.fault == "metrics-off" else GOOD.metrics
        )
        release = await self._push("A good version", version, "Version 1.1.0")
        await self._verdict(release, "Succeeded")
        await self._users_have(version)

    async def bad(self) -> None:
        """Push a version that fails one request in five; users must keep the good one."""
        release = await self._push("A bad version", BAD, "Version 1.2.0, one request in five fails")
        await self._verdict(release, "Failed")
        if not any(note.type == "Warning" for note in release.notes(self._board)):
            raise StepFailed("rolled back without a failed check", process="canary")
        await self._users_have(GOOD)

    async def config(self) -> None:
        """Take the bad version back, then change only a ConfigMap: that is released, too."""
        revert = await self._push("The bad version taken back", GOOD, "Revert to version 1.1.0")
        await self._undisturbed(revert)
        release = await self._push("Only a ConfigMap", NEW_CONFIG, "Another greeting")
        await self._verdict(release, "Succeeded")
        await self._users_have(NEW_CONFIG)

    def plan(self) -> list[tuple[Step, str, Callable[[], Awaitable[None]]]]:
        """Return the steps that push, with their titles, as far as they are wanted."""
        every: list[tuple[Step, str, Callable[[], Awaitable[None]]]] = [
            ("good", "A good version: 10 %, 50 %, promoted", self.good),
            ("bad", "A bad version: one request in five fails", self.bad),
            ("config", "Only a ConfigMap changes", self.config),
        ]
        return [entry for entry in every if self._options.includes(entry[0])]

    async def _push(self, title: str, version: Version, message: str) -> Release:
        """Commit and push, ask for a reconciliation, and wait until it is applied."""
        board = self._board
        since, said = len(board.stages), len(board.notes)
        revision = await self._project.push(version, message)
        release = Release(title, version, revision, since, said)
        self.releases.append(release)
        self._screen.line(f"pushed {revision[:22]}…: {message}")
        await self._ask()
        release.artifact = await self._reached("GitRepository", "app", revision)
        self._screen.line(f"artifact after {release.artifact - release.pushed:.2f} s")
        release.applied = await self._reached("Kustomization", "web", revision)
        self._screen.line(f"applied after {release.applied - release.pushed:.2f} s")
        return release

    async def _ask(self) -> None:
        """Ask the source to look now, as a webhook receiver does."""
        self._asked += 1
        token = {"reconcile.fluxcd.io/requestedAt": f"demo-{self._asked}"}
        await self._client.patch(_GIT, "app", {"metadata": {"annotations": token}}, NAMESPACE)

    async def _reached(self, kind: str, name: str, revision: str) -> float:
        what = f"{kind} {name} is at {revision[:22]}…"
        return await self._expect(lambda: self._board.first.get((kind, revision)), what, kind, name)

    async def _verdict(self, release: Release, wanted: str) -> None:
        """Wait for the canary's verdict on a release, and tell its stages as they come."""
        teller = _Teller(self._screen, release, self._board)

        def decided() -> str | None:
            teller.tell()
            stages = release.stages(self._board)
            began = any(stage.phase == "Progressing" for stage in stages)
            phase = stages[-1].phase if stages else ""
            return phase if began and phase in _SETTLED else None

        phase = await self._expect(decided, f"the Canary is {wanted}", "Canary", "web")
        release.decided = self._board.stages[-1].at
        release.verdict = {"Succeeded": "promoted", "Failed": "rolled back"}.get(phase, phase)
        if phase != wanted:
            warnings = [n.message for n in release.notes(self._board) if n.type == "Warning"]
            said = "; ".join(warnings[-3:]) or "nothing"
            raise StepFailed(
                f"the Canary is {phase}, not {wanted}; it said: {said}",
                process="canary",
            )
        weights = [stage.weight for stage in release.stages(self._board)]
        steps = [10, 50] if wanted == "Succeeded" else [10]
        if missing := [weight for weight in steps if weight not in weights]:
            raise StepFailed(f"no users were ever sent at weight {missing}", process="canary")
        took = release.decided - release.pushed
        self._screen.line(f"{release.verdict} {took:.1f} s after the push")

    async def _undisturbed(self, release: Release) -> None:
        """Check that nothing is released: users have that version already."""
        start = time.monotonic()
        await asyncio.sleep(_TICKS)
        phases = {stage.phase for stage in release.stages(self._board)}
        if "Progressing" in phases:
            raise StepFailed("a version that users have was released again", process="canary")
        release.decided = time.monotonic()
        release.verdict = "nothing to release, users have it"
        self._screen.line(f"{release.verdict}; looked for {release.decided - start:.1f} s")

    async def _users_have(self, version: Version) -> None:
        """Check that from now on all users get that version, and good answers only."""
        assert self.load is not None, "traffic flows since the deploy step"
        self.present = version
        start = time.monotonic()
        await asyncio.sleep(_LOOK)
        tally = self.load.between(start)
        if tally.requests == 0 or tally.failures or tally.share(version.label) < 100:
            raise StepFailed(
                f"all users should have {version.label!r}; of {tally.requests} requests"
                f" {tally.failures} failed, the others got {tally.versions}",
                process="plane",
            )
        self._screen.line(f"all users have {version.label!r}, no request fails")

    async def _break(self) -> None:
        """Do what `--fault` asks for."""
        fault = self._options.fault
        if fault == "push-refused":
            await self._project.refuse_pushes()
        elif fault.startswith("kill-"):
            self._crew.kill(fault.removeprefix("kill-"))

    async def _apply(self, resource: Resource, name: str, spec: Unstructured) -> None:
        obj: Unstructured = {
            "apiVersion": resource.api_version,
            "kind": resource.kind,
            "metadata": {"name": name},
        }
        namespace = NAMESPACE if resource.namespaced else None
        if resource.namespaced:
            obj["metadata"]["namespace"] = NAMESPACE
            obj["spec"] = {"interval": "10m", **spec}
        await self._client.patch(
            resource, name, obj, namespace, type="apply", field_manager=_MANAGER
        )

    async def _ready(self, kind: str, name: str) -> None:
        def ready() -> str | None:
            found = condition(self._board.get(kind, name), "Ready")
            return (found.get("message") or "ready") if found.get("status") == "True" else None

        message = await self._expect(ready, f"{kind} {name} is Ready", kind, name)
        self._screen.line(f"{kind} {name} is Ready: {message.splitlines()[0][:90]}")

    def _address(self) -> str | None:
        gateway = self._board.get("Gateway", "front")
        addresses = (gateway.get("status") or {}).get("addresses") or []
        programmed = condition(gateway, "Programmed").get("status") == "True"
        if not addresses or not programmed:
            return None
        return f"http://{addresses[0]['value']}:{gateway['spec']['listeners'][0]['port']}/"

    def _phase(self) -> str:
        return (self._board.get("Canary", "web").get("status") or {}).get("phase") or ""

    async def _serves(self, address: str, host: str, wanted: str) -> None:
        """Wait until a page under that name answers 200 and contains a text."""
        end, seen = time.monotonic() + self._options.within, "no answer"
        timeout = aiohttp.ClientTimeout(total=2)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            while time.monotonic() < end:
                try:
                    async with session.get(address, headers={"Host": host}) as response:
                        seen = f"{response.status} {(await response.text()).strip()[:200]}"
                        if response.status == 200 and wanted in seen:
                            self._screen.line(f"{host} through Envoy: {seen}")
                            return
                except (aiohttp.ClientError, TimeoutError) as error:
                    seen = str(error)
                await asyncio.sleep(0.05)
        raise StepFailed(
            f"{host} at {address} should say {wanted!r}; seen: {seen}", process="plane"
        )

    async def _expect(self, holds: Callable[[], T | None], what: str, kind: str, name: str) -> T:
        return await self._board.until(holds, what, kind, name, within=self._options.within)


class _Teller:
    """Tells each stage and each warning of a release once."""

    def __init__(self, screen: Screen, release: Release, board: Board) -> None:
        self._screen = screen
        self._release = release
        self._board = board
        self._stages = release.since
        self._notes = release.said

    def tell(self) -> None:
        """Print what is new."""
        for stage in self._board.stages[self._stages :]:
            checks = f", {stage.failed} failed checks" if stage.failed else ""
            self._screen.line(f"canary: {stage.phase}, {stage.weight} % of users{checks}")
        for note in self._board.notes[self._notes :]:
            if note.type == "Warning":
                self._screen.line(f"canary says: {note.message}")
        self._stages, self._notes = len(self._board.stages), len(self._board.notes)
