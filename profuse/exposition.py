"""Pure: the samples of a process's /metrics."""

from collections.abc import Collection, Mapping

from prometheus_client.parser import text_string_to_metric_families

Labels = frozenset[tuple[str, str]]
Samples = Mapping[tuple[str, Labels], float]


def parsed(page: str, only: Collection[str] | None = None) -> Samples:
    """All samples of a page of metrics, or only those of such names. Raises `ValueError` for what is no exposition."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(page if only is None else _about(page, only))
        for sample in family.samples
        if only is None or sample.name in only
    }


def _about(page: str, names: Collection[str]) -> str:
    # Most of a page is about Python, and parsing is what costs.
    families = [name.removesuffix("_total").removesuffix("_bucket") for name in names]
    starts = (*families, *(f"# TYPE {family}" for family in families))
    return "\n".join(line for line in page.splitlines() if line.startswith(starts)) + "\n"
