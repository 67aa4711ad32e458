"""What dashboards are made of, and the JSON that Grafana 11 and later takes it as."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

_SOURCE = {"type": "prometheus", "uid": "${source}"}
_SCHEMA = 41
_WIDTH = 24
_STAT_HEIGHT, _GRAPH_HEIGHT = 4, 8
_STATS, _GRAPHS = 6, 2


@dataclass(frozen=True)
class Query:
    expr: str
    legend: str = ""


@dataclass(frozen=True)
class Graph:
    """Lines over time; `unit` is one of Grafana's own."""

    title: str
    means: str
    queries: Sequence[Query]
    unit: str = "short"
    is_share: bool = False


@dataclass(frozen=True)
class Stat:
    """One number, red from `bad` on."""

    title: str
    means: str
    query: str
    unit: str = "short"
    bad: float | None = None


@dataclass(frozen=True)
class Dashboard:
    uid: str
    title: str
    stats: Sequence[Stat]
    graphs: Sequence[Graph]


def rendered(dashboard: Dashboard) -> dict[str, Any]:
    stats = _placed([_stat(stat) for stat in dashboard.stats], _STATS, _STAT_HEIGHT, 0)
    graphs = _placed([_graph(graph) for graph in dashboard.graphs], _GRAPHS, _GRAPH_HEIGHT, _STAT_HEIGHT if stats else 0)
    return {
        "uid": dashboard.uid,
        "title": dashboard.title,
        "tags": ["profuse"],
        "schemaVersion": _SCHEMA,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "browser",
        "time": {"from": "now-1h", "to": "now"},
        "refresh": "15s",
        "links": [_OTHERS],
        "annotations": {"list": []},
        "templating": {"list": [_SOURCE_CHOICE]},
        "panels": [{"id": number, **panel} for number, panel in enumerate([*stats, *graphs], 1)],
    }


# The other dashboards.
_OTHERS = {
    "type": "dashboards",
    "title": "Profuse",
    "tags": ["profuse"],
    "asDropdown": True,
    "icon": "external link",
    "tooltip": "",
    "url": "",
    "targetBlank": False,
    "includeVars": True,
    "keepTime": True,
}
_SOURCE_CHOICE = {"type": "datasource", "name": "source", "label": "Data source", "query": "prometheus", "hide": 0, "refresh": 1}


def _placed(panels: Sequence[dict[str, Any]], columns: int, height: int, top: int) -> list[dict[str, Any]]:
    width = _WIDTH // columns
    return [
        {**panel, "gridPos": {"x": at % columns * width, "y": top + at // columns * height, "w": width, "h": height}}
        for at, panel in enumerate(panels)
    ]


def _stat(stat: Stat) -> dict[str, Any]:
    steps: list[dict[str, Any]] = [{"color": "green", "value": None}]
    if stat.bad is not None:
        steps.append({"color": "red", "value": stat.bad})
    defaults = {"unit": stat.unit, "thresholds": {"mode": "absolute", "steps": steps}}
    reduced = {"calcs": ["lastNotNull"], "fields": "", "values": False}
    options = {"reduceOptions": reduced, "colorMode": "value", "graphMode": "area", "textMode": "value", "justifyMode": "auto"}
    return _panel("stat", stat.title, stat.means, [Query(stat.query)], defaults, options)


def _graph(graph: Graph) -> dict[str, Any]:
    custom = {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 10, "showPoints": "never", "spanNulls": True}
    defaults = {"unit": graph.unit, "min": 0, **({"max": 1} if graph.is_share else {}), "custom": custom}
    legend = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}
    return _panel(
        "timeseries", graph.title, graph.means, graph.queries, defaults, {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}
    )


def _panel(
    kind: str, title: str, means: str, queries: Sequence[Query], defaults: dict[str, Any], options: dict[str, Any]
) -> dict[str, Any]:
    return {
        "type": kind,
        "title": title,
        "description": means,
        "datasource": _SOURCE,
        "targets": [
            {
                "refId": chr(ord("A") + at),
                "datasource": _SOURCE,
                "expr": query.expr,
                "legendFormat": query.legend or "__auto",
                "range": True,
            }
            for at, query in enumerate(queries)
        ],
        "fieldConfig": {"defaults": defaults, "overrides": []},
        "options": options,
    }
