"""The output of a pod's containers, from the files that the node writes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from fluvial.cluster import fielderrors
from fluvial.cluster.endpoints import Endpoints, Target
from fluvial.cluster.errors import bad_request, invalid, not_implemented
from fluvial.cluster.http import queries
from fluvial.cluster.objects import Object

__all__ = ["serve"]

SIMULATED = (
    b"[fluvial] this container is simulated: it runs no process and prints nothing. "
    b"Images that run are listed in docs/embedded-workloads.md\n"
)
"""The log of a container without a process."""
POLL = 0.2
"""Seconds between two looks at a file that is followed."""


def _container(pod: Object, wanted: str) -> str:
    names = [item["name"] for item in pod["spec"].get("containers") or []]
    every = names + [item["name"] for item in pod["spec"].get("initContainers") or []]
    if wanted and wanted not in every:
        raise bad_request(f"container {wanted} is not valid for pod {pod['metadata']['name']}")
    if wanted:
        return wanted
    if len(names) != 1:
        shown = " ".join(names)
        raise bad_request(
            f"a container name must be specified for pod {pod['metadata']['name']}, choose one "
            f"of: [{shown}]"
        )
    return str(names[0])


def _check_options(query: Mapping[str, str]) -> None:
    """Refuse options that need the time of each line, which nobody notes."""
    for name in ("sinceSeconds", "sinceTime"):
        if query.get(name):
            raise not_implemented(f"the option {name} of logs", "use tailLines (--tail)")
    if queries.flag(query, "timestamps"):
        raise not_implemented("the option timestamps of logs", "leave it out")


def _bytes(query: Mapping[str, str]) -> int | None:
    """Read limitBytes."""
    text = query.get("limitBytes", "")
    if not text:
        return None
    if not text.isdigit() or int(text) < 1:
        cause = fielderrors.invalid("limitBytes", text, "must be greater than 0")
        raise invalid("", "PodLogOptions", "", [cause])
    return int(text)


def _check_state(pod: Object, container: str, *, previous: bool) -> None:
    """Refuse the log of a container that never ran, in the words of a kubelet."""
    status, name = pod.get("status") or {}, pod["metadata"]["name"]
    every = [
        *(status.get("containerStatuses") or []),
        *(status.get("initContainerStatuses") or []),
    ]
    found: Object = next((each for each in every if each["name"] == container), {})
    if previous:
        if not (found.get("lastState") or {}).get("terminated"):
            raise bad_request(
                f'previous terminated container "{container}" in pod "{name}" not found'
            )
        return
    waiting = (found.get("state") or {}).get("waiting")
    if waiting is None or (found.get("lastState") or {}).get("terminated"):
        return
    why = waiting.get("reason", "")
    if why in ("ErrImagePull", "ImagePullBackOff", "InvalidImageName"):
        why = "trying and failing to pull image"
    raise bad_request(f'container "{container}" in pod "{name}" is waiting to start: {why}')


def _tail(data: bytes, lines: str | None) -> bytes:
    if lines is None:
        return data
    kept = data.splitlines(keepends=True)
    count = int(lines)
    return b"".join(kept[-count:]) if count else b""


async def serve(
    request: web.BaseRequest, endpoints: Endpoints, target: Target, closing: asyncio.Event
) -> web.StreamResponse:
    """Answer a request for a log; `follow` goes on until the pod is gone or the server closes."""
    pod = endpoints.access.view(target.resource, endpoints.access.find(target))
    container = _container(pod, request.query.get("container", ""))
    _check_options(request.query)
    if not pod["spec"].get("nodeName") or endpoints.log_path is None:
        return web.Response(status=204)
    previous = bool(queries.flag(request.query, "previous"))
    _check_state(pod, container, previous=previous)
    path = endpoints.log_path(target.namespace, target.name, container, previous=previous)
    limit = _bytes(request.query)
    response = web.StreamResponse(headers={"Content-Type": "text/plain"})
    response.enable_chunked_encoding()
    await response.prepare(request)
    follow = bool(queries.flag(request.query, "follow"))
    offset = 0
    while True:
        data = await asyncio.to_thread(_read, path, offset)
        if data:
            shown = _tail(data, request.query.get("tailLines")) if offset == 0 else data
            shown = shown[:limit]
            await response.write(shown)
            offset += len(data)
            limit = None if limit is None else limit - len(shown)
        gone = endpoints.store.get(target.resource.prefix, target.key) is None
        if not follow or gone or closing.is_set() or limit == 0:
            break
        await asyncio.sleep(POLL)
    await response.write_eof()
    return response


def _read(path: Path | None, offset: int) -> bytes:
    if path is None:
        return b"" if offset else SIMULATED
    with path.open("rb") as file:
        file.seek(offset)
        return file.read()
