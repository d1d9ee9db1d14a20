"""The cast: Ada is staff, Alice owns, Bob helps, Charlie is a stranger, and guests follow links.

`Client` is a browser without scripts: it keeps cookies, sends forms with their hidden fields, and looks
at every page that it gets.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from html import unescape
from typing import Any

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from portal.accounts.models import Account
from portal.accounts.room_account import room_account
from portal.admission.issuing import issue_token
from portal.admission.models import RoomToken
from portal.clock import now
from portal.db import session, transaction
from portal.demo import CODE, PASSWORD
from portal.media.models import Recording, RecordingSource, RecordingVisibility
from portal.media.operations import add_recording
from portal.people.actor import Actor
from portal.people.models import User
from portal.permissions.room_reading import lock_editable_room
from portal.providers.base import RecordingState
from portal.rooms.models import Role, Room
from portal.rooms.operations import create_room
from portal.rooms.room_read import EditableRoom

__all__ = ["CODE", "PASSWORD", "Cast", "Client", "csrf_of"]


class Client(FlaskClient):
    """A browser without scripts."""

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        answer = super().open(*args, **kwargs)
        if answer.mimetype == "text/html" and not answer.is_streamed:
            check_page(answer)
        return answer

    def token(self, page: str = "/sign-in") -> str:
        """The proof of origin that a form on `page` carries."""
        return csrf_of(self.get(page, follow_redirects=True).text)

    def send(self, path: str, page: str | None = None, **fields: Any) -> TestResponse:
        """Open the page with the form (`path` itself unless named), and send the form to `path`."""
        answer = self.get(page or path, follow_redirects=True)
        token = csrf_of(answer.text) if "csrf_token" in answer.text else self.token()
        return self.post(path, data={"csrf_token": token, **fields})

    def say(self, path: str, body: dict[str, Any], page: str = "/sign-in") -> TestResponse:
        """Send JSON, as the player's script does."""
        return self.post(path, json=body, headers={"X-CSRFToken": self.token(page)})


@dataclass
class Cast:
    """Who is who in the demo world, by ids that stay valid outside a session."""

    app: Flask

    def __post_init__(self) -> None:
        with self.app.app_context(), transaction():
            rooms = {room.room_name: room for room in session.scalars(sa.select(Room))}
            self.board, self.open_house = rooms["Board meeting"].id, rooms["Open house"].id
            self.board_path, self.open_path = rooms["Board meeting"].path, rooms["Open house"].path
            self.links = {
                token.role: f"{self.board_path}?token={token.token}" for token in session.scalars(sa.select(RoomToken))
            }
            self.link_ids = {token.role: token.id for token in session.scalars(sa.select(RoomToken))}

    def browser(self) -> Client:
        """Somebody who is not signed in."""
        client = self.app.test_client()
        assert isinstance(client, Client)
        return client

    def sign_in(self, name: str) -> Client:
        """admin, alice, bob or charlie, at their own browser."""
        client = self.browser()
        answer = client.send("/sign-in", email=f"{name}@demo.example", password=PASSWORD)
        assert answer.status_code == 303, answer.text
        return client

    def follow(self, role: Role, client: Client | None = None) -> Client:
        """A browser that followed the board room's link of this role, up to the join page."""
        client = client or self.browser()
        answer = client.get(self.links[role])
        assert answer.status_code == 303
        assert "token" not in answer.location
        return client

    def join(self, role: Role = Role.GUEST, *, name: str = "Gus", code: str = "") -> Client:
        """A browser that is in the board room."""
        client = self.follow(role)
        answer = client.send(self.board_path, name=name, code=code or (CODE if role is Role.ATTENDEE else ""))
        assert answer.status_code == 303, answer.text
        return client

    def user(self, name: str) -> User:
        return session.scalars(sa.select(User).where(User.email == f"{name}@demo.example")).unique().one()

    def room(self, room_id: str | None = None) -> Room:
        return session.scalars(sa.select(Room).where(Room.id == (room_id or self.board))).one()

    def token(self, role: Role) -> RoomToken:
        return session.scalars(sa.select(RoomToken).where(RoomToken.id == self.link_ids[role])).one()


def editable(room: Room, by: Actor) -> EditableRoom:
    """This room as `by` reads it to change it, locked. What the row has got since is read by `session.refresh`."""
    locked = lock_editable_room(by, room.id)
    assert locked is not None
    return locked


def new_room(*, account: Account, room_name: str, by: Actor, is_public: bool = False) -> Room:
    """A new room of the account, as a row."""
    made = create_room(account=room_account(account.uuid), room_name=room_name, by=by, is_public=is_public)
    return session.get_one(Room, made.uuid)


def new_link(*, room: Room, role: Role, by: Actor, label: str = "") -> RoomToken:
    """A new link into the room, as a row."""
    return session.get_one(RoomToken, issue_token(room=room, role=role, by=by, label=label).uuid)


def new_recording(*, room: Room, ready_at: datetime | None = None, **about: Any) -> Recording:
    """A recording of this room that no service keeps: a published one that is ready, if nothing else is said."""
    at = ready_at or now()
    fields = {
        "name": "Board meeting",
        "source": RecordingSource.CONFERENCE,
        "state": RecordingState.READY,
        "published": True,
        "visibility": RecordingVisibility.OWNER,
        "started_at": at,
        "ended_at": at,
        "ready_at": at,
        "duration": 60,
        "size": 12_300_000,
        "formats": [{"type": "video", "url": "https://videos.example/1", "length": 60}],
    }
    recording = Recording(**{**fields, **about})
    assert add_recording(recording, room=room)
    return recording


def csrf_of(html: str) -> str:
    found = re.search(r'(?:name="csrf_token" value|data-csrf)="([^"]+)"', html)
    assert found, html
    return unescape(found[1])


def check_page(answer: TestResponse) -> None:
    """What holds for every page: a title, our policies, nothing inline, nothing from elsewhere, no leftovers."""
    html = answer.get_data(as_text=True)
    if not html or not html.lstrip().startswith("<!doctype"):
        return
    assert re.search(r"<title>\s*\S", html), "a page without a title"
    assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert not re.search(r"<(script|style)(?![^>]*\bsrc=)[^>]*>\s*\S", html), "inline script or style"
    assert not re.search(r"\s(style|on\w+)=\"", html), "inline style or handler"
    assert not re.search(r"(src|href)=\"(https?:)?//", html), "a request to somebody else"
    assert "%(" not in html, "a message that was not filled in"
    forms = re.findall(r"<form[^>]*method=\"post\"[^>]*>.*?</form>", html, re.S)
    assert all("csrf_token" in form for form in forms), "a form without proof of origin"
