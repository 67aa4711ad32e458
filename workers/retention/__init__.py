"""Deletes what is over. In: the clock. Out: rows and records that are gone.

Promise: nothing goes that somebody may still ask for or has to work on; whatever waits costs a sweep nothing until its time has come.
"""

from workers.retention.job import Retention

__all__ = ["Retention"]
