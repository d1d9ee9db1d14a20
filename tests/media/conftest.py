"""Recordings that no service keeps: what rules about recordings need no service for."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from portal.db import transaction
from tests import cast as world
from tests.cast import Cast

NewRecording = Callable[..., str]


@pytest.fixture
def new_recording(app: Flask, cast: Cast) -> NewRecording:
    """Makes a recording of a room, of the board room if none is named. Returns its id."""

    def make(room_id: str | None = None, **about: Any) -> str:
        with app.app_context(), transaction():
            return world.new_recording(room=cast.room(room_id), **about).id

    return make
