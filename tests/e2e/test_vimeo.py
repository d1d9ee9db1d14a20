"""A room whose videos Vimeo holds, as browsers see it: uploaded there from the page, and watched in Vimeo's frame."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from portal.app import create_app
from portal.db import db, session, transaction
from portal.rooms.models import Role, Room
from tests.cast import Cast
from tests.conftest import settings_for
from tests.e2e.people import Person, follow
from tests.providers.vimeo.server import StandIn, running_vimeo
from tests.providers.vimeo.world import new_vimeo_room
from tests.servers import Portal
from tests.video_room import link_into

pytestmark = pytest.mark.e2e
BYTES = bytes(range(256)) * 40_000  # some pieces of it


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with running_vimeo() as home:
        yield home


@pytest.fixture
def room(tmp_path: Path, furnished_sqlite: Path, standin: StandIn) -> tuple[str, str]:
    """The id of the room, and a link for guests."""
    data = tmp_path / "data"
    data.mkdir()
    shutil.copy(furnished_sqlite, data / "foyer.db")
    app = create_app(settings_for(f"sqlite:///{data / 'foyer.db'}", data))
    Cast(app)
    room_id = new_vimeo_room(app, standin)
    with app.app_context():
        with transaction():
            link = link_into(session.query(Room).filter_by(id=room_id).one(), Role.GUEST)
        db.session.remove()
        db.engine.dispose()
    return room_id, link


@pytest.fixture
def portal(tmp_path: Path, room: tuple[str, str], standin: StandIn) -> Iterator[Portal]:
    portal = Portal(
        tmp_path / "data",
        module="tests.providers.vimeo.serving",
        environment={"OUTGOING_ALLOWED": "127.0.0.1/32", "STANDIN": standin.url},
    )
    portal.start()
    yield portal
    portal.kill()
    print(portal.log()[-6000:])  # shown beside what failed


def test_a_video_goes_straight_to_vimeo_and_is_watched_in_its_frame(
    portal: Portal,
    room: tuple[str, str],
    person: Callable[..., Person],
    standin: StandIn,
    tmp_path: Path,
    seen: Callable[..., None],
) -> None:
    room_id, link = room
    film = tmp_path / "Annual meeting.mp4"
    film.write_bytes(BYTES)
    alice = person("Alice")
    alice.may_ask = (*alice.may_ask, standin.url)
    alice.sign_in()
    page = alice.go(f"/manage/rooms/{room_id}/videos")
    page.get_by_label("Files").set_input_files(film)
    page.get_by_role("button", name="Upload video").click()
    expect(page.get_by_text("Vimeo is preparing it")).to_be_visible(timeout=30_000)
    assert bytes(standin.received["9000"]) == BYTES
    sent = [headers for (_, path), headers in zip(standin.requests, standin.headers, strict=True) if "/files/" in path]
    assert sent
    assert not any("cookie" in one or "x-csrftoken" in one or "authorization" in one for one in sent)
    standin.videos["9000"] |= {"is_playable": True, "status": "available", "upload": {"status": "complete"}}
    line = page.get_by_role("row", name="Annual meeting")
    expect(line.locator(".state-ok")).to_be_visible(timeout=30_000)
    expect(line.get_by_text("not told")).to_be_visible()
    seen(page, "vimeo-videos")

    guest = person(permissions=[])
    asked: list[str] = []
    guest.page.on("request", lambda request: asked.append(request.url))
    page = guest.go(link)
    follow(page.get_by_role("button", name="Watch"))
    expect(page.get_by_text("learns your network address")).to_be_visible()
    seen(page, "vimeo-before")
    assert [one for one in asked if one.startswith(standin.url)] == []
    guest.may_ask = (*guest.may_ask, standin.url)
    follow(page.get_by_role("main").get_by_role("link", name="Watch", exact=True))
    frame = page.frame_locator("iframe")
    expect(frame.get_by_role("heading", name="The player of the stand-in")).to_be_visible()
    assert standin.referers == [f"{portal.address}/"]
    seen(page, "vimeo-watch")
