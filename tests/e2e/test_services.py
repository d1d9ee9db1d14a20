"""A room that a service elsewhere holds, as people see it: one click from the join page into the service and back."""

import shutil
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from portal.app import create_app
from portal.clock import now
from portal.db import db, transaction
from portal.media.models import RecordingSource
from portal.providers import registry
from portal.providers.base import RecordingState
from portal.providers.mesh.adapter import Mesh
from portal.subscriptions.granting import set_feature
from tests.cast import Cast, new_recording
from tests.conftest import settings_for
from tests.e2e.people import Person
from tests.e2e.test_journeys import live_badge
from tests.providers.standin.adapter import StandInAdapter
from tests.providers.standin.server import StandIn, running
from tests.providers.standin.world import give_board_room_to
from tests.servers import Portal

pytestmark = pytest.mark.e2e


@pytest.fixture
def service() -> Iterator[StandIn]:
    with running() as service:
        yield service


@pytest.fixture
def cast(tmp_path: Path, furnished_sqlite: Path, service: StandIn) -> Cast:
    """The demo world in the portal's data folder, with the board room held by the service."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(furnished_sqlite, data / "foyer.db")
    app = create_app(settings_for(f"sqlite:///{data / 'foyer.db'}", data))
    registry.fill([Mesh([]), StandInAdapter()])
    cast = Cast(app)
    give_board_room_to(cast, service)
    with app.app_context():
        db.session.remove()
        db.engine.dispose()
    return cast


@pytest.fixture
def portal(tmp_path: Path, cast: Cast) -> Iterator[Portal]:
    portal = Portal(tmp_path / "data", module="tests.providers.standin.serving")
    portal.start()
    yield portal
    portal.stop()
    print(portal.log()[-6000:])  # shown beside what failed


@pytest.fixture
def at_service(person: Callable[..., Person], service: StandIn) -> Callable[..., Person]:
    """Makes people whose browsers may go to the service, and nowhere else."""

    def make(name: str, **options: object) -> Person:
        one = person(name, **options)
        one.may_ask = (*one.may_ask, service.url)
        return one

    return make


def test_a_guest_goes_to_the_service_and_comes_back_while_the_owner_watches(
    portal: Portal, service: StandIn, cast: Cast, at_service: Callable[..., Person]
) -> None:
    alice, guest = at_service("Alice"), at_service("Gus Guest")
    alice.sign_in()
    room = alice.go(f"/manage/rooms/{cast.board}")
    live_badge(room, "Idle")
    page = guest.go(next(link for role, link in cast.links.items() if role.value == "guest"))
    page.get_by_label("Your name").fill("Gus Guest")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("You are in.")).to_be_visible()
    assert page.url.startswith(service.url)
    live_badge(room, "Live", seconds=15)
    expect(room.get_by_text("Gus Guest")).to_be_visible()
    page.get_by_role("link", name="Leave the meeting").click()
    expect(page.get_by_role("heading", name="You left the room.")).to_be_visible()
    live_badge(room, "Idle", seconds=15)
    page.get_by_role("link", name="Rejoin").click()
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("You are in.")).to_be_visible()


def test_an_owner_enters_from_the_list_with_one_click(
    portal: Portal, service: StandIn, at_service: Callable[..., Person]
) -> None:
    alice = at_service("Alice")
    alice.sign_in()
    alice.page.get_by_role("button", name="Enter Board meeting").click()
    expect(alice.page.get_by_text("You are in.")).to_be_visible()
    assert [role for _, role in service.people_in().values()] == ["chair"]


def test_an_owner_enters_without_scripts_in_two(
    portal: Portal, service: StandIn, cast: Cast, at_service: Callable[..., Person]
) -> None:
    alice = at_service("Alice", java_script_enabled=False)
    alice.sign_in()
    alice.page.get_by_role("button", name="Enter Board meeting").click()
    alice.page.get_by_role("button", name="Enter", exact=True).click()
    expect(alice.page.get_by_text("You are in.")).to_be_visible()


def test_a_service_that_does_not_answer_is_said_on_the_page_with_what_was_typed(
    portal: Portal, service: StandIn, cast: Cast, at_service: Callable[..., Person]
) -> None:
    service.dead = True
    guest = at_service("Gus Guest")
    page = guest.go(next(link for role, link in cast.links.items() if role.value == "guest"))
    page.get_by_label("Your name").fill("Gus Guest")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("This room cannot be opened right now. Try again in a moment.")).to_be_visible()
    expect(page.get_by_label("Your name")).to_have_value("Gus Guest")
    service.dead = False
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("You are in.")).to_be_visible()


def test_looks(
    portal: Portal,
    service: StandIn,
    cast: Cast,
    at_service: Callable[..., Person],
    seen: Callable[..., None],
) -> None:
    alice, guest = at_service("Alice"), at_service("Gus Guest")
    alice.sign_in()
    page = guest.go(next(link for role, link in cast.links.items() if role.value == "guest"))
    page.get_by_label("Your name").fill("Gus Guest")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("You are in.")).to_be_visible()
    service.come(service.meeting_name(), "walk-in", "Walk-in Wanda", "member")
    room = alice.go(f"/manage/rooms/{cast.board}")
    live_badge(room, "Live", seconds=15)
    expect(room.get_by_text("Raised hands")).to_be_visible()
    expect(room.get_by_text("Walk-in Wanda")).to_be_visible()
    seen(room, "service-room")
    seen(alice.go(f"/rooms/{cast.board}/-/entry"), "service-entrance")
    service.dead = True
    late = at_service("Late Lou")
    page = late.go(next(link for role, link in cast.links.items() if role.value == "guest"))
    page.get_by_label("Your name").fill("Late Lou")
    page.get_by_role("button", name="Join").click()
    expect(page.get_by_text("This room cannot be opened right now.")).to_be_visible()
    seen(page, "service-away")


def test_recordings_are_shared_by_their_owner_and_watched_by_a_guest(
    portal: Portal,
    service: StandIn,
    cast: Cast,
    at_service: Callable[..., Person],
    seen: Callable[..., None],
) -> None:
    with cast.app.app_context(), transaction():
        room = cast.room()
        set_feature(room.subscription, code="recording", value=True)
        kept = service.record(str(room.uuid), name="Quarterly meeting of the supervisory board with the auditors")
        watch = f"{service.url}/watch/{kept.external}"
        at: dict[str, Any] = {
            "provider_uuid": room.subscription.provider_uuid,
            "source": RecordingSource.PROVIDER,
            "external": kept.external,
            "name": kept.name,
            "formats": [{"type": "presentation", "url": watch, "length": 1800}],
            "expires_at": now() + timedelta(days=30),
        }
        new_recording(room=room, **at)
        new_recording(room=room, name="In the works", state=RecordingState.PROCESSING, published=False, formats=[])
        new_recording(room=room, name="Broken", state=RecordingState.FAILED, published=False, formats=[])
    alice, guest = at_service("Alice"), at_service("Gus Guest")
    alice.sign_in()
    page = alice.go(f"/manage/rooms/{cast.board}")
    page.get_by_role("navigation", name="Room").get_by_role("link", name="Recordings").click()
    expect(page.get_by_text("In the works")).to_be_visible()
    seen(page, "recordings")
    page.get_by_role("link", name=f"Edit {kept.name}").click()
    seen(page, "recording-edit")
    page.get_by_label("Who sees it").select_option(label="Owners, members and participants")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("Saved.")).to_be_visible()
    page.get_by_role("link", name="Delete Broken").click()
    seen(page, "recording-deletion")
    page.get_by_role("button", name="Delete recording").click()
    expect(page.get_by_text("Broken was deleted.")).to_be_visible()
    door = guest.go(next(link for role, link in cast.links.items() if role.value == "guest"))
    door.get_by_label("Your name").fill("Gus Guest")
    door.get_by_role("button", name="Join").click()
    door.get_by_role("link", name="Leave the meeting").click()
    seen(door, "left-recorded")
    door.get_by_role("link", name="Recordings of this room").click()
    expect(door.get_by_role("heading", name=kept.name)).to_be_visible()
    seen(door, "recordings-shared")
    with door.expect_popup() as popup:
        door.get_by_role("link", name=f"Watch {kept.name}").click()
    assert popup.value.url == watch
