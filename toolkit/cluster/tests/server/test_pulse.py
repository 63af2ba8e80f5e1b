"""Who follows a resource is woken together, at once after quiet and rarely under load."""

import asyncio

from fluvial.cluster.pulse import LONGEST, Pulse


async def start(pulse, number, woken):
    """Let `number` followers wait for ever, each noting when it is woken."""

    async def follow(name):
        while True:
            await pulse.wait()
            woken.append(name)

    tasks = [asyncio.create_task(follow(name)) for name in range(number)]
    await asyncio.sleep(0)
    return tasks


async def stop(tasks):
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_all_who_wait_are_woken_by_the_first_change():
    pulse, woken = Pulse(), []
    tasks = await start(pulse, 3, woken)
    pulse.wake()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert sorted(woken) == [0, 1, 2]
    await stop(tasks)


async def test_changes_during_the_rest_are_told_in_one_beat_after_it():
    pulse, woken, second = Pulse(), [], asyncio.Event()
    tasks = await start(pulse, 1, woken)
    pulse.wake()
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert woken == [0]
    for _ in range(20):
        pulse.wake()
    async with asyncio.timeout(50 * LONGEST):
        await pulse.wait()  # a second follower, who came during the rest
        second.set()
    await asyncio.sleep(0)
    assert second.is_set()
    assert woken == [0, 0]
    await stop(tasks)


async def test_the_rest_grows_with_the_time_that_the_woken_ones_take():
    pulse, woken = Pulse(), []
    loop = asyncio.get_running_loop()
    times = []

    async def slow():
        while True:
            await pulse.wait()
            times.append(loop.time())
            until = loop.time() + LONGEST / 10
            while loop.time() < until:
                pass  # the work of many

    tasks = [asyncio.create_task(slow()), *await start(pulse, 1, woken)]
    await asyncio.sleep(0)
    async with asyncio.timeout(50 * LONGEST):
        while len(times) < 3:
            pulse.wake()
            await asyncio.sleep(0)
    assert times[2] - times[1] >= 2 * LONGEST / 10
    await stop(tasks)


def test_what_was_due_in_a_loop_that_ended_does_not_stop_the_next_one():
    pulse = Pulse()

    async def leave():
        task = asyncio.create_task(pulse.wait())
        await asyncio.sleep(0)
        pulse.wake()  # never settles: the loop ends first
        task.cancel()

    async def follow():
        woken = []
        tasks = await start(pulse, 1, woken)
        pulse.wake()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await stop(tasks)
        return woken

    asyncio.run(leave())
    assert asyncio.run(follow()) == [0]
