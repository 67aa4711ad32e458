"""What a run says at its end."""

import json
from io import StringIO
from pathlib import Path

from rich.console import Console

from bench import plots, report
from bench.run import Found
from bench.targets import Figure, alone, ratio

_FOUND = Found(
    figures={
        "new": {"ratio": Figure(0.125, 1_000, 8_000)},
        "changed": {"ratio": Figure(0.25, 2_000, 8_000)},
        "idle": {"cpu": alone(3.0)},
        "single": {"rate": ratio(100, 50), "alone": ratio(20, 5)},
        "sizes": {size: ratio(500, 960) for size in ("1", "10", "100")},
        "peers": {"orm": ratio(1_000, 10), "core": ratio(1_000, 500)},
        "ladder": {step: ratio(1_000, 8_000) for step in ("kafka", "match", "answer", "launch")},
    },
    skipped={"mail": "there is no [sink]"},
    parts={"all new, µs of CPU a profile": {"matcher": 30.04, "gateway": 10.0}},
    latencies={"Profuse, alone": [0.02, 0.03], plots.LATE: [0.1]},
)


def test_the_last_line_has_a_key_for_each_line() -> None:
    told = json.loads(report.as_json(_FOUND))

    assert told["new"] == {"ours": 1000.0, "floor": 8000.0, "ratio": 0.125}
    assert told["single"]["rate"] == {"value": 2.0, "ours": 100.0, "beside": 50.0}
    assert told["mail"] == {"skipped": "there is no [sink]"}
    assert told["parts"] == {"all new, µs of CPU a profile": {"matcher": 30.0, "gateway": 10.0}}


def test_a_table_tells_verdicts_and_what_was_skipped() -> None:
    console = Console(width=250, record=True, file=StringIO())
    for table in report.tables(_FOUND):
        console.print(table)
    shown = console.export_text().splitlines()

    assert any("all new" in line and "missed" in line for line in shown)
    assert any("idle" in line and "must" in line for line in shown)
    assert any("mails/s" in line and "skipped: there is no [sink]" in line for line in shown)


def test_each_picture_is_drawn_whose_figures_are_there(tmp_path: Path) -> None:
    plots.draw(_FOUND, tmp_path / "all")
    plots.draw(Found(), tmp_path / "none")

    assert sorted(file.name for file in (tmp_path / "all").iterdir()) == [
        "cpu.svg",
        "ladder.svg",
        "latency.svg",
        "lateness.svg",
        "rates.svg",
    ]
    assert list((tmp_path / "none").iterdir()) == []
