"""What a mail's HTML costs whoever has it converted: neither his time, nor his memory, nor a place to store it."""

import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
import yaml

from ingest.admission.turns import AT_ONCE
from store.configuration import converting, messaging

pytestmark = pytest.mark.promise("P-OPS-50")

ROOT = Path(__file__).parents[2]
WIDE = "margin-left:99999em;padding-left:99999em"
# Each is shorter than a letter, and takes seconds or gigabytes.
UGLY = {
    "many rules": "<style>" + "".join(f"*{{a{number}:b}}" for number in range(800)) + "</style>" + "<b>" * 2_000,
    "selectors inside one another": "<style>:not(:not(:not(:not(q ~ *) ~ *) ~ *) ~ *) ~ *{a:b}</style>" + "<i></i>" * 230,
    "capitals": "<STYLE>:not(:not(:not(:not(q ~ *) ~ *) ~ *) ~ *) ~ *{a:b}</STYLE>" + "<i></i>" * 230,
    "wide lists": f"<ul style='{WIDE}'>" * 100 + "<li>x" * 1_000,
}


@pytest.mark.parametrize("ugly", UGLY)
def test_however_short_it_is_what_has_styles_is_converted_apart(monkeypatch: pytest.MonkeyPatch, ugly: str) -> None:
    monkeypatch.setattr(converting, "__file__", "/nowhere/converting.py")
    assert len(UGLY[ugly]) < 16 * 1024
    for convert in (converting.inlined, converting.text, converting.in_order):
        with pytest.raises(RuntimeError, match="nowhere"):
            convert(UGLY[ugly])


def test_a_short_one_without_styles_needs_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "__file__", "/nowhere/converting.py")

    assert converting.text("<p>Hello</p>" * 100).split() == ["Hello"] * 100


@pytest.mark.parametrize("ugly", ["selectors inside one another", "wide lists"])
def test_what_takes_too_long_or_too_much_is_given_up(monkeypatch: pytest.MonkeyPatch, ugly: str) -> None:
    monkeypatch.setattr(converting, "_SECONDS", 1)
    with pytest.raises(ValueError, match="is too complicated"):
        (converting.text if ugly == "wide lists" else converting.inlined)(UGLY[ugly])


# made of it: more than may be stored
LARGE = {
    "styles": (converting.inlined, "<style>*{a:" + "x" * 5_000 + "}</style>" + "<i></i>" * 2_000),
    "a text": (converting.text, "<p style='padding-left:99999em'>x" * 100),
    "a short text, in few bytes": (converting.text, "<p>Привет</p>"),
}


@pytest.mark.parametrize("large", LARGE)
def test_more_than_may_be_is_made_of_nothing(monkeypatch: pytest.MonkeyPatch, large: str) -> None:
    convert, html = LARGE[large]
    monkeypatch.setattr(converting, "_LONGEST", 5 if len(html) < 100 else converting._LONGEST)
    with pytest.raises(ValueError, match="is too complicated"):
        convert(html)


def test_its_process_writes_no_more_than_may_be() -> None:
    _, html = LARGE["styles"]
    done = subprocess.run([sys.executable, "-P", converting.__file__], input=_given(html), capture_output=True, check=False)

    assert (done.returncode, done.stdout, done.stderr) == (0, converting._HEAD.pack(converting._TOO_MUCH, 0), b"")


def _given(html: str) -> bytes:
    """To be inlined."""
    return converting._HEAD.pack(0, len(html)) + html.encode()


def _by(monkeypatch: pytest.MonkeyPatch, directory: Path, script: str, seconds: int = 600) -> None:
    (directory / "converting.py").write_text(script)
    monkeypatch.setattr(converting, "__file__", str(directory / "converting.py"))
    monkeypatch.setattr(converting, "_SECONDS", seconds)


@pytest.mark.parametrize("length", [2**32 - 1, converting._LONGEST + 1])
def test_no_more_is_read_than_may_be_made_whatever_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, length: int) -> None:
    head = f"import sys\nsys.stdout.buffer.write({converting._HEAD.pack(converting._DONE, length)!r})\n"
    _by(monkeypatch, tmp_path, f"{head}for _ in range(200):\n    print('x' * 2**20)\nimport time\ntime.sleep(600)")
    tracemalloc.start()
    with pytest.raises(ValueError, match="is too complicated"):
        converting.text("<style></style>")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert most < 3 * converting._LONGEST


def test_what_is_cut_off_is_not_taken_for_the_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # It ends well.
    head = converting._HEAD.pack(converting._DONE, converting._LONGEST)
    script = f"import sys\nsys.stdout.buffer.write({head!r} + 'é'.encode() * {converting._LONGEST // 2 - 10})"
    _by(monkeypatch, tmp_path, script)
    with pytest.raises(ValueError, match="is too complicated"):
        converting.text("<style></style>")


def test_one_that_says_nothing_is_not_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _by(monkeypatch, tmp_path, "import time\ntime.sleep(600)", seconds=1)
    with pytest.raises(ValueError, match="is too complicated"):
        converting.text("<style></style>" * 500_000)


def test_one_that_ends_before_it_has_read_all_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _by(monkeypatch, tmp_path, "raise SystemExit('has no wish to')")
    with pytest.raises(RuntimeError, match="has no wish to"):
        converting.text("<p>Hello</p>" * 500_000)


def test_one_whose_parent_was_killed_comes_to_an_end() -> None:
    script = "from store.configuration import converting; converting._SECONDS = 0; converting._main()"
    endless = "<style>" + ":not(" * 6 + "q" + " ~ *)" * 6 + " ~ *{a:b}</style>" + "<i></i>" * 230
    done = subprocess.run([sys.executable, "-c", script], input=_given(endless), timeout=60, check=False)

    assert done.returncode < 0


def test_as_many_as_there_are_at_once_take_half_of_a_gateway_s_container() -> None:
    rooms = yaml.safe_load((ROOT / "deploy/helm/profuse/values.yaml").read_text())["rooms"]

    assert rooms["gateway"]["resources"]["limits"]["memory"] == "1Gi"
    assert AT_ONCE * converting._MEMORY <= 1024**3 / 2


def test_a_text_that_would_be_too_large_is_none() -> None:
    assert messaging.plain(LARGE["a text"][1]) == ""


def test_many_are_converted_by_one_process_and_each_once(monkeypatch: pytest.MonkeyPatch) -> None:
    begun, begin = [], converting._begun

    def noted() -> "subprocess.Popen[bytes]":
        begun.append(begin())
        return begun[-1]

    monkeypatch.setattr(converting, "_begun", noted)
    mails = [f"<p>Mail {number} ü</p>" * 1_000 for number in range(5)]
    with converting.keeping():
        for number, mail in enumerate(mails):
            assert converting.text(mail).split() == ["Mail", str(number), "ü"] * 1_000
        begun[0].kill()
        begun[0].wait()
        assert [converting.text(mail)[:6] for mail in mails] == [f"Mail {number}" for number in range(5)]
        assert len(begun) == 1
        assert converting.text(mails[0] * 2).startswith("Mail 0")
        assert "color" in converting.inlined("<style>p { color: red }</style><p>x")

    assert len(begun) == 2
    assert all(process.returncode is not None for process in begun)


@pytest.mark.parametrize("ugly", ["selectors inside one another", "wide lists"])
def test_after_one_that_is_given_up_the_next_is_converted(monkeypatch: pytest.MonkeyPatch, ugly: str) -> None:
    with converting.keeping():
        assert converting.text("<p>Before</p>" * 1_000).startswith("Before")
        monkeypatch.setattr(converting, "_SECONDS", 1)
        with pytest.raises(ValueError, match="is too complicated"):
            (converting.text if ugly == "wide lists" else converting.inlined)(UGLY[ugly])
        monkeypatch.undo()
        assert converting.text("<p>After</p>" * 1_000).startswith("After")


def test_no_more_than_may_be_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(converting, "_KNOWN", 100_000)
    with converting.keeping():
        for number in range(20):
            converting.text(f"<p>Mail {number}</p>" * 1_000)
        kept = converting._KEPT.get()

    assert kept
    assert 0 < sum(len(html) + len(made or "") for (_, html), made in kept._known.items()) <= 100_000
