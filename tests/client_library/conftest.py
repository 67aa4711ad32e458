"""Both clients, a server with moods, and the pipeline of the tests from outside."""

from collections.abc import Iterator

import pytest

from tests.client_library.both import Import, in_a_loop, in_threads
from tests.client_library.server import Gateway, serving
from tests.pipeline.conftest import pipeline

__all__ = ["pipeline"]


@pytest.fixture
def gateway() -> Iterator[Gateway]:
    with serving() as served:
        yield served


@pytest.fixture(params=[in_threads, in_a_loop], ids=["Client", "AsyncClient"])
def imported(request: pytest.FixtureRequest) -> Import:
    """Either client's `import_and_start`."""
    used: Import = request.param
    return used
