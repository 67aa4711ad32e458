"""How deeply JSON may be nested; an object or array is a level, and so is each inside it."""

from schemas.values import JsonValue

# Of a request, its root being the first.
LEVELS = 32
# Of a profile, itself being the first: the root, `data` and the item are around it in `import_and_start_batch`, and no call has more there.
PROFILE_LEVELS = LEVELS - 3


def is_deeper(value: JsonValue, levels: int) -> bool:
    """Whether it has more than so many; beyond these nobody looks."""
    if isinstance(value, dict):
        return levels == 0 or any(is_deeper(each, levels - 1) for each in value.values())
    if isinstance(value, list):
        return levels == 0 or any(is_deeper(each, levels - 1) for each in value)
    return False
