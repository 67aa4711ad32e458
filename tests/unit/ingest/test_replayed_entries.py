"""An answer that is asked for while a dead letter is being replayed."""

import pytest

from ingest.endpoints.batch import _finished


@pytest.mark.promise("P-DOOR-17")
def test_a_batch_whose_entry_was_taken_back_is_answered_202_and_no_null() -> None:
    replayed, whole = [_finished(b"b" * 12, [{"profile_id": "0" * 24}, entry]) for entry in (None, {"error": 400, "error_text": "x"})]

    assert replayed.status == 202
    assert (whole.status, len(whole.fields["result"])) == (200, 2)
