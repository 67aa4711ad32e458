"""The image holds what its processes need, and nothing of the local stack's servers."""

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCAL = [re.split(r"\W", requirement.replace("-", "_"))[0] for requirement in PYPROJECT["project"]["optional-dependencies"]["local"]]

# What each command imports when it is called.
COMMANDS = {
    "gateway": "runtime.process, ingest.gateway",
    "matcher": "runtime.process, workers.matcher.room",
    "launcher": "runtime.process, workers.launcher.room",
    "console": "runtime.process, profuse.console.room",
    "console-tokens": "profuse.console_tokens",
    "migrate": "profuse.migrating",
    "apply": "profuse.applying",
    "launches": "profuse.launches, profuse.postgres",
    "dead-letters": "profuse.dead_letters",
    "settings": "profuse.describing",
    "import": "profuse.importing.whole",
    "top": "profuse.top.looking, profuse.top.frame",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_of_the_image_loads_nothing_of_the_local_stack(command: str) -> None:
    # None makes an import fail as if the package were not installed.
    script = f"import sys; sys.modules.update(dict.fromkeys({LOCAL})); import profuse.__main__, {COMMANDS[command]}"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.stderr == ""


def test_the_image_is_built_from_every_package_of_the_wheel() -> None:
    packages = PYPROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    sent = (ROOT / ".dockerignore").read_text().splitlines()

    assert {f"!{package}" for package in packages} - set(sent) == set()


def test_the_image_installs_only_what_is_locked_by_hash() -> None:
    installs = re.findall(r"pip .*install (.*)", (ROOT / "Dockerfile").read_text())

    assert [line for line in installs if "--require-hashes" not in line] == ["--no-deps dist/*.whl"]


def test_what_it_can_tell_traces_by_is_what_the_tests_run_on() -> None:
    ours, all_of_them = (set((ROOT / f"requirements{which}.lock").read_text().split()) for which in ("-traces", ""))
    asked = {re.split(r"\W", requirement.replace("-", "_"))[0] for requirement in PYPROJECT["project"]["optional-dependencies"]["traces"]}

    assert ours <= all_of_them
    assert asked <= {word.partition("==")[0].replace("-", "_") for word in ours}
