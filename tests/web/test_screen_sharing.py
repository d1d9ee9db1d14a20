"""Screen sharing's server side: who shares is told only where the room may, and a moderator stops it."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal import channels
from portal.audit.models import AuditEvent
from portal.db import db, session, transaction
from portal.rooms.models import Role
from tests.cast import Cast
from tests.conftest import BOTH
from tests.statements import statements
from tests.web.player import Player
from tests.web.test_chat import allow
from tests.web.test_room_settings import FIELDS
from tests.web.test_who_is_seen import CAMERA, SCREEN

STREAM = "{2f0a9d6e-3c1b-4a57-9a3e-0d1f5b8c7e21}"


@pytest.fixture
def mo(cast: Cast) -> Player:
    return Player(cast.join(Role.MODERATOR, name="Mo"), cast.board, "mo-tab")


@pytest.fixture
def gus(cast: Cast) -> Player:
    return Player(cast.join(Role.GUEST, name="Gus"), cast.board, "gus-tab")


def screens(player: Player) -> dict[str, tuple[str, str]]:
    """Name → the stream of the screen that is shared, and since when; as the player's roster says."""
    roster: dict[str, Any] = dict(player.hear())["roster"]
    return {person["name"]: (person["screen"], person["screen_since"]) for person in roster["people"]}


@BOTH
def test_others_are_told_who_shares_a_screen_and_whose_is_the_newest(app: Flask, mo: Player, gus: Player) -> None:
    allow(app, screen_sharing=True)
    mo.alive()
    gus.alive(screen=STREAM)
    stream, since = screens(mo)["Gus"]
    assert stream == STREAM
    assert screens(mo)["Mo"] == ("", "")
    mo.alive(screen="newer")
    gus.alive(screen=STREAM, microphone=True)
    assert screens(gus)["Gus"] == (STREAM, since), "a heartbeat later it began when it did"
    assert screens(gus)["Mo"][1] > since
    gus.alive(screen="another")
    assert screens(mo)["Gus"][1] > screens(mo)["Mo"][1]
    gus.alive()
    assert screens(mo)["Gus"] == ("", "")


@BOTH
@pytest.mark.parametrize("by_room", [True, False])
def test_where_sharing_is_off_nobody_is_told_of_a_screen(
    app: Flask, cast: Cast, mo: Player, gus: Player, by_room: bool
) -> None:
    allow(app, screen_sharing=True)
    mo.alive()
    gus.alive(screen=STREAM)
    assert dict(mo.hear())["roster"]["rights"]["screen_sharing"] is True
    if by_room:
        with app.app_context(), transaction():
            cast.room().room_features = {"screen_sharing": False}
    else:
        allow(app, screen_sharing=False)
    assert gus.alive(screen=STREAM).status_code == 200, "he stays in"
    assert screens(mo)["Gus"] == ("", "")
    assert dict(gus.hear())["roster"]["rights"]["screen_sharing"] is False


@BOTH
def test_who_is_in_learns_at_once_what_the_room_s_owner_turns_off(
    app: Flask, cast: Cast, mo: Player, gus: Player
) -> None:
    allow(app, screen_sharing=True, public_chat=True)
    mo.alive()
    gus.alive(screen=STREAM)
    alice = cast.sign_in("alice")
    settings = f"/manage/rooms/{cast.board}/settings"
    stream = gus.stream()
    assert next(stream)[1]["rights"]["screen_sharing"] is True
    with app.app_context(), statements(db.engine) as seen:
        mo.alive(microphone=True)
        assert next(stream)[0] == "roster"
    assert len(seen) <= 3, "his heartbeat, and one turn of the stream, which reads no rights again"
    for code in ("screen_sharing", "public_chat"):
        assert alice.send(settings, **FIELDS, **{code: "off"}).status_code == 303
        name, roster = next(stream)
        assert (name, roster["rights"][code]) == ("roster", False)
    stream.close()


@pytest.mark.parametrize("odd", ["x" * 65, "\ud800", ["a"], 7, "a\nb"])
def test_what_can_be_no_stream_is_refused(app: Flask, gus: Player, odd: Any) -> None:
    allow(app, screen_sharing=True)
    assert gus.alive(screen=odd).status_code == 422


def test_a_moderator_stops_a_screen_and_the_audit_says_so(app: Flask, mo: Player, gus: Player) -> None:
    mo.alive()
    gus.alive()
    assert gus.say("signals", to=mo.id, kind="stop_screen").status_code == 403
    assert mo.say("signals", to=gus.id, kind="stop_screen").status_code == 202
    [told] = channels.channels().messages(f"participation:{gus.id}", "")
    assert told.body == {"event": "stop_screen", "from": mo.id}
    with app.app_context():
        assert "participant.screen_stopped" in session.scalars(sa.select(AuditEvent.action)).all()


@BOTH
def test_moderators_stop_sharing_for_all_others_and_allow_it_again(app: Flask, mo: Player, gus: Player) -> None:
    allow(app, screen_sharing=True)
    for player in (mo, gus):
        player.alive(screen=STREAM)
    for kind in ("stop_sharing", "allow_sharing"):
        assert gus.say("signals", kind=kind).status_code == 403
    assert dict(gus.hear())["roster"]["sharing_stopped"] is False

    def offers(player: Player, to: Player) -> Any:
        return player.say("signals", to=to.id, kind="offer", data={"sdp": SCREEN})

    assert offers(gus, mo).status_code == 202
    assert mo.say("signals", kind="stop_sharing").status_code == 202
    assert dict(gus.hear())["roster"]["sharing_stopped"] is True
    assert (screens(mo)["Gus"][0], screens(gus)["Mo"][0]) == ("", STREAM), "before his page has heard of it"
    gus.alive(screen="another")
    assert screens(mo)["Gus"] == ("", "")
    refused = offers(gus, mo)
    assert (refused.status_code, refused.json["message"]) == (403, "You cannot share your screen in this room now.")
    assert gus.say("signals", to=mo.id, kind="answer", data={"sdp": SCREEN}).status_code == 403
    assert offers(mo, gus).status_code == 202
    assert gus.say("signals", to=mo.id, kind="offer", data={"sdp": CAMERA}).status_code == 202
    assert mo.say("signals", kind="allow_sharing").status_code == 202
    assert offers(gus, mo).status_code == 202
    gus.alive(screen="another")
    assert screens(mo)["Gus"][0] == "another"
    allow(app, screen_sharing=False)
    assert offers(mo, gus).status_code == 403, "where the plan or the room has it off, nobody's is relayed"
