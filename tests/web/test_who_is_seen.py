"""Rooms that hide who is in, or show cameras of attendees and guests to moderators only: what pages are told."""

from typing import Any

import pytest
from flask import Flask

from portal import channels
from portal.conference import signal_rate
from portal.db import transaction
from portal.rooms.models import Role
from tests.cast import Cast
from tests.conftest import BOTH
from tests.web.player import Player, entered
from tests.web.test_chat import allow, write
from tests.web.test_listeners import HEAD, LISTENS, PICTURE, SOUND

CAMERA = HEAD + SOUND + PICTURE
SCREEN = HEAD + SOUND + PICTURE + "a=recvonly\r\n" + PICTURE + "a=sendonly\r\n"


def set_on(app: Flask, cast: Cast, *settings: str) -> None:
    with app.app_context(), transaction():
        cast.room().room_settings = dict.fromkeys(settings, True)


def told(player: Player) -> list[dict[str, Any]]:
    roster: dict[str, Any] = dict(player.hear())["roster"]
    return list(roster["people"])


def names(player: Player) -> list[str]:
    return [one["name"] for one in told(player)]


def cameras(player: Player) -> list[str]:
    return [one["name"] for one in told(player) if one["camera"]]


@BOTH
def test_attendees_and_guests_read_the_names_of_moderators_and_of_whom_they_see_or_hear(
    app: Flask, cast: Cast, mo: Player, ann: Player, gus: Player
) -> None:
    allow(app, screen_sharing=True)
    assert names(gus) == ["Mo", "Ann", "Gus"]
    set_on(app, cast, "hide_user_list")
    ann.alive(hand=True)
    assert (names(mo), names(ann), names(gus)) == (["Mo", "Ann", "Gus"], ["Mo", "Ann", ""], ["Mo", "", "Gus"])
    [hidden] = [one for one in told(gus) if not one["listed"]]
    assert (hidden["id"], hidden["tab"], hidden["hand"], hidden["microphone"]) == (ann.id, ann.tab, "", False)
    for device in ({"microphone": True}, {"camera": True}, {"screen": "a-screen"}):
        ann.alive(**device)
        assert names(gus) == ["Mo", "Ann", "Gus"]
        ann.alive()
        assert names(gus) == ["Mo", "", "Gus"]
    late = entered(cast, Role.GUEST, "Late")
    assert names(late) == ["Mo", "", "", "Late"]


def test_who_becomes_a_moderator_sees_all_and_is_seen_and_the_other_way_round(
    app: Flask, cast: Cast, ann: Player, gus: Player
) -> None:
    set_on(app, cast, "hide_user_list")

    def make(role: Role) -> None:
        with app.app_context(), transaction():
            cast.token(Role.ATTENDEE).role = role

    make(Role.MODERATOR)
    ann.alive()
    assert (names(ann), names(gus)) == (["Ann", "Gus"], ["Ann", "Gus"])
    make(Role.ATTENDEE)
    ann.alive()
    assert (names(ann), names(gus)) == (["Ann", ""], ["", "Gus"])


def test_where_the_list_is_hidden_others_write_privately_to_moderators_only(
    app: Flask, cast: Cast, mo: Player, ann: Player, gus: Player
) -> None:
    allow(app, public_chat=True, private_chat=True)
    signal_rate.MESSAGES.left.clear()
    set_on(app, cast, "hide_user_list")
    refused = write(gus, "Psst", to=ann.id)
    assert (refused.status_code, refused.json["message"]) == (
        403,
        "In this room you can write to everybody, or to a moderator.",
    )
    for sender, to in ((gus, mo.id), (mo, gus.id), (gus, None)):
        assert write(sender, f"To {to}", to=to).status_code == 201


@BOTH
def test_cameras_of_attendees_and_guests_are_told_to_moderators_only(
    app: Flask, cast: Cast, mo: Player, ann: Player, gus: Player
) -> None:
    allow(app, screen_sharing=True)
    for player in (mo, ann, gus):
        player.alive(microphone=True, camera=True, screen="a-screen")
    assert cameras(gus) == ["Mo", "Ann", "Gus"]
    set_on(app, cast, "webcams_only_for_moderator")
    assert (cameras(mo), cameras(ann), cameras(gus)) == (["Mo", "Ann", "Gus"], ["Mo", "Ann"], ["Mo", "Gus"])
    assert all(one["screen"] and one["microphone"] for one in told(gus))
    assert dict(gus.hear())["roster"]["cameras_for_moderators"] is True
    set_on(app, cast, "webcams_only_for_moderator", "hide_user_list")
    ann.alive(camera=True)
    assert names(gus) == ["Mo", "", "Gus"], "whose camera he does not get he does not see"


@pytest.mark.parametrize("kind", ["offer", "answer"])
def test_a_camera_that_is_not_for_the_receiver_is_refused(
    app: Flask, cast: Cast, mo: Player, ann: Player, gus: Player, kind: str
) -> None:
    allow(app, screen_sharing=True)

    def say(player: Player, to: Player, sdp: str) -> Any:
        return player.say("signals", to=to.id, kind=kind, data={"sdp": sdp})

    assert say(gus, ann, CAMERA).status_code == 202
    set_on(app, cast, "webcams_only_for_moderator")
    box = f"participation:{ann.id}"
    before = len(channels.channels().messages(box, ""))
    for one, other in ((gus, ann), (ann, gus)):
        refused = say(one, other, CAMERA)
        assert (refused.status_code, refused.json["message"]) == (403, "In this room only moderators see your camera.")
    assert len(channels.channels().messages(box, "")) == before, "it was not relayed"
    for one, other, sdp in ((gus, mo, CAMERA), (mo, gus, CAMERA), (gus, ann, LISTENS), (gus, ann, SCREEN)):
        assert say(one, other, sdp).status_code == 202
