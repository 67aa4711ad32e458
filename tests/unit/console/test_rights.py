"""Who gets in, as far as that can be told without asking anybody."""

import pytest

from profuse.console.access.rights import comes_from_us, cookie_name, csrf_of, is_same, onward

pytestmark = pytest.mark.promise("P-CONSOLE-02")


@pytest.mark.parametrize(
    ("origin", "site", "ours"),
    [
        (None, None, True),
        ("http://127.0.0.1:8090", "same-origin", True),
        (None, "none", True),
        ("http://evil.test", None, False),
        ("http://127.0.0.1:8080", None, False),
        ("http://127.0.0.1:8090", "same-site", False),
        ("http://127.0.0.1:8090.evil.test", None, False),
        (None, "cross-site", False),
        ("null", None, False),
        ("", None, False),
        ("http://[", None, False),
    ],
)
def test_only_a_page_of_ours_may_send_a_form(origin: str | None, site: str | None, ours: bool) -> None:
    assert comes_from_us("127.0.0.1:8090", origin, site) is ours


@pytest.mark.parametrize(
    "path", ["//evil.test", "/\\evil.test", "https://evil.test", "javascript:alert(1)", "", "x", "/a\r\nSet-Cookie: b", "/\t/evil"]
)
def test_nobody_is_led_to_another_site(path: str) -> None:
    assert onward(path) == "/"


def test_who_logged_in_on_the_way_to_a_page_gets_there() -> None:
    assert onward("/batches?account=1&trigger=8") == "/batches?account=1&trigger=8"


def test_two_consoles_of_one_machine_do_not_log_each_other_out() -> None:
    names = {cookie_name(host) for host in ("127.0.0.1:8090", "127.0.0.1:8091", "console.example.com", "[::1]:8092")}

    assert len(names) == 4


def test_what_a_form_carries_is_of_its_session_and_does_not_tell_it() -> None:
    assert csrf_of("one") != csrf_of("two")
    assert "one" not in csrf_of("one")
    assert is_same(csrf_of("one"), csrf_of("one"))
    assert not any(is_same(given, csrf_of("one")) for given in ("", csrf_of("two"), "é", "\ud800"))
