"""Recordings of the board room that no service keeps: what rules about recordings need no service for."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask import Flask

from portal.clock import now
from portal.db import session, transaction
from portal.media.models import Recording, RecordingSource, RecordingVisibility
from portal.providers.base import RecordingState
from tests.cast import Cast

NewRecording = Callable[..., str]


@pytest.fixture
def new_recording(app: Flask, cast: Cast) -> NewRecording:
    """Makes a recording of a room, by default a published one of the board room that is ready. Returns its id."""

    def make(room_id: str | None = None, *, ready_at: datetime | None = None, **about: Any) -> str:
        at = ready_at or now()
        fields = {
            "name": "Board meeting",
            "source": RecordingSource.CONFERENCE,
            "state": RecordingState.READY,
            "published": True,
            "visibility": RecordingVisibility.OWNER,
            "started_at": at,
            "ready_at": at,
            "formats": [{"type": "video", "url": "https://videos.example/1", "length": 60}],
        }
        with app.app_context(), transaction():
            recording = Recording(room=cast.room(room_id), **{**fields, **about})
            session.add(recording)
            session.flush()
            return recording.id

    return make
