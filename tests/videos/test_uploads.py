"""Uploads: what is promised, what is refused, and that nothing is left behind."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.clock import now
from portal.customers.models import CustomerStatus
from portal.db import session, transaction
from portal.errors import Conflict, Invalid, NotFound, QuotaUsedUp
from portal.people.actor import Actor, actor_of
from portal.rooms.models import Room
from portal.status.subscription_usage import counted_each, usage
from portal.storage import storage
from portal.tasks.models import Task, TaskQueue
from portal.videos import queries
from portal.videos.leftovers import clean
from portal.videos.models import RoomVideo, VideoState, VideoUpload
from portal.videos.operations import restore_video, trash_video
from portal.videos.queries import videos_of
from portal.videos.storage_used import GIGABYTE, used_by_room, used_by_subscription
from portal.videos.uploads import (
    begin_upload,
    continue_upload,
    find_upload,
    finish_upload,
    give_up_upload,
    received,
    sweep_expired,
    uploads_of,
)
from tests.cast import Cast
from tests.conftest import BOTH


def begin(room: Room, size: int = 10, *, file_name: str = "film.mp4", **more: object) -> VideoUpload:
    return begin_upload(room=room, by=actor_of(room.owner), file_name=file_name, size=size, **more)  # type: ignore[arg-type]


def send(upload: VideoUpload, data: bytes) -> None:
    with storage().grow(upload.uuid, most=upload.size) as file:
        file.write(data)


def test_a_whole_file_becomes_the_newest_of_a_new_video_and_waits_for_its_turn(
    app: Flask, cast: Cast, film_room: str
) -> None:
    with app.app_context(), transaction():
        room = cast.room(film_room)
        upload = begin(room, file_name="C:\\My films\\Summer 2026.MP4")
        send(upload, b"01234")
        assert (received(upload), continue_upload(upload, by=actor_of(room.owner))) == (5, False)
        send(upload, b"56789")
        assert continue_upload(upload, by=actor_of(room.owner))
        [video] = videos_of(room)
        assert (video.name, video.file_name, video.size) == ("Summer 2026", "Summer 2026.MP4", 10)
        assert video.state is VideoState.WAITING
        assert uploads_of(room) == []
        with storage().open(f"{video.key}/{video.source}") as file:
            assert file.read() == b"0123456789"
        task = session.scalars(sa.select(Task)).one()
        assert (task.queue, task.turn_of_uuid) == (TaskQueue.MEDIA, room.customer_uuid)


def test_storage_is_promised_at_the_beginning_and_the_numbers_are_told(app: Flask, cast: Cast, film_room: str) -> None:
    with app.app_context(), transaction():
        room = cast.room(film_room)
        begin(room, 700_000_000)
        assert used_by_room(room.uuid) == used_by_subscription(room.subscription_uuid) == 700_000_000
        with pytest.raises(QuotaUsedUp) as refused:
            begin(room, 400_000_000)
        said = str(refused.value.fields["size"])
        assert said.startswith("0.7 GB of 1 GB are used, and this file has 0.4 GB.")
        begin(room, 300_000_000)


def test_a_room_may_have_less_than_its_plan(app: Flask, cast: Cast, film_room: str) -> None:
    with app.app_context(), transaction():
        room = cast.room(film_room)
        room.room_features = {"max_storage": 0}
        session.flush()
        with pytest.raises(QuotaUsedUp):
            begin(room)


@pytest.mark.parametrize("size", [0, -1, 201 * GIGABYTE])
def test_a_size_that_cannot_be_is_refused(app: Flask, cast: Cast, film_room: str, size: int) -> None:
    with app.app_context(), transaction(), pytest.raises(Invalid) as refused:
        begin(cast.room(film_room), size)
    assert "size" in refused.value.fields


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        ("../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("film\u202e4pm.exe", "film4pm.exe"),
        ("  .mp4", "video.mp4"),
        ("", "video"),
        ("a" * 500 + ".mkv", "a" * 189 + ".mkv"),
    ],
)
def test_the_name_of_a_file_is_text_without_a_path(
    app: Flask, cast: Cast, film_room: str, sent: str, shown: str
) -> None:
    with app.app_context(), transaction():
        assert begin(cast.room(film_room), file_name=sent).file_name == shown


def test_rooms_without_videos_and_customers_that_are_suspended_take_none(
    app: Flask, cast: Cast, film_room: str
) -> None:
    with app.app_context(), transaction():
        with pytest.raises(NotFound):
            begin(cast.room())
        room = cast.room(film_room)
        room.customer.status = CustomerStatus.SUSPENDED
        with pytest.raises(Conflict):
            begin(room)


def test_giving_up_takes_back_the_promise_the_file_and_a_video_that_never_had_one(
    app: Flask, cast: Cast, film_room: str
) -> None:
    with app.app_context():
        with transaction():
            room = cast.room(film_room)
            upload = begin(room)
            send(upload, b"0123")
            uuid = upload.uuid
        with transaction():
            give_up_upload(session.get_one(VideoUpload, uuid), by=None)
        with transaction():
            room = cast.room(film_room)
            assert (videos_of(room), uploads_of(room), used_by_room(room.uuid)) == ([], [], 0)
            assert storage().grown(uuid) == 0


def test_a_replaced_file_stays_until_the_new_one_is_there(app: Flask, cast: Cast, film_room: str) -> None:
    with app.app_context(), transaction():
        room = cast.room(film_room)
        video = RoomVideo(
            room=room,
            name="Film",
            source="file-old",
            file_name="old.mp4",
            state=VideoState.READY,
            playable=True,
            size=7,
        )
        session.add(video)
        session.flush()
        upload = begin(room, video=video)
        assert (upload.replaces, video.state, videos_of(room)) == (True, VideoState.READY, [video])
        assert used_by_room(room.uuid) == 17
        give_up_upload(upload, by=None)
        assert (video.source, video.playable, videos_of(room)) == ("file-old", True, [video])
        upload = begin(room, video=video)
        send(upload, b"0123456789")
        continue_upload(upload, by=actor_of(room.owner))
        assert (video.file_name, video.state, video.playable) == ("film.mp4", VideoState.WAITING, True)


def test_an_upload_waits_a_day_for_its_next_byte(app: Flask, cast: Cast, film_room: str) -> None:
    with app.app_context():
        with transaction():
            late, fresh = begin(cast.room(film_room)), begin(cast.room(film_room))
            send(late, b"0")
            ids = late.id, fresh.id
        with transaction():
            session.execute(
                sa.update(VideoUpload).where(VideoUpload.id == ids[1]).values(expires_at=now() + timedelta(9))
            )
        with time_machine.travel(now() + timedelta(hours=26)):
            storage().sweep_uploads()
            sweep_expired()
        with transaction():
            assert [one.id for one in uploads_of(cast.room(film_room))] == [ids[1]]
            assert list(storage().growing(before=now() + timedelta(days=99))) == []


def test_a_room_has_as_many_videos_as_its_page_can_list(
    app: Flask, cast: Cast, film_room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "MOST_VIDEOS", 2)
    with app.app_context(), transaction():
        room = cast.room(film_room)
        by = actor_of(room.owner)
        first, _second = begin(room).video, begin(room)
        with pytest.raises(Conflict, match="A room has at most 2 videos"):
            begin(room)
        begin(room, video=first)
        trash_video(first, by=by)
        begin(room)
        with pytest.raises(Conflict):
            restore_video(first, by=by)


def test_an_upload_of_another_room_is_not_found(app: Flask, cast: Cast, film_room: str) -> None:
    with app.app_context(), transaction():
        upload = begin(cast.room(film_room))
        with pytest.raises(NotFound):
            find_upload(cast.room(), upload.id)


def test_restoring_judges_the_storage_anew(app: Flask, cast: Cast, film_room: str) -> None:
    with app.app_context(), transaction():
        room = cast.room(film_room)
        by = actor_of(room.owner)
        video = RoomVideo(room=room, name="Film", source="file-old", state=VideoState.READY, size=800_000_000)
        session.add(video)
        session.flush()
        trash_video(video, by=by)
        begin(room, 900_000_000)
        with pytest.raises(QuotaUsedUp):
            restore_video(video, by=by)


def test_what_was_promised_to_a_video_is_promised_again_when_it_is_restored(
    app: Flask, cast: Cast, film_room: str
) -> None:
    with app.app_context(), transaction():
        room = cast.room(film_room)
        by = actor_of(room.owner)
        video = RoomVideo(room=room, name="Film", source="file-old", state=VideoState.READY, size=100_000_000)
        session.add(video)
        session.flush()
        begin(room, 700_000_000, video=video)
        trash_video(video, by=by)
        begin(room, 700_000_000)
        with pytest.raises(QuotaUsedUp):
            restore_video(video, by=by)


@BOTH
def test_of_twenty_who_begin_at_once_as_many_are_taken_as_there_is_storage(
    app: Flask, cast: Cast, film_room: str
) -> None:
    def press(_number: int) -> bool:
        with app.app_context():
            try:
                with transaction():
                    begin(cast.room(film_room), 300_000_000)
            except QuotaUsedUp:
                return False
            return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(press, range(20))) == 3
    with app.app_context(), transaction():
        assert used_by_room(cast.room(film_room).uuid) == 900_000_000


def test_usage_of_a_subscription_tells_its_storage_by_room(app: Flask, cast: Cast, film_room: str) -> None:
    with app.app_context(), transaction():
        room = cast.room(film_room)
        begin(room, 340_000_000)
        used = {one.feature.code: one for one in usage(room.subscription)}["max_storage"]
        assert (used.value, used.used, used.hits) == (1, 0.3, False)
        assert [(one.name, one.used) for one in used.by] == [("Films", 0.3)]
        [each] = counted_each([room.subscription]).values()
        assert each.storage == 340_000_000


def test_a_whole_file_is_not_lost_with_the_process_that_received_it(app: Flask, cast: Cast, film_room: str) -> None:
    with app.app_context():
        with transaction():
            send(begin(cast.room(film_room)), b"0123456789")
        sweep_expired()
        with transaction():
            [video] = videos_of(cast.room(film_room))
            assert (video.state, uploads_of(cast.room(film_room))) == (VideoState.WAITING, [])


def test_housekeeping_goes_on_when_somebody_finishes_an_upload_before_it(
    app: Flask, cast: Cast, film_room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        with transaction():
            for _ in range(2):
                send(begin(cast.room(film_room)), b"0123456789")

        def both(upload: VideoUpload, *, by: Actor | None) -> None:
            for one in (upload, *(other for other in uploads_of(cast.room(film_room)) if other is not upload)):
                finish_upload(one, by=by)

        monkeypatch.setattr("portal.videos.uploads.finish_upload", both)
        sweep_expired()
        with transaction():
            assert uploads_of(cast.room(film_room)) == []


@BOTH
def test_of_several_who_finish_at_once_one_does(app: Flask, cast: Cast, film_room: str) -> None:
    with app.app_context(), transaction():
        upload = begin(cast.room(film_room))
        send(upload, b"0123456789")
        upload_id, by = upload.id, actor_of(cast.user("alice"))
    together = Barrier(4)

    def finish(_number: int) -> str:
        with app.app_context():
            try:
                with transaction():
                    found = find_upload(cast.room(film_room), upload_id)
                    if session.get_bind().dialect.name == "postgresql":  # in SQLite only one writes at a time
                        together.wait(10)
                    finish_upload(found, by=by)
            except NotFound:
                return "somebody else did"
            return "done"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(finish, range(4))) == ["done", *["somebody else did"] * 3]
    with app.app_context(), transaction():
        [video] = videos_of(cast.room(film_room))
        assert (video.size, video.state) == (10, VideoState.WAITING)
        assert session.scalar(sa.select(sa.func.count()).select_from(Task)) == 1


def test_a_file_that_was_put_in_its_place_in_vain_is_taken_the_next_time(
    app: Flask, cast: Cast, film_room: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        with transaction():
            upload = begin(cast.room(film_room))
            send(upload, b"0123456789")
            upload_id, video_uuid, by = upload.id, upload.video.uuid, actor_of(cast.user("alice"))
        with monkeypatch.context() as broken:
            broken.setattr("portal.videos.uploads.queue_preparation", lambda *_a, **_k: 1 / 0)
            with pytest.raises(ZeroDivisionError), transaction():
                continue_upload(find_upload(cast.room(film_room), upload_id), by=by)
        clean(video_uuid)
        with transaction():
            upload = find_upload(cast.room(film_room), upload_id)
            assert received(upload) == 10
            assert continue_upload(upload, by=by)
        with transaction():
            [video] = videos_of(cast.room(film_room))
            with storage().open(f"{video.key}/{video.source}") as file:
                assert file.read() == b"0123456789"
