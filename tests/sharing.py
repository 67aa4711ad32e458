"""A pytest plugin that shares tests out to several processes, where they are asked for (`-n 4`)."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# Folders in the order in which they are begun: what takes long is not left for the end.
_ORDER = ("stack", "pipeline", "browser", "client_library", "security", "clients", "kafka", "postgres")
# Files of such a folder share a stack, so that all of them go to one process.
_STACKS = frozenset({"browser", "client_library", "clients", "pipeline", "security"})
# And so do these of `stack`; any other has one of its own.
_OF_ONE_STACK = frozenset({"all_rooms_restart", "client", "console", "dropped_connections", "frozen_servers", "late_answers", "looking_on"})


def _folder(nodeid: str) -> str:
    return nodeid.split("/")[1]


class _Apart(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    def _split_scope(self, nodeid: str) -> str:
        path, folder = nodeid.split("::", 1)[0], _folder(nodeid)
        name = path.rsplit("/", 1)[-1].removeprefix("test_").removesuffix(".py")
        return folder if folder in _STACKS or (folder == "stack" and name in _OF_ONE_STACK) else path


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: _ORDER.index(folder) if (folder := _folder(item.nodeid)) in _ORDER else len(_ORDER))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    # In the order of collection.
    config.option.loadscopereorder = False
    return _Apart(config, log)
