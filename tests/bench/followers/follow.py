"""A process that holds watches open and reads them: `python follow.py FOLDER URL PATH...`.

One watch per PATH, over TLS with the certificates in FOLDER. Prints a line when all are open; at
the end of its standard input the newest object version that each watch has seen, as JSON. Reads raw
bytes into one place: an HTTP client would take more of the machine than the server that is
measured.
"""

import asyncio
import json
import re
import ssl
import sys
from pathlib import Path

VERSION = re.compile(rb'(\d+)"')
MARK = b'"resourceVersion":"'
OVERLAP, ROOM = 64, 1 << 16


class Follower(asyncio.BufferedProtocol):
    """Reads one watch. `opened` is set by its first bytes."""

    def __init__(self) -> None:
        self.opened = asyncio.Event()
        self.newest = 0
        self._buffer = bytearray(OVERLAP + ROOM)
        self._room = memoryview(self._buffer)[OVERLAP:]

    def get_buffer(self, _: int) -> memoryview:
        """Return where to read to: behind the end of what was read before."""
        return self._room

    def buffer_updated(self, count: int) -> None:
        """Keep the newest version in what came, which may begin in what came before."""
        self.opened.set()
        end = OVERLAP + count
        place = self._buffer.rfind(MARK, 0, end)
        found = VERSION.match(self._buffer, place + len(MARK), end) if place >= 0 else None
        if found:
            self.newest = max(self.newest, int(found[1]))
        self._buffer[:OVERLAP] = self._buffer[end - OVERLAP : end]


async def follow(folder: Path, url: str, paths: list[str]) -> None:
    """Open the watches, and read until standard input ends."""
    context = ssl.create_default_context(cafile=folder / "ca.crt")
    context.load_cert_chain(folder / "client-certificate-data", folder / "client-key-data")
    host, _, port = url.removeprefix("https://").partition(":")
    loop, followers = asyncio.get_running_loop(), []
    for path in paths:
        transport, follower = await loop.create_connection(Follower, host, int(port), ssl=context)
        transport.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
        await follower.opened.wait()
        followers.append(follower)
    print("open", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    print(json.dumps([follower.newest for follower in followers]))


if __name__ == "__main__":
    asyncio.run(follow(Path(sys.argv[1]), sys.argv[2], sys.argv[3:]))
