"""Locations from real MMDB files of both shapes."""

from pathlib import Path
from typing import Any

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet
from structlog.testing import capture_logs

from workers.matcher.geo import open_geo

FLAT = {"country_code": "LV", "state1": "Riga", "city": "Riga", "postcode": "", "timezone": ""}
NESTED = {
    "country": {"iso_code": "NO", "names": {"en": "Norway"}},
    "subdivisions": [{"names": {"en": "Oslo County"}}],
    "city": {"names": {"en": "Oslo", "de": "Oslo"}},
    "postal": {"code": "0150"},
    "location": {"time_zone": "Europe/Oslo"},
}
IN_RIGA = {"country": "LV", "region": "Riga", "city": "Riga"}
IN_OSLO = {"country": "NO", "region": "Oslo County", "city": "Oslo", "postal_code": "0150", "tz": "Europe/Oslo"}


def written(path: Path, version: int, networks: dict[str, Any]) -> Path:
    writer = MMDBWriter(ip_version=version, ipv4_compatible=version == 6)
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    writer.to_db_file(str(path))
    return path


@pytest.mark.promise("P-GEO-05")
def test_both_record_shapes_are_read_from_files_per_ip_version(tmp_path: Path) -> None:
    v4 = written(tmp_path / "v4.mmdb", 4, {"192.0.2.0/24": FLAT})
    v6 = written(tmp_path / "v6.mmdb", 6, {"2001:db8::/32": NESTED})
    with open_geo([v4, v6]) as locate:
        assert [locate("192.0.2.7"), locate("2001:db8::7")] == [IN_RIGA, IN_OSLO]


@pytest.mark.promise("P-GEO-05")
def test_one_file_may_hold_both_ip_versions(tmp_path: Path) -> None:
    both = written(tmp_path / "both.mmdb", 6, {"192.0.2.0/24": NESTED, "2001:db8::/32": FLAT})
    with open_geo([both]) as locate:
        assert [locate("192.0.2.7"), locate("2001:db8::7")] == [IN_OSLO, IN_RIGA]


@pytest.mark.promise("P-GEO-04")
def test_an_address_that_no_file_knows_is_nowhere(tmp_path: Path) -> None:
    v4 = written(tmp_path / "v4.mmdb", 4, {"192.0.2.0/24": FLAT})
    with open_geo([v4]) as locate:
        assert [locate("198.51.100.1"), locate("2001:db8::7")] == [{}, {}]


@pytest.mark.promise("P-GEO-06")
def test_without_a_file_a_process_warns_once() -> None:
    with open_geo([]) as locate, capture_logs() as logs:
        located = [locate("192.0.2.7"), locate("192.0.2.8")]

    assert located == [{}, {}]
    assert [entry["event"] for entry in logs] == ["geo_files_missing"]
