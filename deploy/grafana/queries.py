"""Queries that many panels ask."""

from deploy.grafana.panels import Query

EACH = "{{job}} {{instance}}"


def rate(metric: str, by: str = "") -> str:
    return f"sum {f'by ({by}) ' if by else ''}(rate({metric}[$__rate_interval]))"


def share(part: str, whole: str) -> str:
    return f"{rate(part)} / {rate(whole)}"


def quantiles(metric: str, by: str = "") -> list[Query]:
    """The median, and what one of a hundred is above."""
    grouped, legend = ("le", "") if not by else (f"le, {by}", f"{{{{{by}}}}} ")
    return [
        Query(f"histogram_quantile({part}, sum by ({grouped}) (rate({metric}_bucket[$__rate_interval])))", f"{legend}{name}")
        for part, name in ((0.5, "p50"), (0.99, "p99"))
    ]
