"""A pytest plugin that shares tests out to several processes, where they are asked for (`-n 3`)."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Files of such a folder share a stack, so that all of them go to one process.
_STACKS = frozenset({"browser", "client_library", "clients", "pipeline", "security", "stack"})
# What takes long begins first, and between the two largest and the other stacks stands what takes less of the machine.
_ORDER = ("stack", "pipeline", "kafka", "browser", "client_library", "security", "clients", "postgres")


def _folder(nodeid: str) -> str:
    return nodeid.split("/")[1]


class _Apart(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    def _split_scope(self, nodeid: str) -> str:
        folder = _folder(nodeid)
        return folder if folder in _STACKS else nodeid.split("::", 1)[0]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _ORDER.index(folder) if (folder := _folder(item.nodeid)) in _ORDER else len(_ORDER))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    # In the order of collection.
    config.option.loadscopereorder = False
    return _Apart(config, log)
