"""What a changed declaration means for profiles that are stored already."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from schemas.fields import Field, FieldType
from schemas.stored import fitting
from schemas.values import JsonValue
from store.configuration.model import Change, Key, Kind, Stored
from store.configuration.validation import newly_indexed


@dataclass(frozen=True)
class Question:
    """A field of a database with profiles, by the database's internal id, of which they may hold values that do not fit."""

    key: Key
    database: int
    name: str
    type: FieldType
    options: tuple[str, ...]
    # What was an option until now.
    retired: tuple[str, ...]
    is_indexed: bool

    def field(self) -> Field:
        return Field(type=self.type, options=list(self.options), match=self.is_indexed)


@dataclass
class Tally:
    """How many profiles hold a value that fits, and how many one that does not: by the option that it was, or None."""

    fitting: int = 0
    unfit: Counter[str | None] = field(default_factory=Counter)

    def count(self, question: Question, field: Field, stored: JsonValue) -> None:
        if fitting(field, stored) is not None:
            self.fitting += 1
        else:
            self.unfit[stored if isinstance(stored, str) and stored in question.retired else None] += 1


def questions(changes: Iterable[Change], stored: Stored) -> set[Question]:
    """Declared anew, or with fewer options, or searched by from now on: anything else lets each value be what it was."""
    asked: set[Question] = set()
    for change in changes:
        if change.key.kind is Kind.DATABASE and change.key in stored.populated:
            asked |= set(_of_fields(change, stored.things[change.key]["fields"], stored.populated[change.key]))
    return asked


def _of_fields(change: Change, before: Mapping[str, Mapping[str, object]], database: int) -> Iterator[Question]:
    fields = change.values.get("fields", {})
    indexed = newly_indexed(fields, before)
    for name, declared in fields.items():
        retired = tuple(option for option in _options(before.get(name, {})) if option not in declared["options"])
        if name not in before or retired or name in indexed:
            yield Question(change.key, database, name, FieldType(declared["type"]), tuple(declared["options"]), retired, name in indexed)


def _options(declared: Mapping[str, object]) -> list[str]:
    options = declared.get("options", [])
    return options if isinstance(options, list) else []


def told(question: Question, tally: Tally, *, at_least: bool) -> Iterator[str]:
    """A line for each thing that an operator should know before."""
    where = f"{question.key}, field {question.name}"
    for option, count in sorted(tally.unfit.items(), key=lambda counted: (counted[0] is None, counted[0])):
        what = f"a value that does not fit {question.type}" if option is None else f"{option}, which is no option any more"
        yield f"{where}: {_holders(count, at_least)} {what}: it stays until an import replaces it, and is not searched by"
    if question.is_indexed:
        yield f"{where}: {_holders(tally.fitting, at_least)} a value to be found by"


def _holders(count: int, at_least: bool) -> str:
    return f"{'at least ' if at_least else ''}{count:,} {'profile holds' if count == 1 else 'profiles hold'}"
