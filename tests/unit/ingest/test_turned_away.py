"""Connections beyond the limit are seen by whoever watches."""

import pytest
from structlog.testing import capture_logs

from ingest.http.turned_away import TurnedAway
from schemas import metrics


def counted() -> float:
    return float(metrics.REQUESTS.labels("connections", "503")._value.get())


@pytest.mark.promise("P-WATCH-06")
def test_each_connection_that_is_too_many_counts_as_a_request_that_is_answered_503() -> None:
    before, turned_away = counted(), TurnedAway(500)
    for _ in range(3):
        turned_away.one(now=1000.0)

    assert counted() - before == 3


@pytest.mark.promise("P-WATCH-06")
def test_the_log_tells_of_them_at_once_and_then_every_ten_seconds_at_most() -> None:
    turned_away = TurnedAway(500)
    with capture_logs() as logs:
        for now in (1000.0, 1001.0, 1009.9, 1010.0, 1010.1):
            turned_away.one(now)

    assert [(line["event"], line["connections"], line["limit"]) for line in logs] == [
        ("connections_turned_away", 1, 500),
        ("connections_turned_away", 3, 500),
    ]
    assert all("PROFUSE_CONNECTIONS_LIMIT" in line["todo"] for line in logs)
