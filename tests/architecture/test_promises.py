"""Every promise that is built has a test, and every test that proves something names a promise."""

from pathlib import Path

import pytest

from tests.promises import PAGE, TESTS, Promise, UnclearPage, marked, read, unshown


def test_every_promise_that_is_built_has_a_test() -> None:
    missing = unshown(read(PAGE.read_text()).values(), marked(TESTS))

    assert [promise.id for promise in missing if not promise.later] == []


def test_every_marker_names_a_promise_of_the_page() -> None:
    assert marked(TESTS) - read(PAGE.read_text()).keys() == set()


def test_a_promise_is_an_id_a_sentence_and_perhaps_a_later() -> None:
    page = "# Page\n\n- **P-HTTP-01** It answers.\n- **P-HTTP-02** It sings. (later)\n"

    assert list(read(page).values()) == [Promise("P-HTTP-01", "It answers.", later=False), Promise("P-HTTP-02", "It sings.", later=True)]


@pytest.mark.parametrize("page", ["- **P-HTTP-1** Too short.", "- **P-HTTP-01** One.\n- **P-HTTP-01** Again."])
def test_an_unclear_page_is_refused(page: str) -> None:
    with pytest.raises(UnclearPage):
        read(page)


def test_markers_are_found_in_decorators_and_in_parameters(tmp_path: Path) -> None:
    # Put together here, so that this file marks nothing itself.
    mark = "pytest.mark." + "promise"
    (tmp_path / "test_it.py").write_text(
        f'@{mark}("P-A-01", "P-A-02")\ndef test(): ...\ncases = [pytest.param(1, marks={mark}("P-A-03"))]\n'
    )

    assert marked(tmp_path) == {"P-A-01", "P-A-02", "P-A-03"}
