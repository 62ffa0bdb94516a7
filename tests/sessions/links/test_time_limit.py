"""A limit for many waits behaves as a timeout of its own for each."""

import asyncio

import pytest

from sessions.links.time_limit import TimeLimit


def run(coroutine):
    return asyncio.run(coroutine)


def now():
    return asyncio.get_running_loop().time()


def test_what_is_in_time_passes():
    async def main():
        limit = TimeLimit()
        with limit.until(now() + 10):
            return await asyncio.sleep(0, "done")

    assert run(main()) == "done"


@pytest.mark.parametrize("before", [None, 0.001, 10])
def test_what_takes_too_long_is_ended(before):
    """Whatever limit an earlier wait had."""

    async def main():
        limit, begin = TimeLimit(), now()
        with limit.until(None if before is None else now() + before):
            await asyncio.sleep(0)
        with pytest.raises(TimeoutError), limit.until(begin + 0.03):
            await asyncio.sleep(10)
        assert now() >= begin + 0.03
        assert asyncio.current_task().cancelling() == 0
        with limit.until(now() + 10):
            return await asyncio.sleep(0.001, "next")

    assert run(main()) == "next"


def test_no_limit():
    async def main():
        limit = TimeLimit()
        with limit.until(now() + 0.005):
            await asyncio.sleep(0)
        with limit.until(None):
            await asyncio.sleep(0.02)

    run(main())


def test_a_limit_in_the_past_ends_only_what_waits():
    async def main():
        limit = TimeLimit()
        with limit.until(now() - 1):
            passed = "at once"
        with pytest.raises(TimeoutError), limit.until(now() - 1):
            await asyncio.sleep(10)
        return passed

    assert run(main()) == "at once"


def test_somebody_elses_cancellation_goes_on():
    async def wait(limit):
        with limit.until(now() + 10):
            await asyncio.sleep(10)

    async def main():
        task = asyncio.create_task(wait(TimeLimit()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_both_at_once_is_a_cancellation():
    async def wait(limit):
        with limit.until(now() + 10):
            await asyncio.sleep(10)

    async def main():
        limit = TimeLimit()
        task = asyncio.create_task(wait(limit))
        await asyncio.sleep(0)
        limit._set_for = limit._due
        limit._look()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(main())


def test_an_outer_timeout_ends_it():
    async def main():
        limit = TimeLimit()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.01):
                with limit.until(now() + 10):
                    await asyncio.sleep(10)
        with limit.until(now() + 10):
            await asyncio.sleep(0)

    run(main())


def test_another_error_is_left_alone():
    async def main():
        limit = TimeLimit()
        with pytest.raises(ZeroDivisionError), limit.until(now() + 10):
            raise ZeroDivisionError

    run(main())


def test_two_tasks_do_not_meet():
    async def wait(limit, seconds):
        try:
            with limit.until(now() + seconds):
                await asyncio.sleep(0.1)
        except TimeoutError:
            return "too long"
        return "in time"

    async def main():
        limit = TimeLimit()
        return await asyncio.gather(wait(limit, 10), wait(limit, 0.01), wait(limit, 10))

    assert run(main()) == ["in time", "too long", "in time"]


def test_many_waits_take_one_timer(monkeypatch):
    async def main():
        loop, limit, timers = asyncio.get_running_loop(), TimeLimit(), []
        call_at = loop.call_at
        monkeypatch.setattr(loop, "call_at", lambda when, *rest: timers.append(when) or call_at(when, *rest))
        for _ in range(1000):
            with limit.until(now() + 10):
                await asyncio.sleep(0)
        limit.close()
        return len(timers)

    assert run(main()) == 1


@pytest.mark.parametrize(("first", "then"), [(0.01, 0.06), (10, 0.06), (None, 0.06)])
def test_a_wait_may_get_another_time(first, then):
    async def main():
        limit, begin = TimeLimit(), now()
        asyncio.get_running_loop().call_soon(lambda: limit.move(begin + then))
        with pytest.raises(TimeoutError), limit.until(None if first is None else begin + first):
            await asyncio.sleep(10)
        assert now() >= begin + then

    run(main())


def test_a_wait_may_lose_its_time():
    async def main():
        limit = TimeLimit()
        asyncio.get_running_loop().call_soon(lambda: limit.move(None))
        with limit.until(now() + 0.01):
            return await asyncio.sleep(0.05, "done")

    assert run(main()) == "done"
