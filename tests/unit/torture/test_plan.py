"""What is done when, by whom, and how it is shown."""

import json
from collections import Counter
from itertools import islice, pairwise
from random import Random

from profuse.applying.desired import wanted
from profuse.applying.file import read
from profuse.torture.account import FILE
from profuse.torture.model import Item, Key
from profuse.torture.neighbours.accounts import POLITE_FILE, hostile
from profuse.torture.neighbours.acts import act, burst, mutated
from profuse.torture.plan import plan
from profuse.torture.population import Population
from profuse.torture.receiving import outlets
from profuse.torture.report import Report, table
from profuse.torture.verdict.seen import Difference


def test_a_seed_repeats_its_plan_and_soon_brings_every_kind() -> None:
    kinds = ["a", "b", "c", "d", "e"]
    turns = [[(kind, dice.random()) for kind, dice in turn.faults.items()] for turn in islice(plan(7, kinds), 8)]

    assert turns == [[(kind, dice.random()) for kind, dice in turn.faults.items()] for turn in islice(plan(7, kinds), 8)]
    assert {kind for turn in turns for kind, _ in turn} == set(kinds)


def test_what_happens_in_a_turn_is_laid_to_its_fault_only_if_there_is_no_other() -> None:
    turns = list(islice(plan(7, ["a", "b", "c"]), 40))
    alone = {before.hurried: turn.alone for before, turn in pairwise(turns) if len(turn.faults) == 1}
    together = {turn.alone for turn in turns if len(turn.faults) > 1}

    assert alone[True] is None
    assert alone[False] in ("a", "b", "c")
    assert together == {None}


def test_a_calm_follows_only_what_has_healed() -> None:
    turns = list(islice(plan(7, ["a", "b", "c"]), 100))

    assert {turn.hurried for turn in turns if turn.calm} == {False}


def test_the_accounts_are_what_apply_reads_whatever_the_declaration_has_become() -> None:
    declared = [wanted(read(file)) for file in (FILE, POLITE_FILE, outlets.file("http://a.test"), *(hostile(turn) for turn in range(8)))]

    assert all(declared)
    assert declared[3] != declared[4]


def test_a_subject_is_founded_by_its_email_before_it_is_known_by_anything_else() -> None:
    population, dice = Population(), Random(7)  # noqa: S311  # it must be repeatable
    founded = [population.item(dice, population.key(dice)) for _ in range(20)]
    for item in founded:
        population.met(dice, item.subject)
    others = [population.item(dice, Key.PHONE) for _ in range(20)]

    assert {(item.key, item.founds) for item in founded} == {(Key.EMAIL, True)}
    assert {(item.key, item.founds) for item in others} == {(Key.PHONE, False)}
    assert {item.subject for item in others} <= {item.subject for item in founded}


def test_an_item_that_founds_is_never_meant_to_fail() -> None:
    assert not any(Item(number, 1, Key.EMAIL, founds=True).is_wrong for number in range(1_000))
    assert not any(Item(number, 1, Key.EMAIL, founds=True).is_refused for number in range(1_000))


def test_every_act_is_repeated_by_its_dice() -> None:
    first, again = ([act(dice, [{"data": [{"data": {}}]}]) for _ in range(150)] for dice in (Random(7), Random(7)))  # noqa: S311

    assert first == again
    assert len({each.path for each in first}) > 1
    assert burst(Random(7), 30).items == 30  # noqa: S311


def test_a_mutant_differs_in_one_part() -> None:
    whole = {"a": [1, {"b": 2}], "c": 3}
    mutants = [mutated(whole, Random(seed)) for seed in range(50)]  # noqa: S311

    assert any(isinstance(mutant, dict) and mutant.get("c") == 3 and mutant != whole for mutant in mutants)


def test_a_report_is_json_with_its_counts_and_a_table() -> None:
    report = Report(7, faults=Counter({"kill -9 a matcher": 2}), signals=Counter({("matcher", "SIGKILL"): 2}))
    report.differences = [Difference("lost", 3, "mails")]
    shown = json.loads(json.dumps(report.as_json()))

    assert shown["faults"] == {"kill -9 a matcher": 2}
    assert shown["signals"] == {"matcher SIGKILL": 2}
    assert (shown["lost"], shown["doubled"]) == (3, 0)
    assert table(report).row_count > 10
