"""`/u/<signed>`: who has the link of a mail unsubscribes, and nothing else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx
import pytest
import pytest_asyncio
from pydantic import SecretStr

from schemas.links import Unsubscribing, digest, signed
from schemas.settings import Settings
from tests.kafka.gateway.running import Json, Running, running
from tests.kafka.gateway.test_profiles import NEWS, get, stored

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.promise("P-UNSUB-02")]
KEY = "a secret of more than thirty-two letters"
OTHER = NEWS | {"email": "other@good.test"}


@pytest_asyncio.fixture(loop_scope="session")
async def linked(configured: Settings) -> AsyncIterator[Running]:
    settings = configured.model_copy(update={"public_url": "https://mail.example.test", "link_keys": [SecretStr(KEY)]})
    async with running(settings) as world:
        yield world
        await world.forget()


def path_to(profile: str, **changes: int) -> str:
    link = Unsubscribing(changes.get("account", 1), bytes.fromhex(profile), changes.get("resource", 24), digest("news@good.test"))
    return f"/u/{signed([KEY], link, datetime.now(UTC))}"


async def statuses(world: Running, profile: Json) -> list[str]:
    shown = await get(world, matching="profile_id", profile_id=profile["_id"])
    return [each["status"] for each in shown["data"]["subscriptions"]]


async def call(world: Running, method: str, path: str, content: str = "") -> httpx.Response:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return await world.client.request(method, world.gateway.url + path, content=content, headers=headers)


async def test_a_mail_program_unsubscribes_by_one_post_and_only_from_that_address(linked: Running) -> None:
    ann = await stored(linked, {"email": "ann@unsub.test"}, NEWS, OTHER)

    for _ in range(2):
        answer = await call(linked, "POST", path_to(ann["_id"]), "List-Unsubscribe=One-Click")
        assert (answer.status_code, "Unsubscribed" in answer.text) == (200, True)
    assert await statuses(linked, ann) == ["unsubscribed", "subscribed"]


async def test_a_look_changes_nothing_and_shows_a_button(linked: Running) -> None:
    ann = await stored(linked, {"email": "bob@unsub.test"}, NEWS)
    answer = await call(linked, "GET", path_to(ann["_id"]))

    assert (answer.status_code, '<form method="post">' in answer.text) == (200, True)
    assert answer.headers["Cache-Control"] == "no-store"
    assert await statuses(linked, ann) == ["subscribed"]


async def test_one_whose_profile_is_gone_is_unsubscribed_all_the_same(linked: Running) -> None:
    assert [(await call(linked, method, path_to("ab" * 12))).status_code for method in ("GET", "POST")] == [200, 200]


@pytest.mark.parametrize("change", [{"account": 2}, {"resource": 25}])
async def test_a_link_means_its_own_account_and_resource(linked: Running, change: dict[str, int]) -> None:
    ann = await stored(linked, {"email": f"own-{change}@unsub.test"}, NEWS)
    await call(linked, "POST", path_to(ann["_id"], **change))

    assert await statuses(linked, ann) == ["subscribed"]


@pytest.mark.parametrize("path", ["/u/", "/u/x", "/u/" + "A" * 62, "/u/" + "A" * 5_000, "/u/%00", "/u/a/b"])
async def test_nonsense_is_an_unknown_link(linked: Running, path: str) -> None:
    assert {(await call(linked, method, path)).status_code for method in ("GET", "POST")} == {404}


async def test_without_a_public_address_there_is_no_such_path(patient: Running) -> None:
    assert (await call(patient, "GET", path_to("ab" * 12))).status_code == 404
