"""A pytest plugin that shares tests out to two processes, where they are asked for (`-n 2`)."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Files of such a folder share a stack, so that all of them go to one process.
_STACKS = frozenset({"browser", "client_library", "clients", "pipeline", "security", "stack"})
# Begun first: it takes about as long as everything else.
_LONGEST = "stack"


class _Apart(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        folder = path.split("/")[1]
        return folder if folder in _STACKS else path


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: item.nodeid.split("/")[1:2] != [_LONGEST])


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    # In the order of collection.
    config.option.loadscopereorder = False
    return _Apart(config, log)
