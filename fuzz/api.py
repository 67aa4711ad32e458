"""Sends what /openapi.json allows, and what it does not, to a stack of its own: no 500, no traceback, no process that starts again."""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx2

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent
_ITEM = {
    "type": "object",
    "required": ["data"],
    "properties": {
        "email": {"enum": ["a@b.test", "b@b.test"]},
        "data": {
            "type": "object",
            "properties": {
                "_fname": {"type": "string"},
                "plan": {},
                "interests": {},
                "_bdate": {},
                "phones": {},
                "subscriptions": {"type": "array"},
            },
        },
    },
}
TOKEN = "abcdefghijklmnqrstuvwxyz"


def main(seconds: int) -> int:
    with tempfile.TemporaryDirectory(prefix="profuse-fuzz-", ignore_cleanup_errors=True) as made:
        directory = Path(made)
        directory.chmod(0o755)
        try:
            _profuse(directory, "up", "--detach", "--port", "0")
            _profuse(directory, "apply", str(ROOT / "examples" / "demo.toml"))
            before = _processes(directory)
            found = _schemathesis(directory, seconds)
            if _processes(directory) != before:
                found.append("a process was started again")
            found += [f"{log.name} has a traceback" for log in directory.rglob("*.log") if "Traceback" in log.read_text(errors="replace")]
        finally:
            _profuse(directory, "down", "--wipe")
    print("\n".join(found) or "nothing found")
    return 1 if found else 0


def _profuse(directory: Path, *arguments: str) -> str:
    command = [str(BIN / "python"), "-m", "profuse", *arguments, "--dir", str(directory / "stack")]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True, text=True).stdout


def _status(directory: Path) -> dict[str, Any]:
    status: dict[str, Any] = json.loads(_profuse(directory, "status", "--json"))
    return status


def _processes(directory: Path) -> dict[str, int]:
    return {process["name"]: process["pid"] for process in _status(directory)["processes"]}


def _schemathesis(directory: Path, seconds: int) -> list[str]:
    api = _status(directory)["api"]
    page = directory / "openapi.json"
    page.write_text(json.dumps(_of_the_account(httpx2.get(f"{api}/openapi.json").json())))
    command = [str(BIN / "schemathesis"), "run", str(page), "--url", api, "--checks", "not_a_server_error", "--max-time", str(seconds)]
    command += [
        "--header",
        f"Authorization: Bearer {TOKEN}",
        "--max-examples",
        "100000",
        "--request-timeout",
        "40",
        "--continue-on-failure",
    ]
    done = subprocess.run(command, cwd=directory, env=os.environ | {"NO_COLOR": "1"}, check=False)
    return ["schemathesis found something, see above"] if done.returncode else []


def _of_the_account(page: dict[str, Any]) -> dict[str, Any]:
    """With numbers and a token that exist: what names nothing is refused before anybody reads the items."""
    there = {"trigger_id": {"enum": [8]}, "db_id": {"enum": [1]}, "token": {"enum": [TOKEN]}, "field_name": {"enum": ["New_field_1"]}}
    for schema in page["components"]["schemas"].values():
        properties = schema.get("properties", {})
        properties |= {name: known for name, known in there.items() if name in properties}
        if "trigger_id" in properties:
            properties["data"]["items"] = {"anyOf": [_ITEM, {}]}
    return page


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
