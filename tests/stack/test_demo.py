"""What `make up` shows."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from schemas.settings import Settings
from tests.stack.door import wait_until

# What is shown at least, and how often.
SHOWN = {
    "\nsend: trigger 8,": 2,
    "\nsend: trigger 23,": 2,
    "sms: verified": 1,
    "push: verified": 1,
    "webhook: verified": 1,
    "hook: verified": 2,
    "\ncancel: trigger 23,": 1,
    "2 launches pending": 1,
}


def test_the_demo_shows_each_launch_with_its_mail_and_stops_in_ten_seconds(settings: Settings, tmp_path: Path) -> None:
    shown = tmp_path / "shown"
    with shown.open("w") as output:
        demo = _start(settings, tmp_path / "stack", output.fileno())
        try:
            wait_until(lambda: all(shown.read_text().count(each) >= count for each, count in SHOWN.items()), 90)
        finally:
            asked = time.monotonic()
            # As Ctrl-C does: it reaches every process of the terminal, and may not stop the servers before the rooms.
            os.killpg(demo.pid, signal.SIGINT)
            code = demo.wait(30)
    text = shown.read_text()

    assert code == 0, text
    assert time.monotonic() - asked < 10
    assert "is started again" not in text
    assert re.search(r"^The console: http://127\.0\.0\.1:\d+ \(log in with [\w-]{43}\)$", text, re.MULTILINE)
    assert "--data @examples/batch.json" in text
    assert len(re.findall(r"^send: trigger 8, item [01] of batch [0-9a-f]{24}, \d+ ms late$", text, re.MULTILINE)) >= 2
    assert "    Subject: Hello John" in text
    assert "refused, " not in text
    assert "Thank you for being a pro." in text
    assert "Have you seen what pros get?" in text
    assert text.index("sms: 503, come again in a second (2 of 2)") < text.index("sms: verified")
    assert "    <p>You came from registration_form.</p>" in text


def _start(settings: Settings, directory: Path, output: int) -> subprocess.Popen[bytes]:
    named = {"PROFUSE_KAFKA": settings.kafka, "PROFUSE_POSTGRES": settings.postgres, "PROFUSE_PREFIX": settings.prefix}
    command = [sys.executable, "-m", "profuse", "demo", "--dir", str(directory)]
    environment = os.environ | named | {"PROFUSE_PORT": "0"}
    return subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)
