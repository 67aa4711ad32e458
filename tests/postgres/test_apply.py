"""`profuse apply` on a real Postgres."""

import asyncio
import os
import re
import subprocess
import sys
from pathlib import Path

import asyncpg
import pytest

from profuse.applying import BadDeclaration, apply
from profuse.migrating.tables import alone, downgrade
from profuse.postgres import transaction
from runtime.errors import CannotRun
from schemas.settings import Settings
from schemas.tokens import hashed
from store.configuration import converting

DEMO = (Path(__file__).parents[2] / "examples" / "demo.toml").read_text()

ACCOUNT = """
[[accounts]]
id = {account}
name = "account {account}"
tokens = [{token}]

[[accounts.databases]]
id = 1
name = "Customers"
fields = {{ New_field_1 = {{ type = "string", match = true }}, interests = "tags" }}

[[accounts.resources]]
id = 24
name = "Newsletter"
channel = "email"
database = 1

[[accounts.triggers]]
id = 8
name = "Welcome"
type = "api_call"
database = 1
channel = "email"
resource = 24
sender = "Demo <demo@example.com>"
subject = "Hello"
html = "<p>Hello</p>"
"""
TOKEN = '{ name = "producer", value = "abcdefghijklmnqrstuvwxyz", expires = 2027-01-01T00:00:00Z, rights = ["read", "import"] }'
FILE = ACCOUNT.format(account=1, token=TOKEN)


@pytest.mark.promise("P-APPLY-01")
async def test_a_file_is_brought_about_with_its_references(tables: Settings, pool: asyncpg.Pool) -> None:
    changed = await apply(tables, FILE)
    row = await pool.fetchrow("""
        SELECT t.number, t.active, t.skip_minutes, t.unconditional_sending, d.number AS database, r.number AS resource,
               d.unknown_fields, d.fields->'interests'->>'type' AS interests
        FROM triggers t JOIN databases d ON d.id = t.database JOIN resources r ON r.id = t.resource AND r.database = d.id
    """)

    assert len(changed) == 5
    assert tuple(row) == (8, True, 0, False, 1, 24, "reject", "tags")


@pytest.mark.promise("P-APPLY-02")
@pytest.mark.parametrize("text", [FILE, DEMO], ids=["a file", "the example"])
async def test_the_same_file_again_changes_nothing(tables: Settings, text: str) -> None:
    first = await apply(tables, text)
    second = await apply(tables, text)

    assert first
    assert second == []


@pytest.mark.promise("P-APPLY-22")
async def test_a_text_that_would_be_refused_today_keeps_no_token_from_being_revoked(tables: Settings, pool: asyncpg.Pool) -> None:
    await apply(tables, FILE)
    await pool.execute("UPDATE triggers SET html = '<p>{IF lead.x}</p>', text = ''")
    stored = FILE.replace("<p>Hello</p>", "<p>{IF lead.x}</p>").replace('{ name = "producer"', '{ name = "producer", revoked = true')
    changed = await apply(tables, stored)

    assert "account 1, token producer: revoked" in changed
    with pytest.raises(BadDeclaration, match=r"triggers\[0\]\.html: line 1, column 4: looks like a condition"):
        await apply(tables, stored.replace("{IF lead.x}", "{IF lead.y}"))


@pytest.mark.promise("P-APPLY-22")
async def test_nor_does_one_whose_styles_were_written_into_it(tables: Settings, pool: asyncpg.Pool) -> None:
    await apply(tables, FILE)
    html = "<style>p { color: red }</style><p>{IF lead.x}</p>"
    await pool.execute("UPDATE triggers SET html = $1, text = ''", converting.inlined(html))
    stored = FILE.replace('html = "<p>Hello</p>"', f'inline_css = true\nhtml = "{html}"')
    changed = await apply(tables, stored.replace('{ name = "producer"', '{ name = "producer", revoked = true'))

    assert "account 1, token producer: revoked" in changed


@pytest.mark.promise("P-APPLY-22", "P-APPLY-02")
@pytest.mark.parametrize(
    ("stored", "name", "place"),
    [
        ("UPDATE accounts SET name = $1", '"account 1"', "name"),
        ("UPDATE databases SET name = $1", '"Customers"', "databases[0].name"),
        (
            "UPDATE databases SET fields = fields - 'interests' || jsonb_build_object($1::text, fields->'interests')",
            "interests",
            "databases[0].fields.",
        ),
        ("UPDATE resources SET name = $1", '"Newsletter"', "resources[0].name"),
        ("UPDATE triggers SET name = $1", '"Welcome"', "triggers[0].name"),
    ],
    ids=["account", "database", "field", "resource", "trigger"],
)
async def test_a_name_longer_than_a_new_one_may_be_stays_as_it_is_stored(
    tables: Settings, pool: asyncpg.Pool, stored: str, name: str, place: str
) -> None:
    await apply(tables, FILE)
    await pool.execute(stored, "n" * 300)
    file = FILE.replace(name, f'"{"n" * 300}"')

    assert await apply(tables, file) == []
    assert await apply(tables, file.replace('"producer"', '"producer", revoked = true')) == ["account 1, token producer: revoked"]
    with pytest.raises(BadDeclaration, match=re.escape(f"accounts[0].{place}") + ".*: must have at most 255 characters"):
        await apply(tables, file.replace("n" * 300, "m" * 300))


@pytest.mark.promise("P-APPLY-22")
async def test_what_another_account_has_stored_is_none_of_this_one_s(tables: Settings, pool: asyncpg.Pool) -> None:
    other = ACCOUNT.format(account=2, token="")
    await apply(tables, FILE + other)
    await pool.execute("UPDATE databases SET name = $1 WHERE account = 1", "n" * 300)

    with pytest.raises(BadDeclaration, match=r"^accounts\[1\]\.databases\[0\]\.name: must have at most 255 characters$"):
        await apply(tables, (FILE + other).replace("Customers", "n" * 300))


@pytest.mark.promise("P-APPLY-22")
async def test_however_many_long_mails_there_are_one_process_converts_them_and_each_once(
    tables: Settings, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun, converted, begin, convert = [], [], converting._begun, converting._Kept._converted

    def beginning() -> "subprocess.Popen[bytes]":
        begun.append(begin())
        return begun[-1]

    def noted(kept: converting._Kept, what: str, html: str) -> str | None:
        converted.append(html)
        return convert(kept, what, html)

    monkeypatch.setattr(converting, "_begun", beginning)
    monkeypatch.setattr(converting._Kept, "_converted", noted)
    head, trigger = FILE.split("[[accounts.triggers]]")
    mails = {number: f"<p>Mail {number}</p>" * 1_000 for number in (9, 10)}
    others = [trigger.replace("id = 8", f"id = {number}").replace("<p>Hello</p>", html) for number, html in mails.items()]
    file = "[[accounts.triggers]]".join([head, trigger, *others])
    await apply(tables, file)
    assert (len(begun), converted) == (1, [*mails.values()])

    # It is read again beside what is stored.
    await pool.execute("UPDATE triggers SET html = '<p>{IF lead.x}</p>' WHERE number = 8")
    await apply(tables, file.replace("<p>Hello</p>", "<p>{IF lead.x}</p>"))
    assert (len(begun), converted) == (2, [*mails.values()] * 2)


@pytest.mark.promise("P-APPLY-01")
async def test_only_what_differs_is_changed_and_told(tables: Settings, pool: asyncpg.Pool) -> None:
    await apply(tables, FILE)
    changed = await apply(tables, FILE.replace('subject = "Hello"', 'subject = "Good day"').replace("resource = 24\n", ""))

    assert changed == ["account 1, trigger 8: changed resource, subject"]
    assert tuple(await pool.fetchrow("SELECT subject, html, resource FROM triggers")) == ("Good day", "<p>Hello</p>", None)


@pytest.mark.promise("P-APPLY-03")
async def test_a_change_is_visible_to_everybody_once_apply_has_returned(tables: Settings, pool: asyncpg.Pool) -> None:
    await apply(tables, FILE)
    await apply(tables, FILE.replace('name = "Welcome"', 'name = "Welcome"\nactive = false'))

    assert await pool.fetchval("SELECT active FROM triggers") is False


@pytest.mark.promise("P-APPLY-04")
async def test_what_the_file_does_not_name_stays(tables: Settings, pool: asyncpg.Pool) -> None:
    await apply(tables, FILE)
    changed = await apply(tables, '[[accounts]]\nid = 1\nname = "account 1"\n')

    assert changed == []
    assert tuple(await pool.fetchrow("SELECT (SELECT active FROM triggers), (SELECT revoked FROM tokens)")) == (True, False)


@pytest.mark.promise("P-APPLY-05")
async def test_pruning_retires_what_the_file_does_not_name_and_leaves_other_accounts(tables: Settings, pool: asyncpg.Pool) -> None:
    await apply(tables, FILE)
    await apply(tables, ACCOUNT.format(account=2, token='{ name = "other" }'))
    changed = await apply(tables, '[[accounts]]\nid = 1\nname = "account 1"\n', pruning=True)

    assert sorted(changed) == ["account 1, token producer: revoked", "account 1, trigger 8: deactivated"]
    assert await pool.fetchval("SELECT count(*) FROM triggers") == 2
    assert tuple(await pool.fetchrow("SELECT revoked FROM tokens WHERE account = 2")) == (False,)


@pytest.mark.promise("P-APPLY-06", "P-APPLY-07")
async def test_a_refused_file_changes_nothing_not_even_its_good_parts(tables: Settings, pool: asyncpg.Pool) -> None:
    await apply(tables, FILE)
    with pytest.raises(BadDeclaration, match=r"accounts\[0\]\.databases\[0\]\.fields\.interests: the type cannot change"):
        await apply(tables, FILE.replace('"tags"', '"string"').replace("account 1", "renamed"))

    assert await pool.fetchval("SELECT name FROM accounts") == "account 1"


@pytest.mark.promise("P-APPLY-14")
@pytest.mark.parametrize(
    ("old", "new", "name"),
    [('"tags"', '{ type = "tags", match = true }', "interests"), ('"tags"', '"tags", crm = { type = "int", match = true }', "crm")],
)
async def test_with_profiles_a_field_becomes_one_to_match_by_only_if_they_may_be_filed(
    tables: Settings, pool: asyncpg.Pool, old: str, new: str, name: str
) -> None:
    await apply(tables, FILE)
    await pool.execute("INSERT INTO profiles SELECT 'abcdefghijkl', id, '{}', '[]' FROM databases")
    with pytest.raises(
        BadDeclaration, match=rf"databases\[0\]\.fields\.{name}\.match: profiles exist .*; `profuse apply --reindex` files them"
    ):
        await apply(tables, FILE.replace(old, new))
    changed = await apply(tables, FILE.replace(old, new), reindexing=True)

    assert changed == ["account 1, database 1: changed fields"]
    assert await apply(tables, FILE.replace(old, new)) == []


@pytest.mark.promise("P-APPLY-14")
async def test_without_profiles_any_field_may_become_one_to_match_by(tables: Settings, pool: asyncpg.Pool) -> None:
    await apply(tables, FILE)
    await apply(tables, FILE.replace('"tags"', '{ type = "tags", match = true }'))

    assert await pool.fetchval("SELECT fields->'interests' FROM databases") == '{"type": "tags", "match": true, "options": []}'
    assert await pool.fetchval("SELECT count(*) FROM refilings") == 0


@pytest.mark.promise("P-HTTP-20")
async def test_of_a_token_only_the_hash_is_stored(tables: Settings, pool: asyncpg.Pool) -> None:
    await apply(tables, FILE)
    row = await pool.fetchrow("SELECT hash, rights, extract(year FROM expires_at)::int AS expires FROM tokens")

    assert tuple(row) == (hashed("abcdefghijklmnqrstuvwxyz"), ["import", "read"], 2027)
    assert "abcdefghijklmnqrstuvwxyz" not in await pool.fetchval("SELECT tokens::text FROM tokens")


@pytest.mark.promise("P-APPLY-12")
async def test_a_token_keeps_its_own_limit_until_the_file_names_it_without_one(tables: Settings, pool: asyncpg.Pool) -> None:
    await apply(tables, FILE.replace("expires = ", "in_flight = 50000, expires = "))
    limit = await pool.fetchval("SELECT in_flight FROM tokens")
    changed = await apply(tables, FILE)

    assert (limit, changed) == (50_000, ["account 1, token producer: changed in_flight"])
    assert await pool.fetchval("SELECT in_flight FROM tokens") is None


async def test_tables_that_are_old_are_told_to_be_migrated(tables: Settings) -> None:
    async with alone(tables) as connection:
        await downgrade(connection, "0001")
    with pytest.raises(CannotRun, match=f"old tables in the schema {tables.prefix}: run `profuse migrate` first"):
        await apply(tables, FILE)


@pytest.mark.promise("P-APPLY-08")
async def test_a_token_without_a_value_is_made_and_shown_once(tables: Settings, pool: asyncpg.Pool) -> None:
    text = ACCOUNT.format(account=1, token='{ name = "producer" }')
    first = await apply(tables, text)
    (value,) = [found[1] for line in first if (found := re.search(r"shown only now: (\S{32})$", line))]

    assert await pool.fetchval("SELECT hash FROM tokens") == hashed(value)
    assert await apply(tables, text) == []


@pytest.mark.promise("P-APPLY-08", "P-DOOR-13")
async def test_a_value_that_nobody_could_see_is_told_of_with_the_way_to_another(
    tables: Settings, pool: asyncpg.Pool, tmp_path: Path
) -> None:
    text = ACCOUNT.format(account=1, token='{ name = "producer" }')
    (tmp_path / "demo.toml").write_text(text)
    known = {f"PROFUSE_{name.upper()}": getattr(tables, name) for name in ("kafka", "postgres", "prefix")}
    command = f"{sys.executable} -m profuse apply {tmp_path / 'demo.toml'} > /dev/full"
    done = await asyncio.create_subprocess_shell(command, stderr=asyncio.subprocess.PIPE, env=os.environ | known)
    _, said = await done.communicate()
    again = await apply(tables, text.replace('"producer"', '"producer", value = "chosen"'))

    assert (done.returncode, len(said.decode().splitlines())) == (1, 1)
    assert "nobody has seen their values: give them some in the file, and apply it again" in said.decode()
    assert again == ["account 1, token producer: changed value"]
    assert await pool.fetchval("SELECT hash FROM tokens") == hashed("chosen")


@pytest.mark.promise("P-APPLY-09")
async def test_two_accounts_may_use_the_same_numbers(tables: Settings, pool: asyncpg.Pool) -> None:
    await apply(tables, FILE)
    await apply(tables, ACCOUNT.format(account=2, token=""))
    own = await pool.fetchval("""
        SELECT count(*) FROM triggers t JOIN databases d ON d.id = t.database AND d.account = t.account
        JOIN resources r ON r.id = t.resource AND r.account = t.account WHERE t.number = 8
    """)

    assert own == 2


async def test_a_token_value_of_another_account_is_refused_without_naming_it(tables: Settings) -> None:
    await apply(tables, FILE)
    with pytest.raises(BadDeclaration) as refused:
        await apply(tables, ACCOUNT.format(account=2, token=TOKEN))

    assert str(refused.value) == "accounts[0].tokens[0].value: another token has this value; choose a new one"


async def test_rivals_apply_one_after_the_other(tables: Settings) -> None:
    async with asyncio.TaskGroup() as rivals:
        changes = [rivals.create_task(apply(tables, FILE)) for _ in range(6)]

    assert sorted(len(task.result()) for task in changes) == [0, 0, 0, 0, 0, 5]


async def test_without_tables_the_operator_is_told_to_migrate(settings: Settings) -> None:
    with pytest.raises(CannotRun, match="run `profuse migrate` first"):
        await apply(settings, FILE)


async def test_without_postgres_the_operator_is_told_where_it_was_looked_for(settings: Settings) -> None:
    nowhere = settings.model_copy(update={"postgres": "postgresql://me:secret@127.0.0.1:1/x"})
    with pytest.raises(CannotRun, match=re.escape("Postgres at postgresql://me:***@127.0.0.1:1/x does not answer")):
        async with transaction(nowhere):
            pass
