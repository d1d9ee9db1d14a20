"""IP addresses in disguise are refused when an address is saved, wherever one is."""

import pytest

from portal.credentials.clients import _safe
from portal.errors import Invalid, Message
from portal.ip_spelling import is_ip_in_disguise
from portal.providers import fetch
from portal.providers.base import DeclaredField, FieldKind
from portal.providers.reach import Reach
from portal.subscriptions.declared_values import _address

DISGUISED = [
    *(
        "2130706433",
        "0x7f000001",
        "0x7F.1",
        "127.1",
        "127.0.1",
        "0177.0.0.1",
        "127.0.0.1.",
        "0x",
        "127.0.0.1..",
        "8.8.8.8.",
    ),
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "1.2.3.4.5", "999.1.1.1", "example.123", "0"),
]
FIELD = DeclaredField(name="endpoint", kind=FieldKind.ADDRESS, label=Message("Address"), help=Message(""))
NAMES = [
    "example.org",
    "example.org.",
    "1e100.net",
    "0x7f.example",
    "127.0.0.1.example.org",
    "192.0.2.1",
    "[2001:db8::1]",
    "fe.cafe",
]


@pytest.mark.parametrize("host", DISGUISED)
@pytest.mark.parametrize("private", [False, True])
def test_disguises_are_refused_before_anything_is_called(
    host: str, private: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "_webhooks", Reach(private=private))
    monkeypatch.setattr(fetch, "resolve", lambda *_: pytest.fail("a name was looked up"))
    address = f"https://{host}/hook"
    assert fetch.problem_with(address) is not None
    with pytest.raises(fetch.NoAnswer):
        fetch.post(address, b"", {})
    assert not _safe(address)
    with pytest.raises(Invalid):
        _address(FIELD, "endpoint", address)


@pytest.mark.parametrize(
    "host", ["\uff11\uff12\uff17.0.0.1", "127\u30020\u30020\u30021", "\u2460\u2461\u2466.0.0.1", "\uff12130706433"]
)
def test_digits_of_other_scripts_are_digits(host: str) -> None:
    assert is_ip_in_disguise(host)
    assert fetch.problem_with(f"https://{host}/hook") is not None


@pytest.mark.parametrize("host", NAMES)
def test_names_and_plain_addresses_are_none(host: str) -> None:
    assert not is_ip_in_disguise(host.strip("[]"))
    assert _safe(f"https://{host}/back")
