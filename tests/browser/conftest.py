"""A whole stack, and Debian's Chromium in front of its console."""

import base64
import json
import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.stack.door import Door

DEMO = Path(__file__).parents[2] / "examples" / "demo.toml"
# Where pictures for the docs are put, if anybody wants them.
PICTURES = os.environ.get("PROFUSE_TEST_PICTURES")
PATIENCE = 20


class Person:
    """Somebody before a browser."""

    def __init__(self, driver: webdriver.Chrome, address: str) -> None:
        self.driver = driver
        self.address = address

    def go(self, path: str) -> None:
        self.driver.get(self.address + path)

    def log_in(self, token: str) -> None:
        self.is_a_stranger()
        self.find("input[name=token]").send_keys(token)
        self.press("Log in")
        self.sees("Now")

    def is_a_stranger(self) -> None:
        # Only those of the page that is shown are deleted.
        self.go("/login")
        self.driver.delete_all_cookies()
        self.go("/login")

    def find(self, css: str) -> Any:
        return self.driver.find_element(By.CSS_SELECTOR, css)

    def text(self) -> str:
        # Not of an element, which may be the page's before.
        return str(self.asks("document.body ? document.body.innerText : ''"))

    def press(self, label: str) -> None:
        """A button or a link by what stands on it."""
        path = f"//main//button[normalize-space()='{label}'] | //main//a[normalize-space()='{label}']"
        self.driver.find_element(By.XPATH, path).click()

    def sees(self, text: str) -> None:
        WebDriverWait(self.driver, PATIENCE).until(lambda _: text in self.text(), f"nobody sees {text!r}")

    def type(self, keys: str) -> None:
        self.find("body").send_keys(keys)

    def asks(self, script: str) -> Any:
        return self.driver.execute_script(f"return {script}")

    def complaints(self) -> list[str]:
        """What the browser has against the pages since the last look: errors of scripts, and what their policy forbids."""
        said: list[dict[str, str]] = self.driver.get_log("browser")  # type: ignore[no-untyped-call]
        return [entry["message"] for entry in said if entry["level"] == "SEVERE"]

    def picture(self, name: str) -> None:
        if PICTURES:
            taken = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"format": "webp", "quality": 70})
            Path(PICTURES, f"{name}.webp").write_bytes(base64.b64decode(taken["data"]))


@pytest.fixture(scope="session")
def chromium() -> Iterator[webdriver.Chrome]:
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not browser or not driver:
        pytest.skip("NO BROWSER: the console was not tried in one; Debian has it: apt-get install chromium chromium-driver")
    options = Options()
    options.binary_location = browser
    for switch in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--window-size=1280,900"):
        options.add_argument(switch)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    started = webdriver.Chrome(options=options, service=Service(driver))
    yield started
    started.quit()


@pytest.fixture(scope="session")
def stack(chromium: webdriver.Chrome, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    door = Door(tmp_path_factory.mktemp("browser") / "own")
    try:
        door.up("--port", "0")
        assert door.run("apply", str(DEMO)).returncode == 0
        yield door
    finally:
        door.run("down", "--wipe")


@pytest.fixture(scope="session")
def tokens(stack: Door) -> dict[str, str]:
    return {
        "operator": stack.run("console-tokens", "add", "olga", "--operator").stdout.strip(),
        "reader": stack.run("console-tokens", "add", "rita").stdout.strip(),
    }


@pytest.fixture
def person(chromium: webdriver.Chrome, stack: Door) -> Iterator[Person]:
    chromium.set_window_size(1280, 900)
    somebody = Person(chromium, stack.status()["console"])
    somebody.complaints()
    yield somebody
    # Or the page goes on asking.
    chromium.get("about:blank")


@pytest.fixture
def olga(person: Person, tokens: dict[str, str]) -> Person:
    person.log_in(tokens["operator"])
    return person


@contextmanager
def listening() -> Iterator[tuple[str, list[object]]]:
    """Somebody's host, and who has connected to it."""
    connected: list[object] = []

    class Noting(ThreadingHTTPServer):
        def verify_request(self, request: object, client_address: object) -> bool:
            connected.append(client_address)
            return True

    with Noting(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/", connected
        server.shutdown()


def send(stack: Door, count: int, **root: Any) -> str:
    """A batch of so many profiles that does not wait; its id."""
    body = {
        "token": "abcdefghijklmnqrstuvwxyz",
        "trigger_id": 8,
        "data": [{"data": {"email": f"reader{n}@browser.test", "_fname": f"Reader {n}"}} for n in range(count)],
        **root,
    }
    url = f"{stack.status()['api']}/api/v1.1/campaigns/triggers/import_and_start_batch_task"
    answer = httpx2.post(url, content=json.dumps(body), timeout=60)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["data"]["task_id"])
