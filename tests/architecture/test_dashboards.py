"""Dashboards are what their source says, are taken by Grafana, and ask what Prometheus can answer."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from deploy.grafana.generate import PLACE, files
from profuse.stack import wanted
from tests.architecture.test_alarms import PROMETHEUS, ROOT, promtool

GRAFANA = ROOT / "deploy" / "grafana"
DASHBOARDS: Mapping[str, Any] = {file.stem: json.loads(file.read_text()) for file in sorted(PLACE.glob("*.json"))}
PANELS = [(name, panel) for name, dashboard in DASHBOARDS.items() for panel in dashboard["panels"]]
SERVICES = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]


@pytest.mark.promise("P-WATCH-04")
def test_the_dashboards_are_fresh() -> None:
    """If this fails: `make docs`."""
    assert {file: file.read_text() for file in PLACE.iterdir()} == files()


@pytest.mark.promise("P-WATCH-04")
def test_their_queries_are_prometheus_own_language(tmp_path: Path) -> None:
    asked = [target["expr"].replace("$__rate_interval", "1m") for _, panel in PANELS for target in panel["targets"]]
    rules = [{"record": f"asked:{number}", "expr": expr} for number, expr in enumerate(asked)]
    file = tmp_path / "asked.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "asked", "rules": rules}]}))

    assert promtool("check", "rules", str(file)) == ""


@pytest.mark.parametrize("name", DASHBOARDS)
def test_a_dashboards_panels_lie_beside_one_another(name: str) -> None:
    dashboard = DASHBOARDS[name]
    cells = [
        (x, y)
        for panel in dashboard["panels"]
        for place in [panel["gridPos"]]
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]

    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24
    assert dashboard["uid"] == name
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


@pytest.mark.parametrize(("name", "panel"), PANELS, ids=lambda each: each if isinstance(each, str) else each["title"])
def test_a_panel_says_what_it_shows_and_asks_the_source_that_was_chosen(name: str, panel: Mapping[str, Any]) -> None:
    (choice,) = DASHBOARDS[name]["templating"]["list"]

    assert panel["title"]
    assert panel["description"].endswith(".")
    assert {panel["datasource"]["uid"], *(target["datasource"]["uid"] for target in panel["targets"])} == {f"${{{choice['name']}}}"}
    assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


def test_each_room_is_scraped_under_its_name() -> None:
    scraped = yaml.safe_load((PROMETHEUS / "prometheus.yml").read_text())["scrape_configs"]

    assert [each["job_name"] for each in scraped] == [f"profuse-{room}" for room in wanted.ROOMS]
    assert [each["dns_sd_configs"][0]["names"] for each in scraped] == [[room] for room in wanted.ROOMS]
    assert {each["dns_sd_configs"][0]["port"] for each in scraped} == {int(SERVICES["matcher"]["environment"]["PROFUSE_HEALTH_PORT"])}


def test_the_dashboards_are_provisioned_where_compose_mounts_them() -> None:
    mounted = dict(volume.split(":")[1::-1] for volume in SERVICES["grafana"]["volumes"])
    (provider,) = yaml.safe_load((GRAFANA / "provisioning/dashboards/profuse.yml").read_text())["providers"]
    (source,) = yaml.safe_load((GRAFANA / "provisioning/datasources/prometheus.yml").read_text())["datasources"]

    assert ROOT / mounted[provider["options"]["path"]] == PLACE
    assert ROOT / mounted["/etc/grafana/provisioning"] == GRAFANA / "provisioning"
    assert source["url"] == "http://prometheus:9090"


@pytest.mark.parametrize("service", ["prometheus", "grafana"])
def test_who_does_not_ask_for_it_starts_nothing_of_it(service: str) -> None:
    assert SERVICES[service]["profiles"] == ["observe"]
    assert all(port.startswith("127.0.0.1:") for port in SERVICES[service]["ports"])
