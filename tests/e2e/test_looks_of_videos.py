"""The pages of videos, looked at in light and dark at both widths, by owners and by those who watch."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

from portal.app import create_app
from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.rooms.models import Role
from portal.videos.caption_files import read_captions
from portal.videos.captions import set_captions
from portal.videos.models import RoomVideo, VideoState
from portal.videos.uploads import begin_upload
from tests.conftest import settings_for
from tests.e2e.people import Person, follow
from tests.servers import Portal
from tests.video_room import link_into, new_ready_video, new_video_room

pytestmark = pytest.mark.e2e
See = Callable[[Page, str], None]
CAPTIONS = read_captions(b"1\n00:00:01,000 --> 00:00:02,000\nHello\n")


def test_the_pages_of_videos(person: Callable[..., Person], portal: Portal, seen: See) -> None:
    app = create_app(settings_for(f"sqlite:///{portal.data / 'foyer.db'}", portal.data))
    with app.app_context(), transaction():
        empty, room = new_video_room(name="Empty"), new_video_room(name="Product films", max_storage=5)
        by = actor_of(room.owner)
        film = new_ready_video(
            app, room, name="A tour of the new office", milliseconds=754_000, views=42, size=310_000_000
        )
        new_ready_video(app, room, name="Rushes", published=False, position=1)
        failed = RoomVideo(room_uuid=room.uuid, name="Broken", position=2, state=VideoState.FAILED, source="file-x")
        failed.error = "This file has no picture."
        session.add(failed)
        set_captions(video=film, by=by, captions=CAPTIONS, language="en", default=True)
        begin_upload(room=room, by=by, file_name="Annual meeting 2026.mov", size=1_200_000_000)
        ids = empty.id, room.id, film.id
        link, nothing = link_into(room, Role.MODERATOR), link_into(empty, Role.GUEST)
    alice = person("Alice")
    alice.sign_in()
    seen(alice.go(f"/manage/rooms/{ids[0]}/videos"), "videos-empty")
    page = alice.go(f"/manage/rooms/{ids[1]}/videos")
    expect(page.get_by_role("heading", name="Interrupted uploads")).to_be_visible()
    seen(page, "videos")
    seen(alice.go(f"/manage/rooms/{ids[1]}/videos/{ids[2]}"), "video")

    viewer = person(permissions=[])
    page = viewer.go(link)
    seen(page, "watch-door")
    follow(page.get_by_role("button", name="Watch"))
    expect(page.get_by_role("heading", name="A tour of the new office")).to_be_visible()
    seen(page, "watch")
    page = viewer.go(nothing)
    follow(page.get_by_role("button", name="Watch"))
    seen(page, "watch-empty")
