"""`/u/<signed>`: who has the link of a mail unsubscribes, and nothing else."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

import httpx2
import pytest
import pytest_asyncio
from pydantic import SecretStr
from structlog.testing import capture_logs

from schemas import metrics
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
    link = Unsubscribing(changes.get("account", 1), bytes.fromhex(profile), changes.get("resource", 24), digest(KEY, "news@good.test"))
    return f"/u/{signed([KEY], link, datetime.now(UTC))}"


async def statuses(world: Running, profile: Json) -> list[str]:
    shown = await get(world, matching="profile_id", profile_id=profile["_id"])
    return [each["status"] for each in shown["data"]["subscriptions"]]


async def call(world: Running, method: str, path: str, content: str = "") -> httpx2.Response:
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    return await world.client.request(method, world.gateway.url + path, content=content, headers=headers)


@pytest.mark.promise("P-UNSUB-04", "P-HTTP-26")
async def test_what_nobody_foresaw_is_a_page_that_says_to_try_again(linked: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("ann@unsub.test")

    path = path_to("ab" * 12)
    with monkeypatch.context() as patched, capture_logs() as logs:
        patched.setattr("schemas.links.read", fail)
        met = [await call(linked, method, path) for method in ("GET", "POST")]
    later = await call(linked, "POST", path)

    assert {answer.status_code for answer in met} == {503}
    assert all(shown(answer) and "ann@" not in answer.text for answer in met)
    assert [(entry["event"], entry["path"]) for entry in logs] == [("request_failed", "/u/")]
    assert path not in str(logs)
    assert later.status_code == 200


@pytest.mark.promise("P-UNSUB-04", "P-HTTP-26")
async def test_subscriptions_that_are_none_cost_one_reader_a_503(linked: Running) -> None:
    ann = await stored(linked, {"email": "odd@unsub.test"}, NEWS)
    store = "UPDATE profiles SET subscriptions = $2::jsonb WHERE id = $1"
    await linked.pool.execute(store, bytes.fromhex(ann["_id"]), "5")
    met = await call(linked, "POST", path_to(ann["_id"]))
    await linked.pool.execute(store, bytes.fromhex(ann["_id"]), "[]")

    assert (met.status_code, shown(met)) == (503, True)


@pytest.mark.promise("P-WATCH-06")
async def test_what_a_reader_is_answered_is_counted_like_a_call(linked: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = {status: metrics.REQUESTS.labels("/u/", status)._value for status in ("200", "503")}
    before = {status: value.get() for status, value in counted.items()}
    path = path_to("ab" * 12)
    await call(linked, "GET", path)
    with monkeypatch.context() as patched:
        patched.setattr("schemas.links.read", lambda *_: 1 // 0)
        await call(linked, "GET", path)

    assert {status: value.get() - before[status] for status, value in counted.items()} == {"200": 1, "503": 1}


@pytest.mark.promise("P-UNSUB-04")
async def test_while_the_database_cannot_answer_its_page_says_to_try_again(linked: Running) -> None:
    await linked.pool.execute("ALTER TABLE profiles RENAME TO elsewhere")
    met = await call(linked, "POST", path_to("ab" * 12))
    await linked.pool.execute("ALTER TABLE elsewhere RENAME TO profiles")

    assert (met.status_code, shown(met)) == (503, True)


def shown(answer: httpx2.Response) -> bool:
    """Whether it is the page for later, made for a person."""
    return "Please try again" in answer.text and answer.headers["Retry-After"] == "5" and answer.headers["Cache-Control"] == "no-store"


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
