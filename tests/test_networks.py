"""One network, however its address is written."""

import pytest

from portal.networks import UNKNOWN, network_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.8", "203.0.113.8"),
        ("203.0.113.8:40001", "203.0.113.8"),
        (" 203.0.113.8", "203.0.113.8"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("[::ffff:192.0.2.1]:443", "192.0.2.1"),
        ("2001:db8::8", "2001:db8::/64"),
        ("[2001:db8::8]", "2001:db8::/64"),
        ("[2001:db8::8]:40001", "2001:db8::/64"),
        ("2001:db8:1:2:ffff::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_a_port_is_no_part_of_a_network_and_a_64_is_one(address: str, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.parametrize(
    "nonsense",
    ["", "unknown", "_hidden", "203.0.113.8:", "203.0.113.8:x", "203.0.113", "[2001:db8::8", "[]:1", "0x7f.1"],
)
def test_whatever_is_no_address_is_one_network(nonsense: str) -> None:
    assert network_of(nonsense) == UNKNOWN
