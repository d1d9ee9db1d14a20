"""The pages of a room whose videos Vimeo holds: for those who manage them, and for those who watch."""

import re
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.clock import now
from portal.db import session, transaction
from portal.jobs.service_extras import keep_extras
from portal.rooms.models import Role, Room
from portal.subscriptions.provider_models import ServiceProvider
from portal.videos.caption_files import read_captions
from portal.videos.captions import set_captions
from portal.videos.models import RoomVideo, ServiceVideo
from portal.videos.service_videos import videos_to_tell
from tests.api.conftest import NewProgram, program  # noqa: F401
from tests.cast import Cast, Client, csrf_of
from tests.films import make
from tests.providers.vimeo.server import TOKEN, StandIn
from tests.providers.vimeo.test_videos import look
from tests.providers.vimeo.world import arrive, begin, new_vimeo_room, only_video, room_and_owner
from tests.video_room import link_into


@pytest.fixture
def room(app: Flask, cast: Cast, standin: StandIn) -> str:
    return new_vimeo_room(app, standin)


@pytest.fixture
def ready(app: Flask, room: str, standin: StandIn) -> str:
    """A video that can be watched; its id."""
    with time_machine.travel(now(), tick=False) as travel:
        arrive(app, begin(app, room))
        standin.add("9000", stats={"plays": None})
        travel.shift(timedelta(seconds=6))
        look(app)
    return only_video(app)[0].id


def begun(alice: Client, room: str) -> dict[str, str]:
    page = alice.get(f"/manage/rooms/{room}/videos").text
    answer = alice.post(
        f"/manage/rooms/{room}/uploads",
        data={"name": "film.mp4", "size": "10"},
        headers={"X-CSRFToken": csrf_of(page)},
    )
    assert answer.status_code == 201, answer.text
    return dict(answer.json or {})


def test_the_script_is_told_where_the_bytes_go_and_may_send_them_there(
    app: Flask, cast: Cast, room: str, standin: StandIn
) -> None:
    alice = cast.sign_in("alice")
    page = alice.get(f"/manage/rooms/{room}/videos")
    assert f"connect-src 'self' {standin.url};" in page.headers["Content-Security-Policy"]
    made = begun(alice, room)
    assert made["place"] == f"{standin.url}/files/9000"
    page = alice.get(f"/manage/rooms/{room}/videos")
    assert f'data-upload="{made["place"]}"' in page.text
    assert TOKEN not in page.text
    answer = alice.post(made["arrival"], headers={"X-CSRFToken": csrf_of(page.text)})
    assert answer.status_code == 204
    assert "Vimeo is preparing it" in alice.get(f"/manage/rooms/{room}/videos").text
    assert alice.post(made["arrival"], headers={"X-CSRFToken": csrf_of(page.text)}).status_code == 404


def test_pages_of_other_rooms_connect_to_nobody_else(cast: Cast, room: str) -> None:
    page = cast.sign_in("alice").get("/manage/rooms")
    assert "connect-src 'self';" in page.headers["Content-Security-Policy"]


def test_without_scripts_a_file_is_refused_and_none_is_kept(app: Flask, cast: Cast, room: str) -> None:
    alice = cast.sign_in("alice")
    page = alice.get(f"/manage/rooms/{room}/videos").text
    answer = alice.post(
        f"/manage/rooms/{room}/videos/file",
        data={"csrf_token": csrf_of(page), "file": (b"film", "film.mp4")},
        content_type="multipart/form-data",
    )
    assert answer.status_code in {303, 400}
    with app.app_context(), transaction():
        assert session.scalars(sa.select(RoomVideo)).all() == []


def test_what_vimeo_refuses_is_said_in_words(cast: Cast, room: str, standin: StandIn) -> None:
    alice = cast.sign_in("alice")
    standin.can_hide = False
    page = alice.get(f"/manage/rooms/{room}/videos").text
    answer = alice.post(
        f"/manage/rooms/{room}/uploads",
        data={"name": "film.mp4", "size": "10"},
        headers={"X-CSRFToken": csrf_of(page)},
    )
    assert answer.status_code == 503
    assert "cannot hide videos from the public" in answer.text
    assert TOKEN not in answer.text


def test_figures_that_are_not_told_are_not_nothing(app: Flask, cast: Cast, room: str, ready: str) -> None:
    alice = cast.sign_in("alice")
    page = alice.get(f"/manage/rooms/{room}/videos").text
    assert "not told" in page
    assert "Cancel preparing" not in page
    overview = " ".join(alice.get(f"/manage/rooms/{room}").text.split())
    assert re.search(r"Views.{0,80}not told", overview)
    assert re.search(r"Likes.{0,80}1", overview)
    edit = alice.get(f"/manage/rooms/{room}/videos/{ready}").text
    assert "h-poster" not in edit


def test_the_page_of_the_service_says_what_is_left_and_what_everybody_can_see(
    app: Flask, cast: Cast, room: str, ready: str
) -> None:
    with app.app_context(), transaction():
        provider = session.scalars(sa.select(ServiceProvider).where(ServiceProvider.provider_type == "vimeo")).one().id
    ada = cast.sign_in("admin")
    page = ada.get(f"/admin/services/{provider}").text
    assert TOKEN not in page
    assert "shown to others" not in page
    with app.app_context(), transaction():
        session.scalars(sa.select(ServiceVideo)).one().is_private = False
    assert "1 video is shown to others" in ada.get(f"/admin/services/{provider}").text


def test_nothing_is_loaded_from_vimeo_before_somebody_presses_watch(
    app: Flask, cast: Cast, room: str, ready: str, standin: StandIn
) -> None:
    with app.app_context(), transaction():
        home = session.scalars(sa.select(Room).where(Room.id == room)).one()
        link, path = link_into(home, Role.GUEST), home.path
    viewer = cast.browser()
    viewer.get(link)
    assert viewer.send(path).location.endswith("/-/watch")
    before = viewer.get(f"/rooms/{room}/-/watch")
    assert standin.url not in before.text
    assert "frame-src" not in before.headers["Content-Security-Policy"]
    assert "learns your network address" in before.text
    after = viewer.get(f"/rooms/{room}/-/watch?video={ready}&play=1")
    assert f'<iframe class="w-frame" src="{standin.url}/video/9000?h=abc9000&amp;dnt=1' in after.text
    assert f"frame-src {standin.url}" in after.headers["Content-Security-Policy"]
    assert 'referrerpolicy="strict-origin"' in after.text


def test_captions_and_poster_go_through_the_portal(
    app: Flask, cast: Cast, room: str, ready: str, standin: StandIn, tmp_path: Path
) -> None:
    make(tmp_path, "-f", "lavfi", "-i", "testsrc2=s=64x36", "-frames:v", "1", "picture.png")
    standin.picture = (tmp_path / "picture.png").read_bytes()
    with app.app_context():
        with transaction():
            video = session.scalars(sa.select(RoomVideo)).one()
            read = read_captions(b"1\n00:00:01,000 --> 00:00:02,000\nHello\n")
            set_captions(video=video, by=room_and_owner(room)[1], captions=read, language="en", default=True)
        with transaction():
            [waiting] = videos_to_tell()
        keep_extras(str(waiting))
        with transaction():
            assert videos_to_tell() == []
            poster = session.scalars(sa.select(RoomVideo.poster)).one()
    [text] = standin.tracks.values()
    assert "Hello" in text
    page = cast.sign_in("alice").get(f"/manage/rooms/{room}/videos/{ready}/poster/{poster}")
    assert page.data[:3] == b"\xff\xd8\xff"
    assert standin.picture[:3] != page.data[:3], "made anew"


def test_the_api_tells_where_the_bytes_go_and_which_service_holds_them(
    app: Flask,
    cast: Cast,
    room: str,
    standin: StandIn,
    program: NewProgram,  # noqa: F811
) -> None:
    made = program("alice").post(f"/rooms/{room}/videos", {"name": "Film", "size": 10})
    assert made.status_code == 201, made.text
    data = (made.json or {})["data"]
    assert data["upload"]["url"] == f"{standin.url}/files/9000"
    assert (data["service"], data["views"]) == ("Vimeo", None)
    assert TOKEN not in made.text
    with app.app_context(), transaction():
        assert session.scalars(sa.select(ServiceVideo.external)).all() == ["9000"]
