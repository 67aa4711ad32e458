"""Two accounts that number their things alike: each has its own."""

import pytest

from profuse.applying import apply
from tests.kafka.gateway.running import TOKEN, Running

pytestmark = pytest.mark.asyncio(loop_scope="session")

ALIKE = """
[[accounts]]
id = {account}
name = "alike"

[[accounts.databases]]
id = 9
name = "Customers"

[[accounts.resources]]
id = 9
name = "Newsletter"
channel = "email"
database = 9

[[accounts.triggers]]
id = 9
name = "Welcome"
type = "api_call"
database = 9
channel = "email"
active = true
sender = "Demo <demo@example.com>"
subject = "Hello"
html = "<p>Hello</p>"
"""
OWNERS = """
SELECT b.account, t.account, d.account, r.account FROM batches b
JOIN triggers t ON t.id = b.trigger JOIN databases d ON d.id = b.database JOIN resources r ON r.id = b.resource ORDER BY 1
"""


@pytest.mark.promise("P-OPS-11", "P-HTTP-21")
async def test_what_two_accounts_number_alike_is_each_ones_own(hasty: Running) -> None:
    for account in (1, 2):
        await apply(hasty.settings, ALIKE.format(account=account))
    for token in (TOKEN, "other-token"):
        answer = await hasty.send(token=token, trigger_id=9, resource_id=9)
        assert answer.status_code == 202

    assert [tuple(row) for row in await hasty.pool.fetch(OWNERS)] == [(1,) * 4, (2,) * 4]


@pytest.mark.promise("P-HTTP-16")
@pytest.mark.parametrize("ended", ["revoked = true", "expires_at = now()"])
async def test_a_token_that_has_ended_opens_nothing(hasty: Running, ended: str) -> None:
    await hasty.pool.execute(f"UPDATE tokens SET {ended} WHERE name = 'second'")  # noqa: S608
    try:
        answer = await hasty.post("tasks/status", token="second-token")
    finally:
        await hasty.pool.execute("UPDATE tokens SET revoked = false, expires_at = NULL")

    assert (answer.status_code, answer.json()["error_text"]) == (401, "API token required")
