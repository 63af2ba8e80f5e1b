"""Servers of `fluvial.toolkit.testing` beside a test that runs processes: in a thread of theirs."""

import asyncio
import contextlib
import threading


@contextlib.contextmanager
def serving(*servers):
    """Run servers while the body runs."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="servers")
    thread.start()

    def wait(work):
        return asyncio.run_coroutine_threadsafe(work, loop).result(30)

    try:
        with contextlib.ExitStack() as stack:
            for server in servers:
                wait(server.__aenter__())
                stack.callback(lambda server=server: wait(server.__aexit__(None, None, None)))
            yield
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
