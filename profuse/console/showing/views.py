"""The templates, with everything in them escaped unless it is ours."""

from collections.abc import Mapping
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from profuse.console.showing import charts, filters

_TEMPLATES = Path(__file__).parents[1] / "templates"


class Views:
    """What every page is written by."""

    def __init__(self, **known: object) -> None:
        self._environment = Environment(
            loader=FileSystemLoader(_TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
        )
        named = ("number", "share", "moment", "duration", "ago", "size", "short")
        self._environment.filters.update({name: getattr(filters, name) for name in named})
        self._environment.globals.update(curve=charts.curve, bar=charts.bar, **known)

    def write(self, template: str, values: Mapping[str, object]) -> str:
        return self._environment.get_template(template).render(values)

    def block(self, template: str, name: str, values: Mapping[str, object]) -> str:
        """One block of a page, for a page that shows the rest already."""
        found = self._environment.get_template(template)
        return "".join(found.blocks[name](found.new_context(dict(values))))
