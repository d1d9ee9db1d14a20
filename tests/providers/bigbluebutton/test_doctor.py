"""What `portal doctor` says of a server that rooms are held at."""

from collections.abc import Iterator

import pytest

from portal import public_url
from portal.db import transaction
from portal.doctor import Finding, _services
from portal.providers import fetch
from portal.providers.reach import read_allowed
from portal.subscriptions.queries import get_provider
from portal.subscriptions.service_providers import change_provider
from tests.providers.bigbluebutton.server import SECRET, BbbServer
from tests.providers.bigbluebutton.world import BbbWorld

NAME = "service Conference server: "


def findings(world: BbbWorld) -> list[Finding]:
    with world.app.app_context(), transaction():
        return _services()


def about_clock(world: BbbWorld) -> list[Finding]:
    return [one for one in findings(world) if "clock" in one.message]


def about_callbacks(world: BbbWorld) -> Finding:
    [found] = [one for one in findings(world) if "call back" in one.message]
    assert found.message.startswith(NAME)
    return found


def test_a_server_that_answers_is_named_with_its_version_and_what_is_built_in_is_not(world: BbbWorld) -> None:
    answers, clock, callbacks = findings(world)
    assert answers == Finding(True, f"{NAME}answers 3.0.4")
    assert clock == Finding(True, f"{NAME}its clock is right to the minute")
    assert callbacks.good


def test_it_says_what_is_wrong(world: BbbWorld, server: BbbServer) -> None:
    server.secrets = ["another"]
    [refused] = findings(world)
    assert not refused.good
    assert refused.message.startswith(f"{NAME}The server answers at this address, and refuses")
    server.dead = True
    [silent] = findings(world)
    assert not silent.good
    assert silent.message.endswith("Look at it under Services.")


def test_one_that_is_switched_off_is_not_asked(world: BbbWorld, server: BbbServer) -> None:
    with world.app.app_context(), transaction():
        get_provider(world.provider_id).active = False
    assert findings(world) == []
    assert server.calls == []


# Its clock


@pytest.mark.parametrize("seconds", [-50, 50])
def test_a_clock_may_be_off_by_less_than_a_minute(world: BbbWorld, server: BbbServer, seconds: float) -> None:
    server.clock_ahead = seconds
    assert [one.good for one in about_clock(world)] == [True]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (100, "seconds ahead of"),
        (-100, "seconds behind"),
        (7.5 * 60, "7 minutes ahead of"),
        (-7.5 * 60, "7 minutes behind"),
        (-3.5 * 3600, "3 hours behind"),
        (2.5 * 86_400, "2 days ahead of"),
    ],
)
def test_a_clock_that_is_off_is_said_with_how_far_and_what_to_do(
    world: BbbWorld, server: BbbServer, seconds: float, words: str
) -> None:
    server.clock_ahead = seconds
    [found] = about_clock(world)
    assert not found.good
    assert f"{words} that of this machine" in found.message
    assert found.message.endswith("Have both set by NTP.")


@pytest.mark.parametrize("date", ["soon", "Mon, 99 Nov 2026 00:00:00 GMT", "\xe4"])
def test_nothing_is_said_of_a_clock_that_the_server_does_not_tell(
    world: BbbWorld, server: BbbServer, date: str
) -> None:
    server.date = date
    assert about_clock(world) == []


# Whether it can call back


@pytest.fixture
def public(world: BbbWorld, server: BbbServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """The portal's public name leads to the server, where each test lets something answer for the portal."""
    before = public_url.public_url("")
    name = f"http://rooms.example:{server.server_address[1]}"
    monkeypatch.setattr(fetch, "resolve", lambda _host, _port: ["127.0.0.1"])
    public_url.use(name)
    yield f"{name}/hooks/{world.provider_id}"
    public_url.use(before)


def test_a_portal_that_only_this_machine_reaches_cannot_be_called(world: BbbWorld) -> None:
    found = about_callbacks(world)
    assert found.good, "it is no fault of a portal that is tried out"
    assert "cannot call back" in found.message
    assert "Set BASE_URL" in found.message
    assert found.message.endswith("asks about its rooms every 15 seconds.")


def test_where_the_portal_itself_answers_it_can_be_called(world: BbbWorld, server: BbbServer, public: str) -> None:
    told = world.cast.browser().get(f"/hooks/{world.provider_id}")
    server.raw[f"hooks/{world.provider_id}"] = (told.status_code, told.data)
    assert about_callbacks(world) == Finding(True, f"{NAME}can call back: the portal answers at {public}")


@pytest.mark.parametrize(
    "other", [(401, b"Log in"), (404, b""), (200, b"Foyer takes here what this service has signed.\n")]
)
def test_where_something_else_answers_it_cannot(
    world: BbbWorld, server: BbbServer, public: str, other: tuple[int, bytes]
) -> None:
    server.raw[f"hooks/{world.provider_id}"] = other
    found = about_callbacks(world)
    assert not found.good
    assert f"something else than this portal answers at {public} (status {other[0]})" in found.message


def have_called_back(world: BbbWorld, address: str) -> None:
    """Have the server call the portal at this address."""
    with world.app.app_context(), transaction():
        changes = {"callback_url": address, "secret": SECRET}
        change_provider(get_provider(world.provider_id), properties=changes)


def test_where_nothing_answers_it_is_said_what_to_look_at(world: BbbWorld, public: str) -> None:
    have_called_back(world, "http://inside.example:1024")
    found = about_callbacks(world)
    assert not found.good
    assert f"no answer at http://inside.example:1024/hooks/{world.provider_id}" in found.message
    assert "Check BASE_URL, its DNS entry and the proxy." in found.message


def test_an_address_that_the_operator_did_not_open_is_not_tried(
    world: BbbWorld, server: BbbServer, public: str
) -> None:
    port = server.server_address[1]
    fetch.use(private=False, plain=False, allowed=read_allowed(f"127.0.0.1/32:{port}"))
    have_called_back(world, "https://inside.example")
    found = about_callbacks(world)
    assert found.good
    assert "is not tried: The address leads into a private network" in found.message
    assert "OUTGOING_ALLOWED" in found.message
