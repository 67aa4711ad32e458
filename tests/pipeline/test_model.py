"""Random batches through the real pipeline, held against a sequential model."""

import pytest

from tests.pipeline.batches import Batches
from tests.pipeline.model import Entry, State
from tests.pipeline.orders import outcomes
from tests.pipeline.stack import Stack


@pytest.mark.promise("P-MATCH-01", "P-MATCH-02", "P-MATCH-03", "P-MATCH-04", "P-MATCH-05", "P-MATCH-06", "P-MATCH-07", "P-MATCH-08")
@pytest.mark.promise("P-MATCH-09", "P-MATCH-10", "P-MATCH-11", "P-MATCH-12", "P-MATCH-13", "P-MATCH-14", "P-MATCH-15", "P-MATCH-16")
@pytest.mark.promise(
    "P-MATCH-17", "P-MATCH-18", "P-MATCH-20", "P-DATA-17", "P-SUBS-02", "P-SUBS-03", "P-SUBS-06", "P-SUBS-07", "P-LAUNCH-01"
)
@pytest.mark.parametrize("seed", range(1, 21))
def test_random_batches_do_what_a_sequential_model_does(pipeline: Stack, seed: int) -> None:
    batches = Batches(seed)
    state: State = {}
    imported: dict[str, list[int]] = {}
    for _ in range(15):
        batch = batches.next(sorted(state))
        answer = pipeline.import_and_start(batch.items, timeout={"minutes": 5}, **batch.root())
        answered = answer.body["result"]
        imported[pipeline.last_task()] = [number for number, entry in enumerate(answered) if "profile_id" in entry]
        expected = outcomes(state, batch)
        fitting = [named for after, entries in expected if (named := _with_ids(state, after, entries, answered)) is not None]
        assert fitting, f"{batch}\non {state}\nanswered {answered}\ninstead of one of {[entries for _, entries in expected]}"
        state = _seen(pipeline, fitting)

    assert {name: _shown(pipeline, name) for name in state} == state
    for task, items in imported.items():
        assert pipeline.launched_items(task, len(items)) == items


def _with_ids(before: State, after: State, entries: list[Entry], answered: list[Entry]) -> State | None:
    """The model's state with the ids of the answer, if that is what the model expects."""
    ids = {name: name for name in before}
    for ours, theirs in zip(entries, answered, strict=True):
        if "profile_id" in ours and "profile_id" in theirs:
            ours = {"profile_id": ids.setdefault(ours["profile_id"], theirs["profile_id"])}
        if ours != theirs:
            return None
    # One id never stands for two profiles.
    return {ids[name]: profile for name, profile in after.items()} if len(set(ids.values())) == len(ids) else None


def _seen(pipeline: Stack, fitting: list[State]) -> State:
    """The one of several possible states that is true; answers alone may not tell them apart."""
    doubtful = {name for state in fitting for name, profile in state.items() if any(other[name] != profile for other in fitting)}
    shown = {name: _shown(pipeline, name) for name in doubtful}
    return next((state for state in fitting if shown.items() <= state.items()), fitting[0])


def _shown(pipeline: Stack, name: str) -> Entry:
    shown = pipeline.profile(name)

    assert shown.pop("_id") == name
    return shown
