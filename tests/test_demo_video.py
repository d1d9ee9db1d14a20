"""The video of the demo: made once, and handed to the workers like one that somebody has uploaded."""

import pytest
import sqlalchemy as sa

from portal import demo_video
from portal.db import reading, session, transaction
from portal.demo import lines
from portal.demo_video import furnish_with_video
from portal.engines.tool import NoTool
from portal.rooms.models import Room
from portal.storage import storage
from portal.videos.models import RoomVideo, VideoState
from tests.cast import Cast


def test_the_demo_has_a_public_room_with_a_video_that_is_made_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_video, "_PICTURE", "testsrc2=size=160x90:rate=10:duration=1")
    monkeypatch.setattr(demo_video, "_SOUND", "sine=duration=1")
    with cast.app.app_context():
        furnish_with_video()
        furnish_with_video()
        with reading(), transaction():
            room = session.scalars(sa.select(Room).where(Room.room_name == "Product video")).one()
            video = session.scalars(sa.select(RoomVideo)).one()
            assert room.is_public
            assert room.subscription.values == {"max_rooms": 10, "max_viewers": 50, "max_storage": 5}
            assert (video.room_uuid, video.state) == (room.uuid, VideoState.WAITING)
            assert storage().size(f"{video.key}/{video.source}") == video.size > 0
            assert list(storage().keys("scratch")) == []
        assert any("Product video, public" in line for line in lines())


def test_a_demo_without_ffmpeg_starts_with_an_empty_room(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def none() -> None:
        raise NoTool

    monkeypatch.setattr(demo_video, "find_tool", none)
    with cast.app.app_context():
        furnish_with_video()
        with reading(), transaction():
            assert session.scalar(sa.select(RoomVideo)) is None
