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


def test_the_demo_shows_each_launch_with_its_mail_and_stops_in_ten_seconds(settings: Settings, tmp_path: Path) -> None:
    named = {"PROFUSE_KAFKA": settings.kafka, "PROFUSE_POSTGRES": settings.postgres, "PROFUSE_PREFIX": settings.prefix, "PROFUSE_PORT": "0"}
    shown = tmp_path / "shown"
    with (
        shown.open("w") as output,
        subprocess.Popen(
            [sys.executable, "-m", "profuse", "demo", "--dir", str(tmp_path / "stack")],
            env=os.environ | named,
            stdout=output,
            stderr=output,
        ) as demo,
    ):
        wait_until(lambda: shown.read_text().count("\nsend: ") == 2 and "2 launches pending" in shown.read_text(), 60)
        demo.send_signal(signal.SIGINT)
        asked = time.monotonic()
        code = demo.wait(30)
    text = shown.read_text()

    assert code == 0, text
    assert time.monotonic() - asked < 10
    assert "--data @examples/batch.json" in text
    assert re.findall(r"^send: trigger 8, item \d of batch [0-9a-f]{24}, \d+ ms late$", text, re.MULTILINE)
    assert "    Subject: Hello John" in text
    assert "    <p>You came from registration_form.</p>" in text
