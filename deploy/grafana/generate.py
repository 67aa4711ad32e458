"""Writes the dashboards: `make docs` does, and a test fails when one is stale."""

import json
from pathlib import Path

from deploy.grafana.intake import GATEWAY, WORKERS
from deploy.grafana.outlet import HOOKS, LAUNCHER
from deploy.grafana.overview import OVERVIEW
from deploy.grafana.panels import rendered

PLACE = Path(__file__).with_name("dashboards")
ALL = (OVERVIEW, GATEWAY, WORKERS, LAUNCHER, HOOKS)


def files() -> dict[Path, str]:
    """Each dashboard's file as it should be."""
    return {PLACE / f"{each.uid}.json": json.dumps(rendered(each), indent=1, ensure_ascii=False) + "\n" for each in ALL}


if __name__ == "__main__":
    for file, text in files().items():
        file.write_text(text)
