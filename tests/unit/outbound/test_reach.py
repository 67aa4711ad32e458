"""Which addresses may be called."""

from ipaddress import ip_network

import pytest

from runtime.outbound.reach import Denied, Reach

INNER = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.promise("P-OUT-03")
@pytest.mark.parametrize("address", ["10.1.2.3", "::ffff:10.1.2.3", "::ffff:a01:203", "fd00::1", "fd00::1%eth0"])
def test_a_denied_address_is_denied_however_it_is_written(address: str) -> None:
    reach = Reach(denied=INNER)

    assert not reach.permits(address)
    with pytest.raises(Denied):
        reach.socket((2, 1, 6, "", (address, 443)))


@pytest.mark.promise("P-OUT-03")
@pytest.mark.parametrize("address", ["0.0.0.0", "::ffff:0.0.0.0", "::"])  # noqa: S104
@pytest.mark.parametrize("loopback", ["127.0.0.0/8", "::1/128"])
def test_an_address_of_zeros_is_the_machines_own(address: str, loopback: str) -> None:
    assert not Reach(denied=(ip_network(loopback),)).permits(address)


@pytest.mark.promise("P-OUT-03")
@pytest.mark.parametrize("address", ["64:ff9b::10.1.2.3", "2002:a01:203::1", "::ffff:0:10.1.2.3", "::10.1.2.3"])
def test_an_ipv4_address_inside_of_another_is_denied_as_itself(address: str) -> None:
    assert not Reach(denied=INNER).permits(address)
    assert Reach(denied=INNER).permits(address.replace("10.1.2.3", "192.0.2.7").replace("a01:203", "c000:207"))


@pytest.mark.promise("P-OUT-03")
@pytest.mark.parametrize(("reach", "permitted"), [
    (Reach(), True),
    (Reach(denied=INNER), True),
    (Reach(allowed=INNER), False),
    (Reach(allowed=(ip_network("192.0.2.0/24"),)), True),
    (Reach(allowed=(ip_network("192.0.2.0/24"),), denied=(ip_network("192.0.2.7/32"),)), False),
], ids=["nothing said", "others denied", "others allowed", "allowed", "denied wins"])  # fmt: skip
def test_what_is_allowed_and_what_is_denied(reach: Reach, permitted: bool) -> None:
    assert reach.permits("192.0.2.7") is permitted
