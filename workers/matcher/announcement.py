"""Pure: what the launcher is told of a batch's matched items."""

from collections.abc import Sequence

from schemas import ids
from schemas.messages import NO_MD5, ProfilesMatched, TriggerStart
from workers.matcher.item import Outcome


def announcement(chunk: Sequence[Outcome]) -> ProfilesMatched | None:
    """The imported items of one batch and what to start for them; nothing if all failed."""
    imported = [outcome for outcome in chunk if outcome.profile]
    if not imported:
        return None
    return ProfilesMatched(
        batch=chunk[0].batch.id.hex(),
        # Names the row of `results`, which failed items share.
        chunk=chunk[0].number,
        items=[outcome.number for outcome in imported],
        profiles=b"".join(outcome.profile for outcome in imported if outcome.profile).hex(),
        starts=_starts(imported),
        md5s="".join(map(_md5, imported)) if chunk[0].batch.creates else None,
    )


def _md5(outcome: Outcome) -> str:
    # What is stored may be older than today's rules.
    return ids.md5_of(outcome.email) if isinstance(outcome.email, str) else NO_MD5


def _starts(imported: Sequence[Outcome]) -> list[TriggerStart]:
    """The batch's own campaign first, then those that imports set off."""
    batch = imported[0].batch
    starts = [] if batch.trigger is None else [TriggerStart(trigger=batch.trigger)]
    if batch.skip_triggers or not batch.kind.imports:
        return starts
    # Its own starts for all of them, whatever type it has become since the batch was accepted.
    if batch.creates:
        starts += [TriggerStart(trigger=trigger) for trigger in batch.database.import_triggers if trigger != batch.trigger]
    for trigger in batch.database.update_triggers:
        if trigger.id == batch.trigger:
            continue
        items = [outcome.number for outcome in imported if outcome.changed and (trigger.fields is None or outcome.changed & trigger.fields)]
        if items:
            starts.append(TriggerStart(trigger=trigger.id, items=None if len(items) == len(imported) else items))
    return starts
