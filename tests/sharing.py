"""A pytest plugin that shares tests out to two processes, where they are asked for (`-n 2`): one has all that starts stacks."""

from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

# A stack finds its ports before it listens there: two that start at the same time could find the same.
_STACKS = frozenset({"browser", "client_library", "clients", "pipeline", "security", "stack"})


class _Apart(LoadScopeScheduling):  # type: ignore[misc]  # it has no types
    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.split("::", 1)[0]
        return "stacks" if path.split("/")[1] in _STACKS else path


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    # In the order of the folders, so that what takes longest is begun first.
    config.option.loadscopereorder = False
    return _Apart(config, log)
