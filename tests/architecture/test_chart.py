"""The Helm chart runs what the local stack runs, and a cluster takes it."""

import json
import re
import subprocess
import tomllib
from collections.abc import Sequence
from pathlib import Path

import pytest
import yaml

from tests.architecture.test_alarms import ALARMS
from tests.architecture.test_dashboards import DASHBOARDS
from tests.charts import ALL, CHART, ROOMS, Refused, container, environment, helm, of_kind, rendered, resources
from tests.programs import program

ROOT = Path(__file__).parents[2]


@pytest.mark.promise("P-DEPLOY-01")
def test_helm_finds_nothing_wrong_with_it() -> None:
    assert "0 chart(s) failed" in helm("lint", "--strict", str(CHART))


@pytest.mark.promise("P-DEPLOY-01")
@pytest.mark.parametrize("version", ["1.29", "1.37"])
@pytest.mark.parametrize("values", [(), ALL], ids=["as it is", "all of it"])
def test_a_cluster_knows_every_word_of_it(values: tuple[str, ...], version: str, tmp_path: Path) -> None:
    judge = program("kubernetes-validate")
    file = tmp_path / "rendered.yaml"
    file.write_text(rendered(*values))
    done = subprocess.run([judge, "--strict", "-k", version, str(file)], capture_output=True, text=True, check=False)
    passed, unknown = (re.findall(rf"^{word}.*", done.stdout + done.stderr, re.MULTILINE) for word in ("INFO .*passed", "WARN"))

    assert done.returncode == 0, done.stdout + done.stderr
    # The words of KEDA and of Prometheus' operator are their own.
    assert [line for line in unknown if not re.search(r"keda\.sh/|monitoring\.coreos\.com/", line)] == []
    assert len(passed) + len(unknown) == len(resources(*values))


@pytest.mark.promise("P-DEPLOY-02")
def test_it_runs_the_rooms_of_the_local_stack() -> None:
    deployed = of_kind("Deployment")

    assert set(deployed) == set(ROOMS)
    assert {room: container(each)["args"] for room, each in deployed.items()} == {room: [room] for room in ROOMS}


@pytest.mark.promise("P-DEPLOY-07")
def test_where_it_is_wanted_nobody_reaches_a_port_who_is_not_to() -> None:
    prometheus, admin = ({"namespaceSelector": {"matchLabels": {"name": name}}} for name in ("monitoring", "admin"))
    named = f"networkPolicy.health={json.dumps([prometheus])}", f"networkPolicy.console={json.dumps([admin])}"
    console = {"podSelector": {"matchLabels": of_kind("Deployment")["console"]["spec"]["selector"]["matchLabels"]}}

    def reached(*values: str) -> dict[str, dict[str, object]]:
        """Who may reach which port of each room; None: everybody."""
        policies = of_kind("NetworkPolicy", *values)
        return {room: {rule["ports"][0]["port"]: rule.get("from") for rule in each["spec"]["ingress"]} for room, each in policies.items()}

    assert reached() == {}
    assert reached("networkPolicy.enabled=true") == {room: {"health": [console]} for room in ROOMS} | {
        "gateway": {"health": [console], "http": None}
    }
    assert reached("networkPolicy.enabled=true", *named)["console"] == {"health": [console, prometheus], "http": [admin]}
    for room, policy in of_kind("NetworkPolicy", "networkPolicy.enabled=true").items():
        assert policy["spec"]["podSelector"] == of_kind("Deployment")[room]["spec"]["selector"]
        assert policy["spec"]["policyTypes"] == ["Ingress"]


@pytest.mark.promise("P-DEPLOY-02")
def test_the_console_looks_at_every_pod_of_the_other_rooms() -> None:
    services = {each["metadata"]["name"]: each["spec"] for each in resources() if each["kind"] == "Service"}
    watched = json.loads(environment(of_kind("Deployment")["console"])["PROFUSE_CONSOLE_ROOMS"])
    rooms = [room for room in ROOMS if room != "console"]

    assert sorted(watched) == sorted(f"http://p-profuse-{room}-health:9090" for room in rooms)
    for room in rooms:
        service = services[f"p-profuse-{room}-health"]
        assert (service["clusterIP"], service["publishNotReadyAddresses"]) == ("None", True)
        assert service["selector"].items() <= of_kind("Deployment")[room]["spec"]["template"]["metadata"]["labels"].items()
    assert not [name for name in services_without_console() if name.endswith("-health")]


def services_without_console() -> list[str]:
    return [each["metadata"]["name"] for each in resources("rooms.console.enabled=false") if each["kind"] == "Service"]


def test_it_is_of_the_projects_version() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert chart["appVersion"] == version
    assert {container(each)["image"] for each in of_kind("Deployment").values()} == {f"profuse:{version}"}


@pytest.mark.promise("P-DEPLOY-05")
@pytest.mark.parametrize(
    "value",
    [
        *("keda.matcher.min=0", "keda.launcher.min=0", "rooms.launcher.replicas=0", "rooms.kitchen.enabled=true", "setings.kafka=k:1"),
        *("settings.postgres=postgresql://here", "settings.PORT=1", "settings.health_port=1", "secrets.values.postgres=x"),
        *("secrets.existing=", "image.repository=", "rooms.gateway.port=80"),
    ],
)
def test_values_that_would_not_work_are_refused(value: str) -> None:
    with pytest.raises(Refused):
        rendered(value)


def test_alarms_and_dashboards_are_the_same_as_elsewhere() -> None:
    (rule,) = (each for each in resources(*ALL) if each["kind"] == "PrometheusRule")
    boards = [each for each in resources(*ALL) if each["kind"] == "ConfigMap"]

    assert {each["alert"]: each for group in rule["spec"]["groups"] for each in group["rules"]} == ALARMS
    assert {name: yaml.safe_load(text) for each in boards for name, text in each["data"].items()} == {
        f"{name}.json": dashboard for name, dashboard in DASHBOARDS.items()
    }


@pytest.mark.promise("P-WATCH-02")
@pytest.mark.parametrize("gone", [(), *((room,) for room in ROOMS), ROOMS])
def test_a_room_that_is_switched_off_is_missed_by_no_alarm(gone: Sequence[str]) -> None:
    values = (f"rooms.{room}.enabled=false" for room in gone)
    (rule,) = (each for each in resources("monitoring.alarms=true", *values) if each["kind"] == "PrometheusRule")
    alarms = {each["alert"]: each["expr"] for group in rule["spec"]["groups"] for each in group["rules"]}
    missed = {room for room in ROOMS if f'absent(up{{job="profuse-{room}"}})' in alarms["ProfuseRoomGone"]}

    assert missed == set(ROOMS) - {"console"} - set(gone)
    assert alarms.keys() == ALARMS.keys()
    assert len(re.findall(r"\bor\b", alarms["ProfuseRoomGone"])) == len(missed)


def test_rooms_are_scraped_under_the_names_that_alarms_know() -> None:
    (monitor,) = of_kind("PodMonitor", *ALL).values()
    (endpoint,) = monitor["spec"]["podMetricsEndpoints"]
    (job,) = endpoint["relabelings"]

    assert (endpoint["port"], job["targetLabel"], job["replacement"]) == ("health", "job", "profuse-$1")
    assert job["sourceLabels"] == ["__meta_kubernetes_pod_label_app_kubernetes_io_component"]
