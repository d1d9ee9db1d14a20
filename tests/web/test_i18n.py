"""Words and moments as people read them, and one word for each state of a room."""

import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.admission.models import AccessCode
from portal.clock import now
from portal.db import session, transaction
from portal.edge import actor
from portal.edge.i18n import exactly, offset, translated, when
from portal.errors import Message
from portal.people.actor import actor_of
from portal.people.models import User
from portal.people.timezones import time_zones
from portal.providers.base import LiveState
from portal.rooms.models import Role
from portal.status.models import RoomStatus, Source
from tests.cast import Cast


@pytest.mark.parametrize(("n", "words"), [(1, "Wait 1 second."), (2, "Wait 2 seconds."), (0, "Wait 0 seconds.")])
def test_a_message_counts(app: Flask, n: int, words: str) -> None:
    message = Message.plural("Wait %(n)d second.", "Wait %(n)d seconds.", n=n)
    assert message == words
    with app.test_request_context():
        assert translated(message) == words


def test_one_place_is_one_place(cast: Cast) -> None:
    with cast.app.app_context(), transaction():
        cast.room().room_features = {"max_participants": 1}
    page = cast.sign_in("alice").get(f"/manage/rooms/{cast.board}/links/{cast.link_ids[Role.GUEST]}/test").text
    assert "1 place free now" in page


@pytest.mark.parametrize(
    ("zone", "moment", "shown"),
    [
        ("Europe/Dublin", datetime(2027, 7, 15, 12, tzinfo=UTC), "15 July 2027, 13:00:00 UTC+01:00"),
        ("America/St_Johns", datetime(2028, 1, 15, 12, tzinfo=UTC), "15 January 2028, 08:30:00 UTC-03:30"),
        ("America/St_Johns", datetime(2027, 7, 15, 12, tzinfo=UTC), "15 July 2027, 09:30:00 UTC-02:30"),
        ("Pacific/Marquesas", datetime(2028, 1, 15, 12, tzinfo=UTC), "15 January 2028, 02:30:00 UTC-09:30"),
        ("UTC", datetime(2028, 1, 15, 12, tzinfo=UTC), "15 January 2028, 12:00:00 UTC"),
    ],
)
def test_an_exact_time_says_the_offset_that_its_clock_has(cast: Cast, zone: str, moment: datetime, shown: str) -> None:
    with cast.app.test_request_context():
        alice = cast.user("alice")
        alice.timezone = zone
        actor.become(actor_of(alice))
        assert exactly(moment) == shown


def test_the_offset_is_the_real_one_in_every_zone_and_month() -> None:
    for name in sorted(time_zones()):
        for month in range(1, 13):
            moment = datetime(2027, month, 15, 12, tzinfo=UTC)
            here = moment.astimezone(ZoneInfo(name))
            written = offset(here).removeprefix("UTC").replace(":", "") or "+0000"
            parsed = datetime.strptime(f"{here:%Y-%m-%d %H:%M:%S} {written}", "%Y-%m-%d %H:%M:%S %z")
            assert parsed == moment, (name, month, written)


def test_a_moment_in_another_year_keeps_its_time(app: Flask) -> None:
    with app.test_request_context(), time_machine.travel(datetime(2026, 11, 24, tzinfo=UTC), tick=False):
        assert when(datetime(2027, 1, 31, 18, 30, tzinfo=UTC)) == "31 Jan 2027, 18:30"
        assert when(datetime(2026, 12, 1, 18, 30, tzinfo=UTC)) == "1 Dec, 18:30"
        assert exactly(datetime(2027, 1, 31, 18, 30, 12, tzinfo=UTC)).startswith("31 January 2027, 18:30:12")


def test_the_exact_time_at_hand_is_in_the_zone_of_the_reader(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    alice.send("/me", name="Alice Moreau", timezone="Asia/Tokyo")
    alice.send(f"/manage/rooms/{cast.board}/links/new", role="guest", expires_at="2033-07-01T18:30")
    page = alice.get(f"/manage/rooms/{cast.board}/links").text
    assert 'title="1 July 2033, 18:30:00' in page
    assert "1 Jul 2033, 18:30<" in page


@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "UTC"])
def test_a_moment_at_an_end_of_time_breaks_no_page_and_is_kept(cast: Cast, zone: str) -> None:
    """Programs were once allowed to store such moments: tomorrow is no date there, or yesterday."""
    first, last = datetime(1, 1, 1, 0, 30, tzinfo=UTC), datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
    with cast.app.app_context(), transaction():
        cast.token(Role.GUEST).not_before, cast.token(Role.GUEST).expires_at = first, last
        code = session.scalars(sa.select(AccessCode)).one()
        code.expires_at, code_id = last, code.id
    alice, board = cast.sign_in("alice"), f"/manage/rooms/{cast.board}"
    assert alice.send("/me", name="Alice Moreau", timezone=zone).status_code == 303
    link = f"{board}/links/{cast.link_ids[Role.GUEST]}"
    for page in (board, f"{board}/links", f"{link}/test", f"{board}/codes"):
        assert alice.get(page).status_code == 200, page
    for form in (f"{link}/edit", f"{board}/codes/{code_id}/edit"):
        shown = alice.get(form)
        assert shown.status_code == 200
        fields = dict(re.findall(r'name="(not_before|expires_at)"[^>]*value="([^"]*)"', shown.text))
        assert fields["expires_at"].startswith("9999-12-31T")
        role = "guest" if "links" in form else "attendee"
        assert alice.send(form, role=role, label="Kept", **fields).status_code == 303
    with cast.app.app_context():
        token, code = cast.token(Role.GUEST), session.scalars(sa.select(AccessCode)).one()
        assert (token.not_before, token.expires_at, token.label) == (first, last, "Kept")
        assert (code.expires_at, code.label) == (last, "Kept")


@pytest.mark.parametrize(
    ("state", "stale", "words", "group"),
    [
        (LiveState.IDLE, False, "Idle", "Not live"),
        (LiveState.STARTING, False, "Starting", "Live now"),
        (LiveState.LIVE, False, "Live", "Live now"),
        (LiveState.ENDING, False, "Ending", "Live now"),
        (LiveState.UNKNOWN, False, "Unclear", "Not live"),
        (LiveState.LIVE, True, "Live", "Live now"),
    ],
)
def test_each_state_has_its_word_and_its_group(
    cast: Cast, state: LiveState, stale: bool, words: str, group: str
) -> None:
    guest = cast.browser()
    guest.send(cast.open_path, name="Gil")  # so that there are live rooms, whatever the state of the other
    with cast.app.app_context(), transaction():
        session.execute(
            sa.insert(RoomStatus).values(
                room_uuid=cast.room().uuid,
                state=state,
                stale=stale,
                since=now() - timedelta(minutes=1),
                checked_at=now(),
                source=Source.POLL,
                count=2 if state in {LiveState.LIVE, LiveState.ENDING} else 0,
                counts={},
                names=[],
                version=1,
            )
        )
    alice = cast.sign_in("alice")
    page = alice.get(f"/manage/rooms/{cast.board}").text
    badge = page.split('id="live-badge">')[1].split("</span></span>")[0]
    assert f">{words}<" in badge.replace("\n", "") + "<"
    assert ("unclear" in badge) is stale
    listed = alice.get("/manage/rooms").text
    above, _, below = listed.partition("Not live")
    assert cast.board in (above if group == "Live now" else below).replace(f"rooms={cast.board}", "")
    assert f">{words}<" in listed


def test_whoever_reads_a_time_reads_its_zone(app: Flask, cast: Cast) -> None:
    at = now()
    with app.app_context(), transaction():
        session.execute(sa.update(User).values(timezone="Asia/Tokyo"))
        cast.token(Role.GUEST).expires_at = at - timedelta(minutes=5)
        cast.token(Role.ATTENDEE).not_before = at + timedelta(days=3)
    for link, page in ((Role.GUEST, "It worked until"), (Role.ATTENDEE, "Opens in")):
        for client, zone in ((cast.browser(), "UTC"), (cast.sign_in("charlie"), "Asia/Tokyo")):
            text = client.get(cast.links[link], follow_redirects=True).text
            assert page in text
            assert re.search(rf", \d\d:\d\d \({zone}\)", text)
    assert (
        "Times are in the time zone Asia/Tokyo." in cast.sign_in("alice").get(f"/manage/rooms/{cast.board}/links").text
    )
