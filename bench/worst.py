"""What the worst requests make a gateway hold: each alone and twenty at once, with the peak of its memory as the kernel counted it."""

import asyncio
import gzip
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import httpx2

from bench.account import TASK_PATH, TOKEN
from bench.peaks import LIMIT, forget_peak, most_of, processes
from bench.stack import Stack, running
from profuse.plain_http import plain_client
from schemas.settings import MIB

_AT_ONCE = 20
_ROOMS = ("gateway", "matcher", "launcher")


@dataclass(frozen=True)
class Worst:
    """A request that costs as much as it can."""

    name: str
    body: bytes
    headers: Mapping[str, str]


def worst() -> Iterator[Worst]:
    known, unknown = f'"token":"{TOKEN}","trigger_id":1', '"token":"nobody","trigger_id":1'
    plain = 10 * MIB - 200
    yield _plain("zeros, unknown token", unknown, f'"data":[{_repeated("0", plain)}]')
    yield _plain("zeros", known, f'"data":[{_repeated("0", plain)}]')
    yield _plain("empty objects", known, f'"data":[{_repeated("{}", plain)}]')
    yield _plain("100,000 items that fail", known, f'"data":[{_repeated("0", 200_000)}]')
    yield _plain("items of empty objects", known, f'"data":[{_repeated(_item(60_000), plain)}]')
    yield _plain("root keys", known, ",".join(f'"{number}":0' for number in range(900_000)))
    yield _plain("a match value of 256 KiB for 100,000 items", known, _custom("x" * 256 * 1024))
    yield _plain("a match value of 1 KiB for 100,000 items", known, _custom("x" * 1_024))
    yield _plain("content of zeros", known, f'"data":[{{}}],"content":{{"a":[{_repeated("0", plain)}]}}')
    yield _packed("inflated zeros, unknown token", unknown, f'"data":[{_repeated("0", plain)}]')
    yield _packed("attach of zeros, 100 MiB", known, f'"data":[{{}}],"attach":[{_repeated("0", 100 * MIB - 200)}]')
    yield _packed("attach of one file, 100 MiB", known, _attached(100 * MIB - 400))


def _plain(name: str, known: str, rest: str) -> Worst:
    return Worst(name, f"{{{known},{rest}}}".encode(), {})


def _packed(name: str, known: str, rest: str) -> Worst:
    return Worst(name, gzip.compress(f"{{{known},{rest}}}".encode(), 1), {"Content-Encoding": "gzip"})


def _repeated(element: str, size: int) -> str:
    return ",".join([element] * (size // (len(element) + 1)))


def _item(size: int) -> str:
    return f'{{"data":{{"email":"a@b.test","version":{{"a":[{_repeated("{}", size)}]}}}}}}'


def _custom(value: str) -> str:
    items = _repeated('{"data":{}}', 1_200_000)
    return f'"matching":"custom","field_name":"name","field_value":"{value}","data":[{items}]'


def _attached(size: int) -> str:
    file = f'{{"name":"a.bin","data":"data:;base64,{"A" * size}"}}'
    return f'"data":[{{"data":{{"email":"a@b.test"}}}}],"attach":[{file}]'


@dataclass(frozen=True)
class Peak:
    """The most memory of any of our processes, and how the requests were answered."""

    mib: int
    answers: str


async def _peak(stack: Stack, request: Worst, count: int) -> Peak:
    for process in processes(stack, *_ROOMS):
        forget_peak(process)
    async with plain_client(timeout=600, limits=httpx2.Limits(max_connections=count)) as client:
        sending = (client.post(stack.api + TASK_PATH, content=request.body, headers=request.headers) for _ in range(count))
        answers = await asyncio.gather(*sending)
    found = Counter(answer.status_code for answer in answers)
    return Peak(
        max(map(most_of, processes(stack, *_ROOMS))), ", ".join(f"{number} times {status}" for status, number in sorted(found.items()))
    )


async def main() -> int:
    too_much = 0
    print(f"| request | bytes sent | answers to {_AT_ONCE} at once | peak, one | peak, {_AT_ONCE} at once |\n|---|---|---|---|---|")
    with running() as stack:
        for request in worst():
            alone, together = await _peak(stack, request, 1), await _peak(stack, request, _AT_ONCE)
            too_much += together.mib > LIMIT
            shown = f"{len(request.body):,} | {together.answers} | {alone.mib} MiB | {together.mib} MiB"
            print(f"| {request.name} | {shown} |", flush=True)
    return 1 if too_much else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
