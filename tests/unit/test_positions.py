"""What a partition's row and the broker say together, and what moving a position would mean."""

import pytest

from profuse.positions.planning import Move, additions, moves
from profuse.positions.standing import BEYOND, GONE, LOST, NEW, OTHER, SAME, UNPLACED, Range, Row, Standing
from runtime.errors import CannotRun

pytestmark = pytest.mark.promise("P-OPS-54")


def standing(
    position: int | None = 5, mark: str | None = "x", found: tuple[int, int] | None = (0, 9), before: str | None = "x"
) -> Standing:
    row = None if position is None else Row(position, mark, 0, None)
    return Standing("imports", 3, row, None if found is None else Range(*found, before))


@pytest.mark.parametrize(
    ("partition", "state", "waiting"),
    [
        (standing(), SAME, 4),
        (standing(9), SAME, 0),
        (standing(before="y"), OTHER, None),
        (standing(before=None), OTHER, None),
        (standing(10), BEYOND, None),
        (standing(10, mark=None), BEYOND, None),
        (standing(0, mark=None), NEW, 9),
        (standing(0, mark=None, found=(0, 0)), NEW, 0),
        (standing(2, found=(4, 9)), LOST, 5),
        (standing(4, found=(4, 9)), LOST, 5),
        (standing(2, mark=None, found=(4, 9)), LOST, 5),
        (standing(4, mark=None, found=(4, 9)), NEW, 5),
        (standing(None), UNPLACED, None),
        (standing(found=None), GONE, None),
    ],
)
def test_a_partition_is_told_to_be_what_a_worker_would_find(partition: Standing, state: str, waiting: int | None) -> None:
    assert (partition.state, partition.waiting) == (state, waiting)


@pytest.mark.parametrize(
    ("partition", "to", "skipped", "again", "meaning"),
    [
        (standing(), 5, 0, 0, "nothing is skipped, nothing is read again"),
        (standing(), 9, 4, 0, "4 records are skipped: their items stay without an answer"),
        (standing(), 0, 0, 5, "5 records are read again: what is answered or scheduled is not done twice"),
        (standing(before="y"), 0, 0, 0, "what the topic of before held from 5 on is lost"),
        (
            standing(50),
            9,
            9,
            0,
            "what the topic of before held from 50 on is lost; 9 records are skipped: their items stay without an answer",
        ),
        (standing(2, found=(4, 9)), 4, 0, 0, "2 records were deleted before they were processed"),
        (standing(None), 0, 0, 0, "nothing is skipped, nothing is read again"),
    ],
)
def test_a_move_says_what_is_skipped_repeated_and_lost(partition: Standing, to: int, skipped: int, again: int, meaning: str) -> None:
    move = Move(partition, to)

    assert (move.skipped, move.again, move.meaning) == (skipped, again, meaning)


@pytest.mark.parametrize(
    ("where", "partitions", "why"),
    [
        ("", (), "(nothing) is no place: say start, end or an offset."),
        ("middle", (3,), "middle is no place"),
        ("-1", (3,), "-1 is no place"),
        ("٣", (3,), "٣ is no place"),
        ("1" * 19, (3,), "is no place"),
        ("5", (), "An offset means something in one partition only"),
        ("5", (3, 4), "An offset means something in one partition only"),
        ("10", (3,), "imports/3 has no offset 10: it begins at 0, and 9 comes next."),
        ("start", (12,), "imports has no partition 12"),
        ("start", (7,), "imports has no partition 7"),
        ("start", (4,), "Partition 4 has no position to move: `profuse positions add imports` gives it one."),
    ],
)
def test_a_place_that_is_none_is_refused_by_its_name(where: str, partitions: tuple[int, ...], why: str) -> None:
    unplaced = Standing("imports", 4, None, Range(0, 9))
    gone = Standing("imports", 7, Row(1, "x", 0, None), None)

    with pytest.raises(CannotRun) as refused:
        moves([standing(), unplaced, gone], where, partitions)

    assert why in str(refused.value)


def test_partitions_that_were_added_begin_at_their_first_record_and_the_others_stay() -> None:
    added = Standing("imports", 4, None, Range(2, 9))

    assert additions([standing(), added]) == [Move(added, 2)]
