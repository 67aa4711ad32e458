"""What every process says of itself."""

import httpx2
import pytest

from tests.pipeline.stack import Stack


@pytest.mark.promise("P-HTTP-30")
@pytest.mark.parametrize("room", ["gateway", "matcher", "launcher"])
def test_a_process_says_that_it_moves_that_its_edges_answer_and_what_it_counted(pipeline: Stack, room: str) -> None:
    (process,) = [process for process in pipeline.processes if process.room == room]
    answers = {path: httpx2.get(f"http://127.0.0.1:{process.health_port}/{path}") for path in ("healthz", "readyz", "metrics")}

    assert {path: answer.status_code for path, answer in answers.items()} == {"healthz": 200, "readyz": 200, "metrics": 200}
    assert "# HELP profuse_" in answers["metrics"].text
