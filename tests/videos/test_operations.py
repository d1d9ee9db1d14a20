"""Changing, moving and deleting the videos of a room."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from flask import Flask

from portal.clock import now
from portal.db import session, transaction
from portal.errors import Conflict, Invalid, NotFound
from portal.people.actor import Actor, actor_of
from portal.rooms.models import Room
from portal.storage import storage
from portal.videos.models import RoomVideo, VideoState
from portal.videos.operations import (
    change_video,
    empty_video_trash,
    find_trashed,
    move_video,
    place_video,
    purge_video,
    restore_video,
    trash_video,
    videos_to_purge,
)
from portal.videos.queries import find_video, videos_of, watchable_videos
from tests.cast import Cast


@pytest.fixture
def room(app: Flask, cast: Cast) -> Iterator[Room]:
    with app.app_context(), transaction():
        yield cast.room()


@pytest.fixture
def alice(room: Room, cast: Cast) -> Actor:
    return actor_of(cast.user("alice"))


def new_video(room: Room, name: str, **about: object) -> RoomVideo:
    video = RoomVideo(**{"room_uuid": room.uuid, "name": name, "state": VideoState.READY, "playable": True, **about})
    session.add(video)
    session.flush()
    return video


def names(room: Room) -> list[str]:
    return [one.name for one in videos_of(room)]


def test_videos_stand_in_an_order_that_people_change(room: Room, alice: Actor) -> None:
    one, two, three = (new_video(room, name) for name in ("One", "Two", "Three"))
    assert names(room) == ["One", "Two", "Three"]
    move_video(three, by=alice, direction="up")
    assert names(room) == ["One", "Three", "Two"]
    move_video(one, by=alice, direction="up")
    move_video(two, by=alice, direction="down")
    assert names(room) == ["One", "Three", "Two"]
    place_video(two, by=alice, position=lambda _at: 0)
    assert names(room) == ["Two", "One", "Three"]
    assert [one.position for one in videos_of(room)] == [0, 1, 2]


def test_what_can_be_watched_is_playable_published_and_begun(room: Room) -> None:
    at = now()
    new_video(room, "Seen")
    new_video(room, "Hidden", published=False)
    new_video(room, "Later", published_from=at + timedelta(hours=1))
    new_video(room, "Preparing", playable=False, state=VideoState.PREPARING)
    new_video(room, "Failed anew", state=VideoState.FAILED)
    assert [one.name for one in watchable_videos(room, at)] == ["Seen", "Failed anew"]
    assert len(watchable_videos(room, at + timedelta(hours=2))) == 3
    assert [one.name for one in watchable_videos(room, at, hidden=True)] == ["Seen", "Hidden", "Later", "Failed anew"]


def test_a_video_is_changed_and_the_audit_says_how(room: Room, alice: Actor) -> None:
    video, later = new_video(room, "One"), now() + timedelta(days=1)
    change_video(video, by=alice, name="  Film  ", description="Good.", published=False, published_from=later)
    assert (video.name, video.description, video.published, video.published_from) == ("Film", "Good.", False, later)
    change_video(video, by=alice, published=True)
    assert video.published_from == later
    change_video(video, by=alice, published_from=None)
    assert video.published_from is None


def test_a_name_that_misleads_is_refused(room: Room, alice: Actor) -> None:
    with pytest.raises(Invalid) as refused:
        change_video(new_video(room, "One"), by=alice, name="film\u202e4pm.exe")
    assert "name" in refused.value.fields


def test_a_trashed_video_is_gone_and_can_come_back(room: Room, alice: Actor) -> None:
    video = new_video(room, "One")
    trash_video(video, by=alice)
    assert (videos_of(room), watchable_videos(room, now(), hidden=True)) == ([], [])
    with pytest.raises(NotFound):
        find_video(room, video.id)
    with pytest.raises(NotFound):
        change_video(video, by=alice, name="Two")
    restore_video(find_trashed(room, video.id), by=alice)
    assert names(room) == ["One"]
    with pytest.raises(Conflict):
        restore_video(video, by=alice)


def test_a_video_of_another_room_is_not_found(room: Room, cast: Cast) -> None:
    video = new_video(room, "One")
    with pytest.raises(NotFound):
        find_video(cast.room(cast.open_house), video.uuid.hex)
    with pytest.raises(NotFound):
        find_video(cast.room(cast.open_house), video.id)
    assert find_video(room, str(video.uuid)) is video


def test_after_thirty_days_nothing_is_left_of_it(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        kept, video = new_video(cast.room(), "Kept"), new_video(cast.room(), "One")
        trash_video(video, by=actor_of(cast.user("alice")))
        uuid, key = video.uuid, video.key
        folder: Path = app.config["SETTINGS"].files / key
        folder.mkdir(parents=True)
        (folder / "source").write_bytes(b"film")
    with app.app_context(), time_machine.travel(now() + timedelta(days=29)), transaction():
        empty_video_trash()
        assert videos_to_purge() == []
    with app.app_context(), time_machine.travel(now() + timedelta(days=31)):
        with transaction():
            empty_video_trash()
        with transaction():
            assert videos_to_purge() == [uuid]
        purge_video(uuid)
        purge_video(uuid)
        with transaction():
            assert session.get(RoomVideo, uuid) is None
            assert session.get(RoomVideo, kept.uuid) is not None
        assert not folder.exists()
        assert list(storage().keys("videos", before=now() + timedelta(days=99))) == []
