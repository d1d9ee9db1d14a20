"""What the settings, entries and sessions of a room do to people at their browsers."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from playwright.sync_api import expect

from portal import vault
from portal.admission.models import JoinTicket, RoomToken
from portal.rooms.models import Role
from portal.token_format import TokenFormat
from tests import servers
from tests.e2e.people import Person, sees
from tests.e2e.test_journeys import board_links
from tests.servers import Portal

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(240)]


def entry_of(portal: Portal, name: str, *, spent: bool = False) -> str:
    """The address of a join ticket by the board room's guest link, put into the database as the API would."""
    secret = TokenFormat("en_", random_bytes=24).new()
    vault.use((servers.SECRET_KEY,))
    at = datetime.now(UTC)
    engine = sa.create_engine(f"sqlite:///{portal.data / 'foyer.db'}", connect_args={"timeout": 10})
    with engine.begin() as connection:
        token, room_uuid = connection.execute(
            sa.select(RoomToken.uuid, RoomToken.room_uuid).where(RoomToken.role == Role.GUEST, ~RoomToken.automatic)
        ).first()  # type: ignore[misc]
        room = connection.scalar(sa.text("SELECT id FROM rooms WHERE uuid = :uuid"), {"uuid": room_uuid.hex})
        connection.execute(
            sa.insert(JoinTicket).values(
                room_uuid=room_uuid,
                token_uuid=token,
                secret_hash=vault.lookup_hash(secret, purpose="join-ticket"),
                name=name,
                expires_at=at + timedelta(minutes=1),
                used_at=at if spent else None,
            )
        )
    engine.dispose()
    return f"{portal.address}/rooms/{room}/-/join-tickets/{secret}"


def test_microphones_are_off_at_first_and_the_end_is_for_everyone(
    portal: Portal, person: Callable[..., Person]
) -> None:
    links = board_links(portal)
    alice, chair, guest = person("Alice"), person("Mo Silva"), person("Jun Tanaka")
    alice.sign_in()
    page = alice.page
    page.get_by_role("link", name="Board meeting", exact=True).click()
    room = page.url
    alice.go(f"{room}/settings").get_by_label("Microphones are off at first").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()

    chair.join(links["moderator"])
    guest.go(entry_of(portal, "Jun Tanaka"))  # the script presses the button
    guest.page.wait_for_url("**/-/conference")
    sees(chair.page, "Jun Tanaka")
    for one in (chair.page, guest.page):
        expect(one.locator("#microphone")).to_have_text(re.compile("Unmute microphone"))
        expect(one.get_by_text("Microphones are off at first in this room")).to_be_visible()
    guest.page.locator("#microphone").click()
    expect(guest.page.locator("#microphone")).to_have_text(re.compile("^\\s*Mute microphone"))
    expect(guest.page.get_by_text("Microphones are off at first in this room")).to_be_hidden()

    alice.go(room).get_by_role("link", name="End for everyone").click()
    expect(page.get_by_text("2 people are sent out")).to_be_visible()
    page.get_by_role("button", name="End for everyone").click()
    for one in (chair.page, guest.page):
        expect(one.get_by_role("heading", name="The conversation was ended for everyone.")).to_be_visible()
    alice.go(f"{room}/sessions").get_by_role("link", name="Who was in").first.click()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download CSV").click()
    text = download.value.path().read_text()
    assert "Jun Tanaka,Guest,Press" in text
    assert text.count("Ended for everyone") == 2
