"""Traces, where an operator wants them: from a request through Kafka's headers and a launch's row to the mail.

A room says `traces()` where a span begins, and never knows whether anybody listens: who listens is chosen once, when its process starts.
No text of an error, no address and no token goes into a span: who reads traces is not who reads profiles.

`untraced`   what a room calls, and that nothing happens where nobody listens
`telling`    the same, told: spans by OpenTelemetry
`spans`      what such a span is told, and what it carries on
`carrying`   pure: what of a trace travels, and what is made of what arrives
`exporting`  spans on their way to whom PROFUSE_TRACES names; whatever becomes of them, no room waits
`process`    which of both a process has
"""

from runtime.tracing.process import start, stop, traces

__all__ = ["start", "stop", "traces"]
