"""The demo's board room, held by a stand-in: what tests of services begin with."""

import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import joinedload

from portal.clock import now
from portal.db import session, transaction
from portal.jobs.queue import due_jobs, run_job
from portal.media.models import Recording, RecordingLook
from portal.providers.base import Snapshot
from portal.rooms.models import Role
from portal.status.models import Participation, RoomSession, RoomStatus, Source
from portal.status.recording import record
from portal.status.service_polls import ask_provider
from portal.subscriptions.provider_models import ServiceProvider
from portal.subscriptions.service_providers import create_provider
from tests.cast import Cast, Client
from tests.providers.standin.server import SECRET, Kept, StandIn


@dataclass
class World:
    """The cast, the service, and the row that binds it."""

    cast: Cast
    service: StandIn
    provider_id: str

    @property
    def app(self) -> Flask:
        return self.cast.app

    def read(self, question: Callable[[], Any]) -> Any:
        """The answer to a question to the database."""
        with self.app.app_context(), transaction():
            return question()

    def status(self) -> RoomStatus:
        """What is stored of the board room."""
        query = sa.select(RoomStatus).where(RoomStatus.room_uuid == self.read(lambda: self.cast.room().uuid))
        stored = self.read(lambda: session.scalars(query).one())
        assert isinstance(stored, RoomStatus)
        return stored

    def runs(self) -> list[RoomSession]:
        """All runs of the board room, oldest first."""
        query = sa.select(RoomSession).order_by(RoomSession.started_at, RoomSession.uuid)
        return list(self.read(lambda: session.scalars(query).all()))

    def people(self, *, present: bool = True) -> list[Participation]:
        """Who is in, or was."""
        query = sa.select(Participation).order_by(Participation.entered_at, Participation.uuid)
        if present:
            query = query.where(Participation.left_at.is_(None))
        return list(self.read(lambda: session.scalars(query).all()))

    def ask(self) -> int:
        """Ask the service now about its rooms, due or not. How many those were."""
        with self.app.app_context():
            with transaction():
                session.execute(sa.update(RoomStatus).values(next_look_at=RoomStatus.checked_at))
                uuid = session.scalars(
                    sa.select(ServiceProvider.uuid).where(ServiceProvider.id == self.provider_id)
                ).one()
            return ask_provider(uuid)

    def record(self, **about: Any) -> Kept:
        """The service has recorded the board room, in which a run has ended."""
        kept = self.service.record(str(self.read(lambda: self.cast.room().uuid)), **about)
        self.expect()
        return kept

    def expect(self) -> None:
        """The service is to be asked for recordings of the board room now, due or not."""
        with self.app.app_context(), transaction():
            query = sa.select(ServiceProvider).where(ServiceProvider.id == self.provider_id)
            room_uuid, provider_uuid = self.cast.room().uuid, session.scalars(query).one().uuid
            look = session.get(RecordingLook, (room_uuid, provider_uuid))
            if look is None:
                look = RecordingLook(room_uuid=room_uuid, provider_uuid=provider_uuid, since=now())
                session.add(look)
            look.next_look_at = now()

    def recordings(self) -> list[Recording]:
        """All recordings that the portal knows, deleted ones, too, oldest first."""
        query = sa.select(Recording).order_by(Recording.started_at, Recording.uuid)
        return list(self.read(lambda: session.scalars(query.options(joinedload(Recording.room))).all()))

    def recording(self) -> Recording:
        """The one recording that the portal knows."""
        [recording] = self.recordings()
        return recording

    def built_in(self) -> ServiceProvider:
        """The row of the embedded service. Needs an app context."""
        query = sa.select(ServiceProvider).where(ServiceProvider.provider_type == "mesh")
        return session.scalars(query).one()

    def work(self) -> None:
        """Do what jobs wait."""
        with self.app.app_context():
            for name, row_id in due_jobs():
                run_job(name, row_id)

    def land(self, answer: Any) -> None:
        """Follow the address of a destination, as a browser would, and be in."""
        assert answer.status_code == 303, answer.text
        assert answer.location.startswith(self.service.url), answer.location
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers["Referrer-Policy"] == "no-referrer"
        with urllib.request.urlopen(answer.location, timeout=5) as page:
            assert b"You are in." in page.read()

    def join(self, role: Any, *, name: str = "Gus", code: str = "") -> tuple[Client, Any]:
        """A browser that followed a link and pressed Join, and the answer to that."""
        client = self.cast.follow(role)
        return client, client.send(self.cast.board_path, name=name, code=code)


def give_board_room_to(cast: Cast, service: StandIn) -> World:
    """Make the stand-in the default of the plan that the board room is in."""
    with cast.app.app_context(), transaction():
        provider = create_provider(
            provider_name="Stand-in",
            provider_type="standin",
            properties={"host_url": service.url, "secret": SECRET},
        )
        cast.room().subscription.provider = provider
        made = provider.id
    assert urlsplit(service.url).hostname == "127.0.0.1"
    return World(cast, service, made)


def enter(world: World, name: str = "Gus", role: Role = Role.GUEST) -> Client:
    """Somebody comes by his link and is in."""
    client, answer = world.join(role, name=name)
    world.land(answer)
    return client


def in_a_transaction(world: World, act: Callable[[], object]) -> None:
    """Act, and commit."""
    with world.app.app_context(), transaction():
        act()


def tell(world: World, snapshot: Snapshot, external: str | None = None) -> None:
    """Record this of the board room, as if its service had said it."""

    def said() -> None:
        provider = session.scalars(sa.select(ServiceProvider).where(ServiceProvider.id == world.provider_id)).one()
        name = external or world.service.meeting_name()
        record(world.cast.room().uuid, snapshot, source=Source.POLL, provider=provider, external=name)

    in_a_transaction(world, said)
