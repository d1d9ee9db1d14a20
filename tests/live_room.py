"""Live rooms for tests, whose adapter the product does not offer yet, and what a browser would send into them."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from flask import Flask
from werkzeug.test import TestResponse

from portal.accounts.operations import sell_package
from portal.accounts.room_account import room_account
from portal.broadcasts.models import Broadcast, BroadcastConnection
from portal.customers.models import Customer
from portal.db import session, transaction
from portal.jobs import broadcasts
from portal.people.actor import actor_of
from portal.people.models import User
from portal.providers import registry
from portal.providers.broadcast.adapter import LiveBroadcasts
from portal.providers.mesh.adapter import Mesh
from portal.rooms.models import Role, Room
from portal.rooms.operations import create_room
from portal.status.models import Participation, RoomSession, RoomStatus
from portal.subscriptions.packages import create_package, find_package
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from tests.cast import Cast, Client
from tests.video_room import link_into

PACKAGE = "Live for tests"
VP8, H264 = "video/webm;codecs=vp8,opus", "video/x-matroska;codecs=avc1,opus"


def register() -> None:
    """Let the present app know the adapter. What the next app's catalog replaces."""
    registry.fill([Mesh([]), LiveBroadcasts()])


def new_live_room(*, settings: dict[str, Any] | None = None, name: str = "Town hall", **features: int | None) -> Room:
    """A live room of Alice's customer, on a plan with these features. In a transaction."""
    by = session.scalars(sa.select(User).where(User.email == "alice@demo.example")).unique().one()
    provider = session.scalar(sa.select(ServiceProvider).where(ServiceProvider.provider_type == "broadcast"))
    if provider is None:
        provider = ServiceProvider(
            provider_name="Live", provider_type="broadcast", service_type=ServiceType.LIVE, active=True, properties={}
        )
        session.add(provider)
        session.flush()
    package = find_package(PACKAGE) or create_package(
        name=PACKAGE,
        service_type=ServiceType.LIVE,
        currency="EUR",
        features={"max_rooms": None, "max_viewers": None, **features},
        provider=provider,
    )
    customer = session.scalars(sa.select(Customer).where(Customer.owner_uuid == by.uuid)).one()
    account = sell_package(customer=customer, package=package, by=None)
    made = create_room(account=room_account(account.uuid), room_name=name, by=actor_of(by))
    room = session.get_one(Room, made.uuid)
    room.room_settings = {**room.room_settings, **(settings or {})}
    session.flush()
    return room


@dataclass
class Stage:
    """A live room, by what stays valid outside a session."""

    app: Flask
    cast: Cast
    room_id: str
    path: str
    links: dict[Role, str]

    @property
    def page(self) -> str:
        return f"/rooms/{self.room_id}/-/live"

    def come(self, role: Role) -> Client:
        """A browser that has followed a link and is in."""
        browser = self.cast.browser()
        assert browser.get(self.links[role]).status_code == 303
        answer = browser.send(self.path, name=role.value.title())
        assert answer.status_code == 303, answer.text
        assert answer.location.endswith(self.page), answer.location
        return browser

    def room(self) -> Room:
        return self.cast.room(self.room_id)

    def run(self) -> RoomSession:
        """The latest run. In a transaction."""
        latest = sa.select(RoomSession).join(Room).where(Room.id == self.room_id).order_by(RoomSession.uuid.desc())
        return session.scalars(latest.limit(1)).one()

    def people(self) -> list[Participation]:
        """Those of the latest run. In a transaction."""
        return list(session.scalars(sa.select(Participation).where(Participation.session_uuid == self.run().uuid)))

    def room_status(self) -> RoomStatus:
        """What is stored of the room. In a transaction."""
        return session.get_one(RoomStatus, self.room().uuid, populate_existing=True)

    def broadcast(self) -> Broadcast:
        """That of the latest run. In a transaction."""
        return session.get_one(Broadcast, self.run().uuid, populate_existing=True)

    def connections(self) -> list[BroadcastConnection]:
        """Those of the latest run. In a transaction."""
        mine = sa.select(BroadcastConnection).where(BroadcastConnection.session_uuid == self.run().uuid)
        return list(session.scalars(mine.order_by(BroadcastConnection.number)))


def new_stage(app: Flask, cast: Cast, **about: Any) -> Stage:
    """A live room with a link for each role."""
    register()
    with app.app_context(), transaction():
        room = new_live_room(**about)
        return Stage(app, cast, room.id, room.path, {role: link_into(room, role) for role in Role})


class Studio:
    """The page of a broadcaster, without a camera: it sends what it is given."""

    def __init__(self, stage: Stage, browser: Client) -> None:
        self.stage, self.browser = stage, browser
        self._proof = proof_of(browser, stage.page)
        self.chunks, self.offset = "", 0

    def go_live(self, mime: str = VP8, **more: Any) -> TestResponse:
        """Open a connection."""
        body = {"mime": mime, "width": 160, "height": 90, **more}
        answer = self.post("/connections", json=body)
        if answer.status_code == 201:
            self.chunks, self.offset = answer.json["chunks"], 0  # type: ignore[index]
        return answer

    def chunk(self, data: bytes, *, offset: int | None = None, to: str = "", proof: str | None = None) -> TestResponse:
        """Send the next chunk, or one that says that it begins at `offset`."""
        answer = self.browser.patch(
            to or self.chunks,
            data=data,
            headers={
                "X-CSRFToken": self._proof if proof is None else proof,
                "Upload-Offset": str(self.offset if offset is None else offset),
            },
            content_type="application/offset+octet-stream",
        )
        if answer.status_code == 204:
            self.offset = int(answer.headers["Upload-Offset"])
        return answer

    def send_all(self, data: bytes, *, size: int = 20_000) -> None:
        """Send it in chunks of this size."""
        for begin in range(0, len(data), size):
            answer = self.chunk(data[begin : begin + size])
            assert answer.status_code == 204, answer.text

    def post(self, path: str, **body: Any) -> TestResponse:
        return self.browser.post(f"{self.stage.page}{path}", headers={"X-CSRFToken": self._proof}, **body)


def proof_of(browser: Client, page: str) -> str:
    """The proof of origin that a page carries for its script."""
    text = browser.get(page).text
    return text.partition('data-csrf="')[2].partition('"')[0]


@contextmanager
def working(app: Flask) -> Iterator[None]:
    """The workers of broadcasts, as a process runs them."""
    broadcasts._ending = ending = threading.Event()
    loop = broadcasts.start(app)
    try:
        yield
    finally:
        ending.set()
        broadcasts.stop()
        loop.join(10)


def segments_of(app: Flask, run_uuid: Any) -> list[Path]:
    """The files of the segments of this run."""
    return sorted((app.config["SETTINGS"].files / "runs" / str(run_uuid)).glob("*.ts"))
