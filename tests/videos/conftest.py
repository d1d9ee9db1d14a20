"""Storing films for the tests of videos."""

import shutil
from pathlib import Path
from uuid import UUID

import pytest
from flask import Flask

from portal.db import session, transaction
from portal.people.actor import actor_of
from portal.videos.models import RoomVideo
from portal.videos.preparation import queue_preparation
from tests.cast import Cast
from tests.video_room import new_video_room
from tests.videos.stored import Stored, files


@pytest.fixture
def stored(app: Flask, cast: Cast, films: Path, film_room: str) -> Stored:
    """Stores one of the films as the file of a new video, or of this one, and queues it."""

    def store(name: str, *, video_uuid: UUID | None = None, customer_uuid: UUID | None = None) -> UUID:
        with app.app_context(), transaction():
            video = session.get(RoomVideo, video_uuid) if video_uuid else None
            if video is None:
                video = RoomVideo(room_uuid=cast.room(film_room).uuid, name="Film")
                session.add(video)
                session.flush()
            video.source, video.file_name = f"source-{name}", name
            folder = files(app) / video.key
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copy(films / name, folder / video.source)
            task = queue_preparation(video, by=actor_of(cast.user("alice")))
            task.turn_of_uuid = customer_uuid or task.turn_of_uuid
            return video.uuid

    return store


@pytest.fixture
def film_room(app: Flask, cast: Cast) -> str:
    """The id of a room of videos, on a plan with one gigabyte."""
    with app.app_context(), transaction():
        return new_video_room(max_storage=1).id
