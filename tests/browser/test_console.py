"""The console as somebody sees and uses it, in Debian's Chromium."""

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser.conftest import PATIENCE, Person, listening, send
from tests.stack.door import Door, wait_until
from tests.stack.producer import value

pytestmark = [pytest.mark.promise("P-CONSOLE-10"), pytest.mark.timeout(240)]

PAGES = {
    "/": "Now",
    "/batches": "Batches",
    "/pending": "Pending launches",
    "/dead-letters": "Dead letters",
    "/triggers": "Triggers",
    "/ways": "Providers",
    "/tokens": "Tokens",
    "/actions": "Actions",
}
_LETTER = """
INSERT INTO dead_letters (topic, partition, "offset", key, value, headers, reason)
VALUES ('profuse.imports', 0, $1, 'k', $2, '[]', $3) ON CONFLICT DO NOTHING RETURNING 1
"""
_UGLY = """<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>"""


def bury(stack: Door, offset: int, what: bytes, reason: str) -> None:
    value(stack, _LETTER, offset, what, reason)


@pytest.fixture
def busy(stack: Door) -> str:
    """A batch with two failed items, that waits for a day; its id."""
    ugly = [{"data": {"email": "no address"}}, {"data": {"emial": "typo@browser.test"}}]
    good = [{"data": {"email": f"waits{n}@browser.test", "_fname": f"Юля {n}"}} for n in range(40)]
    batch = send(stack, 0, data=ugly + good, timeout={"days": 1})
    wait_until(lambda: value(stack, "SELECT imported + failed = total FROM batch_progress WHERE batch = decode($1, 'hex')", batch))
    wait_until(lambda: value(stack, "SELECT count(*) FROM launches WHERE batch = decode($1, 'hex')", batch) > 0)
    return batch


def test_each_page_is_there_and_the_browser_has_nothing_against_it(olga: Person, stack: Door, busy: str) -> None:
    bury(stack, 10**9, b'{"v":1,"email":"ann@example.com"}', "unreadable: EOF")
    send(stack, 200)
    for path, title in PAGES.items():
        olga.go(path)
        olga.sees(title)
        assert olga.find("h1").text == title
        assert olga.find("nav a[aria-current=page]").get_attribute("href").endswith(path)
        olga.picture(path.strip("/") or "now")
    paths = {f"/batches/{busy}": "batch", f"/batches/{busy}/items": "items", f"/batches/{busy}/items/5": "item", "/triggers/1/8": "trigger"}
    for path, name in {**paths, "/dead-letters/one?id=imports/0/1000000000": "dead-letter", f"/do/cancel?batch={busy}": "plan"}.items():
        olga.go(path)
        olga.picture(name)

    assert olga.complaints() == []


@pytest.mark.promise("P-CONSOLE-03")
def test_now_changes_by_itself_and_stops_when_it_is_told(olga: Person, stack: Door) -> None:
    olga.go("/")
    olga.sees("ready")
    accepted = "document.querySelector('.card .quiet').textContent"
    before = olga.asks(accepted)
    send(stack, 50)
    WebDriverWait(olga.driver, PATIENCE).until(lambda _: olga.asks(accepted) != before)
    olga.type(".")
    olga.sees("stopped: press . to go on")
    stopped = olga.asks(accepted)
    send(stack, 50)
    # The next look of the sampler would have come within two seconds.
    olga.driver.execute_async_script("setTimeout(arguments[0], 5000)")

    assert olga.asks(accepted) == stopped
    olga.type(".")
    WebDriverWait(olga.driver, PATIENCE).until(lambda _: olga.asks(accepted) != stopped)
    assert olga.complaints() == []


@pytest.mark.promise("P-CONSOLE-03")
def test_who_reads_a_live_page_by_keyboard_keeps_his_place(olga: Person) -> None:
    olga.go("/")
    olga.driver.execute_script("document.querySelector('#live a[href=\"/pending\"]').focus()")
    seen = olga.driver.execute_async_script(
        "const done = arguments[0]; let n = 0;"
        "new MutationObserver(() => { if (++n > 1) done(document.activeElement.getAttribute('href')); })"
        ".observe(document.getElementById('live'), {subtree: true, childList: true, characterData: true, attributes: true})"
    )

    assert seen == "/pending"


@pytest.mark.promise("P-CONSOLE-05")
def test_launches_are_cancelled_after_their_count(olga: Person, busy: str) -> None:
    olga.go(f"/batches/{busy}")
    olga.sees("40 wait")
    olga.press("Cancel its launches …")
    olga.sees("launches wait")
    assert olga.find("#count").text.startswith("40")
    olga.press("Cancel them")
    olga.sees("40 launches are cancelled")
    olga.go(f"/batches/{busy}")
    olga.sees("40 cancelled")
    olga.go("/actions")

    assert "olga" in olga.text()
    assert olga.complaints() == []


@pytest.mark.promise("P-CONSOLE-09")
def test_a_dead_letter_is_looked_at_and_sent_again(olga: Person, stack: Door) -> None:
    bury(stack, 2 * 10**9, b"\xff\xfe<script>", "unreadable: by hand")
    olga.go("/dead-letters")
    olga.press("imports/0/2000000000")
    olga.sees("ff fe 3c 73 63")
    olga.press("Send it again …")
    olga.sees("1 dead letters")
    olga.press("Send them again")
    olga.sees("1 were sent again")

    assert value(stack, 'SELECT replayed_at IS NOT NULL FROM dead_letters WHERE "offset" = 2000000000')
    assert olga.complaints() == []


@pytest.mark.promise("P-CONSOLE-08", "P-CONSOLE-06")
def test_a_mail_is_previewed_as_its_reader_sees_it_and_nothing_in_it_runs(olga: Person, stack: Door, busy: str) -> None:
    html = f"<p style='color:red' id=greeting>Hello {{lead._fname}}</p>{_UGLY}"
    value(stack, "UPDATE triggers SET html = $1, name = $2 WHERE number = 8 RETURNING 1", html, _UGLY)
    value(stack, "UPDATE profiles SET data = data || jsonb_build_object('_fname', $1::text) RETURNING 1", _UGLY)
    profile = value(stack, "SELECT encode(id, 'hex') FROM profiles LIMIT 1")
    for path in (f"/triggers/1/8?profile={profile}", "/triggers", "/pending", "/batches", f"/batches/{busy}", f"/batches/{busy}/items/3"):
        olga.go(path)
        assert olga.asks("window.hacked") is None
    olga.go(f"/triggers/1/8?profile={profile}")
    olga.driver.execute_script("document.querySelector('iframe').scrollIntoView()")
    olga.picture("preview")
    olga.driver.switch_to.frame(olga.find("iframe.mail"))
    shown, color = olga.find("#greeting"), olga.find("#greeting").value_of_css_property("color")
    ran = olga.asks("window.hacked")
    text = shown.text
    olga.driver.switch_to.default_content()
    value(stack, "UPDATE triggers SET name = 'Welcome', html = '<p>Hello {lead._fname}</p>' WHERE number = 8 RETURNING 1")

    assert text.startswith("Hello <img src=x")
    assert color in ("rgb(255, 0, 0)", "rgba(255, 0, 0, 1)")
    assert ran is None


@pytest.mark.promise("P-CONSOLE-08")
def test_a_mail_that_is_previewed_makes_the_browser_connect_to_nobody(olga: Person, stack: Door) -> None:
    with listening() as (theirs, connected), listening() as (ours, _):
        html = f"<link rel=preconnect href='{theirs}'><iframe src='{theirs}'></iframe><svg><link rel=preconnect href='{theirs}'></svg>Hi"
        value(stack, "UPDATE triggers SET html = $1 WHERE number = 8 RETURNING 1", html)
        profile = value(stack, "SELECT encode(id, 'hex') FROM profiles LIMIT 1")
        olga.go(f"/triggers/1/8/mail?profile={profile}")
        olga.sees("Hi")
        # The browser has made all connections of before when it has made this one.
        olga.driver.get(ours)
        value(stack, "UPDATE triggers SET html = '<p>Hello {lead._fname}</p>' WHERE number = 8 RETURNING 1")

        assert connected == []


def test_everything_is_reached_by_keyboard(olga: Person, busy: str) -> None:
    for keys, title in (("gb", "Batches"), ("gp", "Pending launches"), ("gd", "Dead letters"), ("gn", "Now")):
        olga.type(keys)
        WebDriverWait(olga.driver, PATIENCE).until(lambda _, title=title: olga.find("h1").text == title)  # type: ignore[misc]
    olga.go("/batches")
    olga.type("/")
    assert olga.driver.switch_to.active_element.get_attribute("name") == "account"
    olga.driver.switch_to.active_element.send_keys("1", Keys.ENTER)
    WebDriverWait(olga.driver, PATIENCE).until(lambda driver: "account=1" in driver.current_url)
    olga.type("?")
    assert olga.find("dialog[open]").is_displayed()
    olga.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    WebDriverWait(olga.driver, PATIENCE).until(lambda driver: not driver.find_elements(By.CSS_SELECTOR, "dialog[open]"))
    olga.go("/batches")
    olga.type(Keys.TAB)
    skip = olga.driver.switch_to.active_element
    assert skip.text == "Skip to the page"
    skip.send_keys(Keys.ENTER)

    assert olga.driver.switch_to.active_element.get_attribute("id") == "main"


@pytest.mark.parametrize("width", [360, 768])
def test_no_page_is_wider_than_a_small_screen(olga: Person, stack: Door, busy: str, width: int) -> None:
    # A headless window is never as narrow as a telephone.
    olga.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride", {"width": width, "height": 700, "deviceScaleFactor": 1, "mobile": True}
    )
    try:
        wide: dict[str, int] = {}
        for path in (*PAGES, f"/batches/{busy}", f"/batches/{busy}/items/5", "/triggers/1/8", f"/do/cancel?batch={busy}", "/nowhere"):
            olga.go(path)
            if (found := olga.asks("document.documentElement.scrollWidth")) > width:
                wide[path] = found
            if path in ("/", f"/batches/{busy}") and width == 360:
                olga.picture(f"small-{'now' if path == '/' else 'batch'}")

        assert wide == {}
    finally:
        olga.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_it_is_dark_where_the_system_is(olga: Person) -> None:
    grounds = {}
    for scheme in ("light", "dark"):
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        olga.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
        olga.go("/")
        olga.sees("ready")
        grounds[scheme] = olga.asks("getComputedStyle(document.documentElement).backgroundColor")
        olga.picture(f"now-{scheme}")
    olga.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})

    assert grounds == {"light": "rgb(251, 251, 250)", "dark": "rgb(22, 24, 27)"}


@pytest.mark.promise("P-CONSOLE-02")
def test_who_may_only_look_finds_no_button_that_acts(person: Person, tokens: dict[str, str], busy: str) -> None:
    person.log_in(tokens["reader"])
    person.go(f"/do/cancel?batch={busy}")
    person.sees("40")

    assert "may look, and not act" in person.text()
    assert person.driver.find_elements(By.CSS_SELECTOR, "main button[type=submit]") == []


@pytest.mark.promise("P-CONSOLE-02")
def test_a_wrong_token_is_told_so_and_logging_out_ends_it(person: Person, tokens: dict[str, str]) -> None:
    person.is_a_stranger()
    person.go("/pending")
    person.find("input[name=token]").send_keys("wrong", Keys.ENTER)
    person.sees("This is no token")
    person.find("input[name=token]").send_keys(tokens["reader"], Keys.ENTER)
    person.sees("Pending launches")
    person.find(".who button").click()
    person.sees("Log in")
    person.go("/batches")

    assert person.find("h1").text == "Log in"
