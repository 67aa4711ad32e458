"""Who may do what: every endpoint without each right, and tokens that are none any more."""

import json
from pathlib import Path

import httpx2
import pytest

from tests.pipeline.processes import run
from tests.pipeline.stack import BATCH, Stack

NEEDED = {
    BATCH: {"import", "launch"},
    f"{BATCH}_task": {"import", "launch"},
    "campaigns/triggers/import_and_start": {"import", "launch"},
    "campaigns/triggers/start": {"launch"},
    "campaigns/triggers/start_batch": {"launch"},
    "campaigns/triggers/start_batch_task": {"launch"},
    "campaigns/triggers/cancel": {"launch"},
    "campaigns/triggers/add": {"configure"},
    "campaigns/triggers/update": {"configure"},
    "campaigns/triggers/get": {"read"},
    "campaigns/triggers/list": {"read"},
    "databases/list": {"read"},
    "databases/fields_get": {"read"},
    "profiles/import": {"import"},
    "profiles/import_batch": {"import"},
    "profiles/import_batch_task": {"import"},
    "subscriptions/set": {"import"},
    "profiles/get": {"read"},
    "profiles/delete": {"erase"},
    "tasks/status": {"read"},
}
# What may be asked without saying anything.
ASKS_NOTHING = {"databases/list", "campaigns/triggers/list"}
WITHOUT = {
    "token-without-import": {"import"},
    "token-without-launch": {"launch"},
    "token-without-read": {"read"},
    "token-without-erase": {"erase", "configure"},
    "token-without-rights": {"import", "launch", "read", "erase", "configure"},
}


def ask(stack: Stack, path: str, token: str, scheme: str = "") -> httpx2.Response:
    if scheme:
        return stack.raw(path, b"{}", {"Authorization": f"{scheme} {token}"})
    return stack.raw(path, json.dumps({"token": token}).encode())


@pytest.mark.promise("P-HTTP-19")
@pytest.mark.parametrize("scheme", ["", "Bearer"])
@pytest.mark.parametrize("token", WITHOUT)
def test_a_right_that_is_missing_is_missed_at_every_endpoint(secured: Stack, token: str, scheme: str) -> None:
    served = httpx2.get(f"http://127.0.0.1:{secured.gateway.port}/openapi.json").json()["paths"]
    answers = {path.removeprefix("/api/v1.1/"): ask(secured, path.removeprefix("/api/v1.1/"), token, scheme) for path in served}

    # With all rights the next check refuses the empty request.
    allowed = {path: (200, "Successful operation") if path in ASKS_NOTHING else (400, "Invalid request") for path in answers}
    wanted = {path: (403, "No access") if NEEDED[path] & WITHOUT[token] else allowed[path] for path in answers}
    assert {path: (answer.status_code, answer.json()["error_text"]) for path, answer in answers.items()} == wanted


@pytest.mark.promise("P-HTTP-16")
@pytest.mark.parametrize("path", ["tasks/status", BATCH])
@pytest.mark.parametrize(
    ("token", "scheme"),
    [
        ("expired-token", ""),
        ("revoked-token", "Bearer"),
        ("unknown", ""),
        ("", ""),
        ("reader-token", "Basic"),
        ("reader-token", "Token"),
        ("READER-TOKEN", ""),
        ("reader-toke", "Bearer"),
    ],
)
def test_what_is_no_token_opens_nothing(secured: Stack, path: str, token: str, scheme: str) -> None:
    answer = ask(secured, path, token, scheme)

    assert (answer.status_code, answer.json()) == (401, {"error": 401, "error_text": "API token required"})


@pytest.mark.promise("P-HTTP-16", "P-APPLY-03")
def test_a_token_ends_while_everything_runs(secured: Stack, tmp_path: Path) -> None:
    token = "short-lived-token"
    account = '[[accounts]]\nid = 1\nname = "demo"\ntokens = [{{ name = "short-lived", value = "{}", {} }}]\n'
    seen = [ask(secured, "tasks/status", token).status_code]
    for ended in ("revoked = true", "revoked = false", "expires = 2020-01-01T00:00:00Z"):
        file = tmp_path / "token.toml"
        file.write_text(account.format(token, ended))
        run(["apply", str(file)], secured.environment)
        seen.append(ask(secured, "tasks/status", token).status_code)

    assert seen == [400, 401, 400, 401]
