"""What is stored already, seen with the declarations and rules of today; nothing here fails."""

from collections.abc import Mapping

from schemas.fields import Field, FieldType, parse
from schemas.item_errors import ItemFailed
from schemas.system_fields import SYSTEM_FIELDS
from schemas.values import JsonValue

# Whose spelling has changed since some were stored, and what they are stored as.
_RENEWED = {FieldType.DATE: str, FieldType.IP: str, FieldType.TAGS: list}


def fitting(field: Field, stored: JsonValue) -> JsonValue | None:
    """A stored value as its field would take it now; None if it no longer fits: it is kept, and not searched by."""
    # Only an import means an option by its ordinal; a stored number is an option that was retired.
    if field.type is FieldType.ENUM and stored not in field.options:
        return None
    try:
        return parse(field, stored)
    except ItemFailed:
        return None


def filed(field: Field, stored: JsonValue) -> JsonValue | None:
    """A stored value as it is filed, None if it is not. An option that was retired still is: nobody can ask for it,
    and whoever replaces it, or lets it be an option again, need not know of the other.
    """
    if field.type is FieldType.ENUM:
        return stored if isinstance(stored, str) else None
    return fitting(field, stored)


def renewed(fields: Mapping[str, Field], data: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    """Stored data in the spellings of today; `fields` are its database's own. What does not fit its field stays as it is."""
    known = {**fields, **SYSTEM_FIELDS}
    return {name: _renewed(known[name], value) if name in known else value for name, value in data.items()}


def _renewed(field: Field, stored: JsonValue) -> JsonValue:
    if field.type not in _RENEWED or not isinstance(stored, _RENEWED[field.type]):
        return stored
    fits = fitting(field, stored)
    return stored if fits is None else fits
