"""The pipeline that the requests of public clients are replayed against."""

from tests.pipeline.conftest import pipeline

__all__ = ["pipeline"]
