"""Carries a plan out in threads: one for each request that is on its way; the input is read, and results are given, in the caller's."""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future
from queue import Empty, SimpleQueue
from typing import TypeVar

from profuse_client.connecting import told
from profuse_client.exchanges import Exchange, Outcome
from profuse_client.plan import Deliver, Over, Plan, Read, Send, Wait
from profuse_client.results import Entry

R = TypeVar("R")

Post = Callable[[Exchange], Outcome]
_Back = SimpleQueue[tuple[int, "Future[Outcome]"]]


def carried_out(plan: Plan, items: Iterable[object], post: Post, shown: Callable[[Entry], R]) -> Iterator[R]:
    source, back = iter(items), _Back()
    while True:
        _hear(plan, back, 0.0)
        match plan.step(time.monotonic()):
            case Deliver(entries):
                yield from map(shown, entries)
            case Send(number, exchange):
                # Not of a pool, which would keep a program that was interrupted from ending until all is answered.
                threading.Thread(target=_exchange, args=(post, number, exchange, back), daemon=True).start()
            case Read(until):
                _read(plan, source, back, until)
            case Wait(until):
                _hear(plan, back, None if until is None else max(until - time.monotonic(), 0.0))
            case Over():
                return


def _read(plan: Plan, source: Iterator[object], back: _Back, until: float | None) -> None:
    """An item at least; while the source itself waits, all do."""
    while True:
        try:
            item = next(source)
        except StopIteration:
            return plan.close()
        except Exception as error:  # it is raised again, behind the results of what came before it
            return plan.break_off(error)
        if plan.take(item) or not back.empty() or (until is not None and time.monotonic() >= until):
            return None


def _exchange(post: Post, number: int, exchange: Exchange, back: _Back) -> None:
    came: Future[Outcome] = Future()
    try:
        came.set_result(post(exchange))
    except BaseException as error:  # it is raised again in the caller's thread
        came.set_exception(error)
    back.put((number, came))


def _hear(plan: Plan, back: _Back, seconds: float | None) -> None:
    """All that has come back, or if nothing has, what comes within so many seconds."""
    while True:
        try:
            number, came = back.get(timeout=seconds) if seconds != 0.0 else back.get_nowait()
        except Empty:
            return
        told(plan.heard(number, came.result(), time.monotonic()))
        seconds = 0.0
