"""What the chart's pods get, may do, and are asked."""

import pytest

from schemas.settings import Settings
from tests.charts import ALL, ROOMS, container, environment, of_kind, pod

SETTINGS = {f"PROFUSE_{name.upper()}" for name in Settings.model_fields}
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


@pytest.mark.promise("P-DEPLOY-02")
@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_a_process_gets_no_variable_that_is_no_setting(kind: str) -> None:
    given = {name for each in of_kind(kind, *ALL).values() for name in environment(each)}

    assert given - SETTINGS == set()


def test_the_cluster_sets_no_variable_that_looks_like_a_setting() -> None:
    """Of a Service that is called profuse it would make PROFUSE_PORT=tcp://…"""
    assert {pod(each)["enableServiceLinks"] for kind in ("Deployment", "Job") for each in of_kind(kind, *ALL).values()} == {False}


def test_a_rooms_own_setting_wins_also_where_it_says_no() -> None:
    deployed = of_kind("Deployment", "settings.cloud_events=true", "rooms.launcher.settings.cloud_events=false", "settings.page=1000000000")

    assert [environment(deployed[room])["PROFUSE_CLOUD_EVENTS"] for room in ("matcher", "launcher")] == ["true", "false"]
    assert environment(deployed["matcher"])["PROFUSE_PAGE"] == "1000000000"


def test_a_number_is_written_as_it_is() -> None:
    deployed = of_kind("Deployment", "settings.traces_ratio=0.25", "settings.page=-3", "rooms.launcher.settings.traces_ratio=0.0001")

    assert [environment(deployed[room])["PROFUSE_TRACES_RATIO"] for room in ("matcher", "launcher")] == ["0.25", "0.0001"]
    assert environment(deployed["matcher"])["PROFUSE_PAGE"] == "-3"


def test_secrets_are_named_or_given_and_never_settings() -> None:
    deployed = of_kind("Deployment")["matcher"]

    assert container(deployed)["envFrom"] == [{"secretRef": {"name": "profuse"}}]
    assert of_kind("Secret") == {}
    assert of_kind("Secret", *ALL)["secrets"]["stringData"] == {"PROFUSE_POSTGRES": "postgresql://me:p%22w@db/p"}
    assert "p%22w" not in "".join(str(each) for kind in ("Deployment", "Job") for each in of_kind(kind, *ALL).values())


def test_other_secrets_are_other_pods() -> None:
    def annotation(secret: str) -> str:
        given = of_kind("Deployment", "secrets.existing=", f"secrets.values.PROFUSE_POSTGRES={secret}")["matcher"]
        return str(given["spec"]["template"]["metadata"]["annotations"])

    assert annotation("a") != annotation("b")


@pytest.mark.promise("P-DEPLOY-03")
@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_no_pod_may_more_than_it_must(kind: str) -> None:
    for each in of_kind(kind, *ALL).values():
        inside, around = container(each)["securityContext"], pod(each)["securityContext"]

        assert inside == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
        assert (around["runAsNonRoot"], around["runAsUser"]) == (True, 10001)
        assert around["seccompProfile"] == {"type": "RuntimeDefault"}
        assert pod(each)["automountServiceAccountToken"] is False
        assert {"requests", "limits"} <= container(each)["resources"].keys()


@pytest.mark.promise("P-DEPLOY-03")
@pytest.mark.parametrize("room", ROOMS)
def test_a_room_is_asked_whether_it_moves_and_is_ready_and_has_time_to_stop(room: str) -> None:
    deployed = of_kind("Deployment")[room]
    ports = {port["name"]: port["containerPort"] for port in container(deployed)["ports"]}
    grace, drain = pod(deployed)["terminationGracePeriodSeconds"], container(deployed).get("lifecycle", {})

    assert ports["health"] == Settings.model_fields["health_port"].default
    assert {container(deployed)[probe]["httpGet"]["port"] for probe in PROBES} == {"health"}
    assert container(deployed)["livenessProbe"]["httpGet"]["path"] == "/healthz"
    assert {container(deployed)[probe]["httpGet"]["path"] for probe in PROBES} == {"/healthz", "/readyz"}
    assert grace >= 10 + (int(drain["preStop"]["exec"]["command"][1]) if drain else 0) + 5


@pytest.mark.promise("P-DEPLOY-03")
def test_a_gateway_goes_on_answering_while_a_server_is_away_and_a_worker_is_replaced_when_it_is_ready() -> None:
    """Without a gateway behind it a Service would answer for them, without `Retry-After`."""
    deployed = {room: container(each) for room, each in of_kind("Deployment").items()}

    assert [deployed["gateway"][probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe")] == ["/readyz", "/healthz"]
    assert [deployed["matcher"][probe]["httpGet"]["path"] for probe in ("startupProbe", "readinessProbe")] == ["/healthz", "/readyz"]


@pytest.mark.promise("P-OPS-15")
@pytest.mark.parametrize("room", ROOMS)
def test_a_room_that_starts_while_a_server_is_away_is_left_to_wait_for_it(room: str) -> None:
    """A startup probe that gives up is a kill, and what `/readyz` says is no reason for one."""
    probe = container(of_kind("Deployment")[room])["startupProbe"]
    days = probe["periodSeconds"] * probe["failureThreshold"] / 86_400

    assert probe["httpGet"]["path"] == "/healthz" or days >= 7


@pytest.mark.promise("P-DEPLOY-03")
def test_an_eviction_takes_one_of_a_room_at_a_time() -> None:
    budgets, deployed = of_kind("PodDisruptionBudget"), of_kind("Deployment")

    assert set(budgets) == set(deployed)
    for room, budget in budgets.items():
        assert budget["spec"]["maxUnavailable"] == 1
        assert budget["spec"]["selector"] == deployed[room]["spec"]["selector"]
