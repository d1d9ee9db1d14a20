"""Addresses at which people join: minted for each click, good for one run, and not to be changed."""

from typing import Any

import pytest

from portal.providers.bigbluebutton.adapter import BigBlueButtonService
from tests.providers.bigbluebutton.server import BbbServer
from tests.providers.bigbluebutton.test_parameters import request
from tests.providers.bigbluebutton.visits import go, query, visit

ROOM = request().room_key


@pytest.mark.parametrize(
    ("role", "word", "prefix"),
    [("moderator", "MODERATOR", "m-"), ("attendee", "VIEWER", "a-"), ("guest", "VIEWER", "g-")],
)
def test_roles_are_translated(
    server: BbbServer, service: BigBlueButtonService, role: Any, word: str, prefix: str
) -> None:
    run = service.start(request())
    asked = query(service.destination(run, visit(role)).url)
    sent = server.only().sent
    assert asked.pop("checksum")
    assert asked == {
        "fullName": "Gus",
        "meetingID": ROOM,
        "role": word,
        "password": sent["moderatorPW" if role == "moderator" else "attendeePW"],
        "userID": f"{prefix}p1",
        "createTime": str(server.only().created),
        **({"guest": "true"} if role == "guest" else {}),
    }


def test_an_address_is_minted_without_asking_anybody_and_lets_in(
    server: BbbServer, service: BigBlueButtonService
) -> None:
    run = service.start(request())
    asked = len(server.calls)
    address = service.destination(run, visit(name="Zoë O'Hara (Büro) *1* 😀!")).url
    assert len(server.calls) == asked
    assert address.startswith(f"{service.origin}/bigbluebutton/api/join?")
    assert "You are in." in go(address)
    [person] = server.only().people
    assert (person.name, person.guest) == ("Zoë O'Hara (Büro) *1* 😀!", True)


def test_the_address_of_an_earlier_run_opens_no_later_one(server: BbbServer, service: BigBlueButtonService) -> None:
    old = service.destination(service.start(request()), visit()).url
    server.meetings.clear()
    service.start(request())
    assert "mismatchCreateTimeParam" in go(old)


def test_an_address_cannot_be_changed_into_a_better_one(server: BbbServer, service: BigBlueButtonService) -> None:
    address = service.destination(service.start(request()), visit()).url
    assert "checksumError" in go(address.replace("VIEWER", "MODERATOR"))


def test_the_origin_is_that_of_the_address(server: BbbServer, service: BigBlueButtonService) -> None:
    assert service.origin == server.url
