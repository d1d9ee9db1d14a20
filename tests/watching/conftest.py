"""A room of videos with one that everybody may watch, one that is hidden, and a link of each role."""

from dataclasses import dataclass

import pytest
from flask import Flask

from portal.db import session, transaction
from portal.edge import watching_guard
from portal.rooms.models import Role, Room
from portal.videos.models import RoomVideo
from portal.watching.gate import Gate
from tests.cast import Cast, Client
from tests.video_room import FOLDER, link_into, new_ready_video, new_video_room


class Clock:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@dataclass
class Cinema:
    """The room, by what stays valid outside a session."""

    cast: Cast
    room_id: str
    path: str
    links: dict[Role, str]
    film: str
    hidden: str

    def viewer(self, role: Role = Role.GUEST) -> Client:
        """A browser that has followed a link and pressed Watch."""
        browser = self.cast.browser()
        assert browser.get(self.links[role]).status_code == 303
        answer = browser.send(self.path)
        assert answer.status_code == 303, answer.text
        assert answer.location.endswith("/-/watch")
        return browser

    def file(self, name: str = "240p_00000.m4s", *, video: str = "", folder: str = FOLDER) -> str:
        """The path of a file of what was prepared."""
        return f"/rooms/{self.room_id}/-/media/{video or self.film}/{folder}/{name}"

    @property
    def page(self) -> str:
        """The path of the page with the player."""
        return f"/rooms/{self.room_id}/-/watch"

    def room(self) -> Room:
        """The row. In a transaction."""
        return self.cast.room(self.room_id)

    def video(self, video_id: str = "") -> RoomVideo:
        """The row of the film, or of the video with this id. In a transaction."""
        return session.query(RoomVideo).filter_by(id=video_id or self.film).one()


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """What the gate takes for the time."""
    clock = Clock()
    monkeypatch.setattr(watching_guard, "GATE", Gate(clock))
    return clock


@pytest.fixture
def cinema(app: Flask, cast: Cast, clock: Clock) -> Cinema:
    with app.app_context(), transaction():
        room = new_video_room()
        film, hidden = new_ready_video(app, room), new_ready_video(app, room, name="Rushes", published=False)
        links = {role: link_into(room, role) for role in Role}
        return Cinema(cast, room.id, room.path, links, film.id, hidden.id)
