"""Who sees the console, and who may act in it."""

import re
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx2
import pytest

from profuse import console_tokens
from profuse.console.access.rights import Rights
from profuse.console.acting.deeds import DEEDS
from profuse.console.application import ACTS, PAGES
from profuse.stack.ports import free_port
from runtime.errors import CannotRun
from schemas.settings import Settings
from schemas.tokens import hashed
from tests.visiting import Visitor, visiting

pytestmark = pytest.mark.promise("P-CONSOLE-02")

VALUES = {"batch": "0" * 24, "item": "0", "account": "1", "number": "8", "id": "1", "deed": "cancel"}
PATHS = [path.format(**VALUES) for path in PAGES]
SENT = ["/logout", *(path.format(**VALUES) for path in ACTS)]
FORM = {"form": "f" * 30, "scope": "{}", "counted": "1"}

_INLINE = re.compile(r"<script(?![^>]*\ssrc=)|<style|\son\w+\s*=|\sstyle\s*=|javascript:", re.IGNORECASE)


@pytest.mark.parametrize("path", PATHS)
async def test_a_stranger_is_asked_to_log_in_by_every_page(stranger: Visitor, path: str) -> None:
    answer = await stranger.get(path)

    assert (answer.status_code, answer.headers["location"].split("?")[0]) == (303, "/login")


@pytest.mark.parametrize("path", SENT)
async def test_a_stranger_does_nothing(stranger: Visitor, pool: asyncpg.Pool, path: str) -> None:
    answer = await stranger.post(path, FORM)

    assert (answer.status_code, answer.headers["location"]) == (303, "/login")
    assert await pool.fetchval("SELECT count(*) FROM console_actions") == 0


@pytest.mark.parametrize("token", ["", "wrong", "x" * 5_000, "' OR 1=1 --", "é", "%00"])
async def test_what_is_no_token_gets_nobody_in(stranger: Visitor, tables: Settings, token: str) -> None:
    await console_tokens.add(tables, "ann", Rights.READ, None)
    answer = await stranger.log_in(token)

    assert answer.status_code == 401
    assert "set-cookie" not in answer.headers


async def test_a_token_of_the_api_does_not_log_in(stranger: Visitor, pool: asyncpg.Pool) -> None:
    await pool.execute("INSERT INTO accounts VALUES (1, 'demo')")
    await pool.execute("INSERT INTO tokens (account, name, hash, rights) VALUES (1, 'api', $1, '{read}')", hashed("api-token"))

    assert (await stranger.log_in("api-token")).status_code == 401


async def test_a_cookie_is_for_nobody_but_the_browser_and_no_other_site(stranger: Visitor, tables: Settings) -> None:
    token = await console_tokens.add(tables, "ann", Rights.READ, None)
    cookie = (await stranger.log_in(token)).headers["set-cookie"]
    behind_tls = (await stranger.post("/login", {"token": token}, **{"X-Forwarded-Proto": "https"})).headers["set-cookie"]

    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Path=/" in cookie
    assert ("Secure" in cookie, "Secure" in behind_tls) == (False, True)


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_a_cookie_that_a_browser_got_by_tls_is_for_tls_only_wherever_the_proxy_is(
    stranger: Visitor, tables: Settings, scheme: str
) -> None:
    token = await console_tokens.add(tables, "ann", Rights.READ, None)
    answer = await stranger.post("/login", {"token": token}, Host="console.test", Origin=f"{scheme}://console.test")

    assert ("Secure" in answer.headers["set-cookie"]) is (scheme == "https")


async def test_tokens_and_cookies_are_stored_as_hashes_only(stranger: Visitor, tables: Settings, pool: asyncpg.Pool) -> None:
    token = await console_tokens.add(tables, "ann", Rights.READ, None)
    cookie = (await stranger.log_in(token)).headers["set-cookie"].split(";")[0].partition("=")[2]
    stored = str([*await pool.fetch("SELECT * FROM console_tokens"), *await pool.fetch("SELECT * FROM console_sessions")])

    assert token not in stored
    assert cookie not in stored
    assert repr(hashed(token)) in stored


@pytest.mark.parametrize(
    "ending",
    [
        "UPDATE console_tokens SET revoked_at = now()",
        "UPDATE console_tokens SET expires_at = now() - interval '1 second'",
        "UPDATE console_sessions SET expires_at = now() - interval '1 second'",
        "DELETE FROM console_tokens",
    ],
)
async def test_whose_token_is_over_is_out_with_the_next_request(operator: Visitor, pool: asyncpg.Pool, ending: str) -> None:
    csrf = await operator.csrf()
    await pool.execute(ending)

    assert (await operator.get("/")).status_code == 303
    assert (await operator.post("/do/cancel", FORM | {"csrf": csrf})).headers["location"] == "/login"
    assert await pool.fetchval("SELECT count(*) FROM console_actions") == 0


async def test_who_logs_out_is_out_and_others_stay(operator: Visitor, reader: Visitor) -> None:
    cookies = dict(operator.http.cookies)
    answer = await operator.post("/logout", {"csrf": await operator.csrf()})
    operator.http.cookies.update(cookies)

    assert answer.headers["location"] == "/login"
    assert (await operator.get("/actions")).status_code == 303
    await reader.see("/actions")


async def test_logging_in_leads_back_and_never_to_another_site(stranger: Visitor, tables: Settings) -> None:
    token = await console_tokens.add(tables, "ann", Rights.READ, None)
    asked = await stranger.get("/batches?account=1&trigger=8")
    page = await stranger.see(asked.headers["location"])
    there = await stranger.post("/login", {"token": token, "next": "/batches?account=1&trigger=8"})
    elsewhere = await stranger.post("/login", {"token": token, "next": "//evil.test/"})

    assert 'value="/batches?account=1&amp;trigger=8"' in page
    assert [there.headers["location"], elsewhere.headers["location"]] == ["/batches?account=1&trigger=8", "/"]


@pytest.mark.parametrize("deed", DEEDS)
async def test_who_may_only_look_does_nothing(reader: Visitor, pool: asyncpg.Pool, deed: str) -> None:
    answer = await reader.post(f"/do/{deed}", FORM | {"csrf": await reader.csrf()})

    assert answer.status_code == 403
    assert await pool.fetchval("SELECT count(*) FROM console_actions") == 0


@pytest.mark.promise("P-CONSOLE-05")
@pytest.mark.parametrize("path", SENT)
@pytest.mark.parametrize(
    ("csrf", "headers"),
    [
        ("", {}),
        ("wrong", {}),
        ("\u00e9", {}),
        ("own", {"Origin": "http://evil.test"}),
        ("own", {"Origin": "null"}),
        ("own", {"Sec-Fetch-Site": "cross-site"}),
    ],
)
async def test_no_other_site_sends_a_form_for_somebody(
    operator: Visitor, pool: asyncpg.Pool, path: str, csrf: str, headers: dict[str, str]
) -> None:
    own = await operator.csrf()
    answer = await operator.post(path, FORM | {"csrf": own if csrf == "own" else csrf}, **headers)

    assert answer.status_code == 403
    assert await pool.fetchval("SELECT count(*) FROM console_actions") == 0
    await operator.see("/actions")


async def test_the_form_of_one_log_in_is_not_that_of_another(operator: Visitor, reader: Visitor) -> None:
    assert (await operator.post("/do/cancel", FORM | {"csrf": await reader.csrf()})).status_code == 403


async def test_nobody_is_logged_in_by_another_site(stranger: Visitor, tables: Settings) -> None:
    token = await console_tokens.add(tables, "ann", Rights.READ, None)

    assert (await stranger.post("/login", {"token": token}, Origin="http://evil.test")).status_code == 403


@pytest.mark.promise("P-CONSOLE-06")
@pytest.mark.parametrize(
    "path", [*sorted(set(PATHS) - {"/now"}), "/login", "/nowhere", "/static/console.js", "/static/nothing.js", "/batches/x", "/do/nothing"]
)
async def test_each_answer_forbids_what_is_not_ours_and_no_page_has_a_script_of_its_own(operator: Visitor, path: str) -> None:
    answer = await operator.get(path)
    policy = answer.headers["content-security-policy"]

    assert "default-src 'none'" in policy
    if "/mail" not in path:
        assert "unsafe" not in policy
        assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert _INLINE.search(answer.text) is None or path.startswith("/static/")


@pytest.mark.promise("P-CONSOLE-10")
async def test_where_nobody_can_log_in_the_page_says_how(stranger: Visitor, tables: Settings) -> None:
    before = await stranger.see("/login")
    await console_tokens.add(tables, "ann", Rights.READ, timedelta(hours=1))

    assert "There is no console token yet" in before
    assert "There is no console token yet" not in await stranger.see("/login")


@pytest.mark.parametrize("name", ["", " ", "a" * 65, "<script>", "a\nb", "a\0b", "-", "../x"])
async def test_a_token_s_name_is_one_that_can_be_read(tables: Settings, name: str) -> None:
    with pytest.raises(CannotRun, match="no name"):
        await console_tokens.add(tables, name, Rights.READ, None)


async def test_a_name_is_taken_until_its_token_is_over_and_whoever_had_it_is_out(
    stranger: Visitor, tables: Settings, operator: Visitor
) -> None:
    with pytest.raises(CannotRun, match="already"):
        await console_tokens.add(tables, "olga", Rights.READ, None)
    await console_tokens.revoke(tables, "olga")
    token = await console_tokens.add(tables, "olga", Rights.READ, None)
    with pytest.raises(CannotRun, match="There is no console token nobody"):
        await console_tokens.revoke(tables, "nobody")

    assert (await operator.get("/actions")).status_code == 303
    assert (await stranger.log_in(token)).status_code == 303
    assert [(row["name"], row["rights"], row["state"]) for row in await console_tokens.listed(tables)] == [("olga", "read", "valid")]


@pytest.mark.promise("P-CONSOLE-10")
async def test_without_postgres_each_page_says_so(settings: Settings, tmp_path: Path) -> None:
    away = settings.model_copy(update={"postgres": f"postgresql://postgres@127.0.0.1:{free_port()}/postgres"})
    async with visiting(away, tmp_path) as visitor:
        visitor.http.cookies.set(f"profuse_console_{visitor.http.base_url.port}", "anything")
        answers: list[httpx2.Response] = [await visitor.get(path) for path in ("/login", "/", "/batches")]

    assert {answer.status_code for answer in answers} == {503}
    assert all("Postgres does not answer" in answer.text for answer in answers)
    assert all("default-src 'none'" in answer.headers["content-security-policy"] for answer in answers)
