"""Videos that Vimeo holds, from the place for their bytes to their end there and here."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from portal.audit.models import AuditEvent
from portal.clock import now
from portal.db import session, transaction
from portal.errors import Conflict, Unavailable
from portal.providers.base import ProviderError
from portal.providers.vimeo.client import budget_of
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.service_providers import delete_provider
from portal.videos.models import RoomVideo, ServiceVideo, VideoState, VideoUpload
from portal.videos.operations import purge_video, trash_video, videos_to_purge
from portal.videos.publishing import settle_lost
from portal.videos.service_looks import look_at_videos, providers_to_look_at
from portal.videos.service_videos import place_of
from portal.videos.storage_used import used_by_subscription
from portal.videos.uploads import give_up_upload, sweep_expired
from tests.cast import Cast
from tests.conftest import BOTH
from tests.providers.vimeo.server import TOKEN, StandIn
from tests.providers.vimeo.world import arrive, begin, new_vimeo_room, only_video, room_and_owner


@pytest.fixture
def room(app: Flask, cast: Cast, standin: StandIn) -> str:
    return new_vimeo_room(app, standin)


@pytest.fixture
def travel() -> Any:
    with time_machine.travel(now(), tick=False) as traveller:
        yield traveller


def look(app: Flask) -> int:
    """Look after all that is due; after how many that was."""
    with app.app_context():
        with transaction():
            due = providers_to_look_at()
        return sum(look_at_videos(provider) for provider in due)


def events(app: Flask) -> list[str]:
    with app.app_context():
        of_videos = sa.select(AuditEvent.action).where(AuditEvent.action.like("video.%"))
        return list(session.scalars(of_videos.order_by(AuditEvent.at, AuditEvent.uuid)))


@BOTH
def test_a_file_goes_to_vimeo_and_is_watched_when_vimeo_has_prepared_it(
    app: Flask, room: str, standin: StandIn, travel: time_machine.Traveller
) -> None:
    upload = begin(app, room)
    with app.app_context(), transaction():
        place = place_of(session.scalars(sa.select(VideoUpload)).one())
        assert used_by_subscription(room_and_owner(room)[0].subscription_uuid) == 0
    assert place == f"{standin.url}/files/9000"
    video, _ = only_video(app)
    assert (video.name, video.state, video.playable) == ("My film", VideoState.UPLOADING, False)
    assert look(app) == 0, "not before a minute is over"
    arrive(app, upload)
    travel.shift(6)
    assert look(app) == 1
    assert only_video(app)[0].state is VideoState.PREPARING
    standin.add("9000", stats={"plays": None})
    assert look(app) == 0
    travel.shift(6)
    assert look(app) == 1
    video, held = only_video(app)
    assert (video.state, video.playable, video.milliseconds, video.error) == (VideoState.READY, True, 12_000, "")
    assert (held.views, held.comments, held.likes) == (None, 0, 1)
    assert "abc9000" not in held.embed
    assert events(app) == ["video.created", "video.uploaded", "video.ready"]
    with app.app_context(), transaction():
        assert settle_lost() == 0


def test_an_arrival_that_no_page_told_of_is_found(
    app: Flask, room: str, standin: StandIn, travel: time_machine.Traveller
) -> None:
    begin(app, room)
    travel.shift(61)
    look(app)
    assert only_video(app)[0].state is VideoState.UPLOADING
    standin.videos["9000"]["upload"]["status"] = "complete"
    travel.shift(61)
    look(app)
    video, held = only_video(app)
    assert (video.state, held.arrived) == (VideoState.PREPARING, True)
    with app.app_context(), transaction():
        assert session.scalars(sa.select(VideoUpload)).all() == []


@BOTH
def test_a_thousand_videos_are_looked_after_by_ten_requests(
    app: Flask, room: str, standin: StandIn, travel: time_machine.Traveller
) -> None:
    with app.app_context(), transaction():
        home, _ = room_and_owner(room)
        provider = home.subscription.provider_uuid
        videos = [RoomVideo(room_uuid=home.uuid, name=f"{n}", state=VideoState.READY) for n in range(1000)]
        session.add_all(videos)
        session.flush()
        session.add_all(
            ServiceVideo(
                video_uuid=one.uuid, provider_uuid=provider, external=one.name, since=now(), next_look_at=now()
            )
            for one in videos
        )
    for number in range(1000):
        standin.add(str(number), stats={"plays": number})
    before = len(standin.requests)
    assert look(app) == 1000
    assert len(standin.requests) - before == 10
    with app.app_context(), transaction():
        assert session.scalar(sa.select(sa.func.sum(ServiceVideo.views))) == 999 * 500
    assert look(app) == 0, "each at its time"


def test_a_video_that_failed_there_failed_here_and_one_that_takes_a_day_too(
    app: Flask, room: str, standin: StandIn, travel: time_machine.Traveller
) -> None:
    arrive(app, begin(app, room))
    standin.videos["9000"] |= {"upload": {"status": "complete"}, "transcode": {"status": "in_progress"}}
    travel.shift(timedelta(hours=25))
    look(app)
    video, _ = only_video(app)
    assert (video.state, "within a day" in video.error) == (VideoState.FAILED, True)
    standin.add("9000")
    travel.shift(timedelta(hours=2))
    look(app)
    assert only_video(app)[0].state is VideoState.READY, "better late"
    standin.videos["9000"]["transcode"] = {"status": "error"}
    travel.shift(timedelta(hours=2))
    look(app)
    video, _ = only_video(app)
    assert (video.state, video.error.split(".")[0]) == (VideoState.FAILED, "The service could not prepare it")


def test_only_two_rounds_and_a_404_mean_that_it_is_gone(
    app: Flask, room: str, standin: StandIn, travel: time_machine.Traveller
) -> None:
    arrive(app, begin(app, room))
    standin.add("9000")
    travel.shift(60)
    look(app)
    kept = standin.videos.pop("9000")
    travel.shift(timedelta(hours=2))
    look(app)
    assert only_video(app)[0].state is VideoState.READY
    standin.moods["/videos/9000"] = 500
    travel.shift(timedelta(hours=2))
    look(app)
    assert only_video(app)[0].state is VideoState.READY, "trouble is no answer"
    standin.moods.clear()
    travel.shift(timedelta(hours=2))
    look(app)
    video, held = only_video(app)
    assert (video.state, video.playable, held.next_look_at) == (VideoState.FAILED, False, None)
    assert "deleted it there" in video.error
    assert kept


def test_a_service_in_trouble_leaves_its_videos_as_they_are_and_is_asked_again(
    app: Flask, room: str, standin: StandIn, travel: time_machine.Traveller
) -> None:
    arrive(app, begin(app, room))
    travel.shift(6)
    standin.moods["/videos"] = 401
    look(app)
    assert only_video(app)[0].state is VideoState.PREPARING
    with app.app_context(), transaction():
        error = session.scalars(
            sa.select(ServiceProvider.last_error).where(ServiceProvider.last_error.is_not(None))
        ).one()
    assert error is not None
    assert "does not take this token" in error
    standin.moods.clear()
    standin.add("9000")
    assert look(app) == 0
    travel.shift(61)
    look(app)
    assert only_video(app)[0].state is VideoState.READY


def test_privacy_that_was_changed_there_is_noticed(
    app: Flask, room: str, standin: StandIn, travel: time_machine.Traveller
) -> None:
    arrive(app, begin(app, room))
    standin.add("9000", privacy={"view": "anybody", "embed": "public"})
    travel.shift(6)
    look(app)
    assert not only_video(app)[1].is_private


@pytest.mark.parametrize(("mood", "words"), [({"/me/videos": 503}, "trouble of its own"), ({"/me": 401}, "this token")])
def test_what_vimeo_refuses_leaves_nothing_here(
    app: Flask, room: str, standin: StandIn, mood: dict[str, int], words: str
) -> None:
    standin.moods = mood
    with pytest.raises(Unavailable) as refused:
        begin(app, room)
    assert words in str(refused.value)
    with app.app_context(), transaction():
        assert session.scalars(sa.select(RoomVideo)).all() == []


def test_an_upload_that_is_given_up_or_forgotten_is_deleted_there(
    app: Flask, room: str, standin: StandIn, travel: time_machine.Traveller
) -> None:
    begin(app, room)
    with app.app_context(), transaction():
        give_up_upload(session.scalars(sa.select(VideoUpload)).one(), by=None)
    begin(app, room)
    travel.shift(timedelta(hours=25))
    with app.app_context():
        sweep_expired()
        with transaction():
            gone = videos_to_purge()
        assert len(gone) == 2
        standin.moods["/videos"] = 500
        with pytest.raises(ProviderError):
            purge_video(gone[0])
        standin.moods.clear()
        for uuid in gone:
            purge_video(uuid)
        with transaction():
            assert session.scalars(sa.select(RoomVideo)).all() == []
    assert standin.videos == {}


@BOTH
def test_a_video_that_is_deleted_here_is_deleted_there(app: Flask, room: str, standin: StandIn) -> None:
    arrive(app, begin(app, room))
    with app.app_context():
        with transaction():
            video = session.scalars(sa.select(RoomVideo)).one()
            trash_video(video, by=room_and_owner(room)[1])
            uuid = video.uuid
        with transaction():
            session.get_one(RoomVideo, uuid).room_uuid = None
        purge_video(uuid)
        with transaction():
            assert session.get(RoomVideo, uuid) is None
            assert session.scalars(sa.select(ServiceVideo)).all() == []
    assert standin.videos == {}


@BOTH
def test_a_service_that_holds_videos_is_kept(app: Flask, room: str, standin: StandIn) -> None:
    begin(app, room)
    with app.app_context(), transaction():
        home, by = room_and_owner(room)
        provider = home.subscription.provider
        home.subscription.provider = session.scalars(
            sa.select(ServiceProvider).where(ServiceProvider.provider_type == "vod")
        ).one()
        session.flush()
        with pytest.raises(Conflict, match="such as videos that it holds"):
            delete_provider(provider, by=by)


def test_the_token_and_the_place_are_in_no_table_in_plain(app: Flask, room: str, standin: StandIn) -> None:
    begin(app, room)
    with app.app_context(), transaction():
        for table in sa.inspect(session.connection()).get_table_names():
            for row in session.execute(sa.text(f'SELECT * FROM "{table}"')):
                assert TOKEN not in str(row), table
                assert f"{standin.url}/files" not in str(row), table
    assert budget_of(TOKEN).limit == standin.limit
