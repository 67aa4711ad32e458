"""Files as encoders write them, and names that are none."""

import base64
import json
import tracemalloc
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.admission.budget import Budget, Share
from ingest.endpoints.batch_parameters import ImportAndStartBatch
from ingest.endpoints.parameters import checked
from ingest.http import attachments
from ingest.http.interleaving import in_turns
from ingest.request_errors import Refused
from schemas.settings import MIB

FILE = bytes(range(256))
TEXT = base64.b64encode(FILE).decode()


async def files(attach: str) -> list[tuple[str, str, bytes]]:
    """Name, type and bytes of each file, of what stands in the body."""
    given = {"trigger_id": 8, "data": [1], "attach": attachments.entries(msgspec.Raw(attach.encode()))}
    attached = checked(ImportAndStartBatch, given).attach
    contents = await in_turns(attachments.decoded([entry.data for entry in attached]), Share(Budget(1)))
    return [(entry.name, entry.type, bytes(content)) for entry, content in zip(attached, contents, strict=True)]


async def file(data: str, **members: Any) -> tuple[str, str, bytes]:
    return (await files(json.dumps({"name": "a.bin", "data": data, **members})))[0]


@pytest.mark.promise("P-BATCH-24")
@pytest.mark.parametrize(
    "data",
    [
        f"data:text/csv;base64,{TEXT}",
        f"DATA:text/csv;BASE64,{TEXT}",
        f"data:text/csv;charset=utf-8;base64,{TEXT}",
        f"data:text/csv;base64,{TEXT.rstrip('=')}",
        f"data:text/csv;base64,{TEXT.replace('=', '%3D')}",
        f"data:text/csv;base64,{TEXT.replace('=', '%3d')}",
        "data:text/csv;base64," + "\n".join(TEXT[at : at + 76] for at in range(0, len(TEXT), 76)),
        "data:text/csv;base64," + "\r\n".join(TEXT[at : at + 76] for at in range(0, len(TEXT), 76)) + "\r\n",
    ],
)
async def test_base64_is_read_as_encoders_write_it(data: str) -> None:
    assert await file(data) == ("a.bin", "text/csv", FILE)


@pytest.mark.promise("P-BATCH-24")
async def test_escapes_of_json_are_no_part_of_the_file() -> None:
    escaped = json.dumps({"name": "a.bin", "data": f"data:text/csv;base64,{TEXT}"}).replace("/", "\\/").replace("=", "\\u003d")

    assert await files(escaped) == [("a.bin", "text/csv", FILE)]


@pytest.mark.promise("P-BATCH-16")
@pytest.mark.parametrize(
    "data",
    [
        "SEVMTE8K",
        "data:text/csv,SEVMTE8K",
        "data:;base64,S",
        "data:;base64,SEV#TE8K",
        "data:;base64,SE=TE8K",
        "data:;base64,SEVM====",
        "data:;base64,S VM",
        "data:;base64,%3",
        "data:;base64,SEV\0",
        "data:;base64,SEVMé",
        "",
    ],
)
async def test_what_is_no_base64_data_uri_is_refused(data: str) -> None:
    with pytest.raises(Refused) as refused:
        await file(data)

    assert str(refused.value.debug).startswith("attach.0.data: ")


@pytest.mark.promise("P-BATCH-16")
@pytest.mark.parametrize(("kind", "fits"), [("x" * 127 + "/" + "y" * 127, True), ("x" * 128 + "/y", False), ("x/" + "y" * 128, False)])
@pytest.mark.parametrize("where", ["data", "mimetype"])
async def test_a_type_is_as_long_as_types_are(kind: str, fits: bool, where: str) -> None:
    sent = file(f"data:{kind};base64,{TEXT}") if where == "data" else file(f"data:;base64,{TEXT}", mimetype=kind)
    if fits:
        assert (await sent)[1] == kind
        return
    with pytest.raises(Refused) as refused:
        await sent

    assert str(refused.value.debug).startswith(f"attach.0.{where}: ")


@given(st.binary(max_size=200), st.integers(1, 40), st.integers(1, 60), st.booleans())
async def test_a_file_is_the_same_wherever_its_slices_end(content: bytes, slice_: int, line: int, escaped: bool) -> None:
    text = base64.b64encode(content).decode()
    lines = "\r\n".join(text[at : at + line] for at in range(0, len(text), line))
    written = json.dumps([{"name": "a", "data": f"data:;base64,{lines}", "mimetype": None}])
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(attachments, "_SLICE", slice_ + 6)

        assert await files(written.replace("/", "\\/") if escaped else written) == [("a", "application/octet-stream", content)]


@pytest.mark.promise("P-BATCH-16")
async def test_nothing_comes_after_the_padding_in_a_later_slice_either(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(attachments, "_SLICE", 8)
    with pytest.raises(Refused):
        await file("data:;base64,SEVMTE8=SEVMTE8K")


@pytest.mark.promise("P-BATCH-25")
@pytest.mark.parametrize("name", ["a", "x" * 255, "Счёт № 5.pdf", "a b.txt", "..a", "a\u200db"])
async def test_a_file_has_any_name_of_255_characters(name: str) -> None:
    assert (await file(f"data:;base64,{TEXT}", name=name))[0] == name


@pytest.mark.promise("P-BATCH-25")
@pytest.mark.parametrize("name", ["", "x" * 256, "a/b", "a\\b", "..", ".", "a\nb", "a\x85b", "a\u2028b", "a\u202eb", "a\0", "\x7f"])
async def test_a_name_with_a_path_or_a_control_character_is_refused(name: str) -> None:
    with pytest.raises(Refused) as refused:
        await file(f"data:;base64,{TEXT}", name=name)

    assert str(refused.value.debug).startswith("attach.0.name: ")


@pytest.mark.promise("P-BATCH-16", "P-OPS-17")
@pytest.mark.parametrize(
    "attach", [f"[{'0,' * MIB}0]", f"[{'{},' * MIB}0]", f'{{"name":[{"0," * MIB}0]}}', f'{{"name":"{"x" * 4 * MIB}"}}']
)
async def test_what_is_no_file_is_refused_before_it_is_built(attach: str) -> None:
    raw = msgspec.Raw(attach.encode())
    tracemalloc.start()
    with pytest.raises(Refused) as refused:
        attachments.entries(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert str(refused.value.debug).startswith("attach")
    assert peak < 2 * MIB
