"""One form for every line that a process logs, its libraries' lines included."""

import logging
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any

import structlog
from structlog.typing import Processor

from runtime.streams import unfailing
from schemas.settings import Settings

_QUIET = 10.0
_REMEMBERED = 1_000


class Repeats(logging.Filter):
    """Leaves out what was said a moment ago: Kafka's client knocks at a broker that is away hundreds of times a second."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        line, now = f"{record.name} {record.getMessage()}", time.monotonic()
        if now - self._said.get(line, -_QUIET) < _QUIET:
            return False
        if len(self._said) >= _REMEMBERED:
            self._said.clear()
        self._said[line] = now
        return True


def configure(settings: Settings) -> None:
    """Log from the settings' level on; libraries speak up from WARNING on. From then on nothing fails by what it says."""
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    whole = [*shared, *_rendering(settings)]
    sys.stdout, sys.stderr = unfailing(sys.stdout, partial(_lost, whole)), unfailing(sys.stderr)
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(settings)],
        )
    )
    handler.addFilter(Repeats())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    # Of a topic that is missing it tells a hundred times a second; the rooms tell it themselves.
    logging.getLogger("aiokafka.cluster").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=whole,
        wrapper_class=structlog.make_filtering_bound_logger(settings.log_level),
        logger_factory=structlog.WriteLoggerFactory(sys.stdout),
        cache_logger_on_first_use=True,
    )


def _lost(processors: Sequence[Processor], lines: int) -> str:
    # By hand: whoever logs holds a lock.
    line: Any = {"event": "log_lines_lost", "lines": lines}
    for processor in processors:
        line = processor(None, "warning", line)
    return f"{line}\n"


def _rendering(settings: Settings) -> list[Processor]:
    if settings.log_format == "console":
        # The others show what every variable holds: passwords, tokens, addresses.
        return [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
    return [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
