"""A room that a service elsewhere holds, as people see it: one click from the join page into the service and back."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from portal.app import create_app
from portal.db import db
from portal.providers import registry
from portal.providers.mesh.adapter import Mesh
from tests.cast import Cast
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
