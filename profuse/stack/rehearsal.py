"""One start of a broker that leaves its classes read and linked, so that each later start takes half as long."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from profuse.stack import jvm, kafka
from profuse.stack.child import Child
from profuse.stack.ports import free_port
from profuse.stack.servers import await_ready

# Seconds; the JVM writes it all down when it ends, which takes longer than the start.
_WRITTEN_WITHIN = 120.0


def is_done(class_path: Sequence[Path]) -> bool:
    return jvm.rehearsed(class_path).exists()


def rehearse(class_path: Sequence[Path]) -> None:
    """Some ten seconds of work; where it comes to nothing, brokers start as they did."""
    kept = jvm.rehearsed(class_path)
    kept.parent.mkdir(parents=True, exist_ok=True)
    # What was made for other jars fits none of today's.
    for stale in kept.parent.glob("kafka-*"):
        stale.unlink()
    with tempfile.TemporaryDirectory(prefix="profuse-rehearsal-") as directory:
        _start_once(Path(directory), kept)


def _start_once(directory: Path, kept: Path) -> None:
    process = kafka.broker(directory / "kafka", free_port(), free_port())
    java, *arguments = process.command
    # Renamed when complete: an interrupted rehearsal leaves nothing that looks like one.
    unfinished = kept.with_suffix(".unfinished")
    broker = Child(replace(process, command=[java, f"-XX:AOTCacheOutput={unfinished}", *arguments]), directory / "kafka.log")
    try:
        await_ready(broker)
    finally:
        broker.ask_to_stop()
        broker.wait(_WRITTEN_WITHIN)
    if unfinished.exists():
        unfinished.rename(kept)
