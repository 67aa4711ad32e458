"""What `profuse settings` and `.env.example` say."""

import pytest

from profuse.describing import described, example
from runtime.masking import masked
from schemas.settings import Settings


@pytest.mark.promise("P-DOOR-14")
def test_every_setting_is_described_with_its_value_as_it_would_be_written() -> None:
    rows = {row.variable: row for row in described(Settings(partitions=24, geo=["a.mmdb"]))}

    assert set(rows) == {f"PROFUSE_{name.upper()}" for name in Settings.model_fields}
    assert all(row.meaning for row in rows.values())
    assert [rows[f"PROFUSE_{name}"].value for name in ("PARTITIONS", "GEO", "LEASE")] == ["24", '["a.mmdb"]', "PT30S"]


@pytest.mark.promise("P-DOOR-14")
@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("postgresql://me:s3cret@h:5432/db", "postgresql://me:***@h:5432/db"),
        ("postgresql://me@h/db?password=s3cret&x=1", "postgresql://me@h/db?password=***&x=1"),
        ("postgresql://me@h/db?sslpassword=s3cret&x=1", "postgresql://me@h/db?sslpassword=***&x=1"),
        ("smtp://me:s3cret@h:25", "smtp://me:***@h:25"),
        ("smtp://me:s3:cr@et@h:25", "smtp://me:***@h:25"),
        ("postgresql://me:s3/cret@h:5432/db", "postgresql://me:***@h:5432/db"),
        ("postgresql://me:s3cret@h/db?application_name=a@b", "postgresql://me:***@h/db?application_name=a@b"),
        ("postgresql://me@h:5432/db", "postgresql://me@h:5432/db"),
        ("h1:9092,h2:9092", "h1:9092,h2:9092"),
    ],
)
def test_passwords_are_masked_and_nothing_else(address: str, shown: str) -> None:
    assert masked(address) == shown


def test_the_example_holds_defaults_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROFUSE_PARTITIONS", "99")

    assert "\n#PROFUSE_PARTITIONS=12\n" in example()
