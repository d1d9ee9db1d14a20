"""Portals that may call loopback, a receiver there, and a worker that does what the queue would."""

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from portal import enqueueing
from portal.admission.issuing import issue_token
from portal.app import create_app
from portal.db import db, session, transaction
from portal.jobs.webhook_delivery import deliver
from portal.people.actor import Actor, actor_of
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.providers.fetch import Trouble
from portal.rooms.models import Role, Room
from portal.webhooks.deliveries import ClaimedDelivery, Outcome, claim, due, record
from portal.webhooks.events import ROOM_EVENTS, Event
from portal.webhooks.models import WebhookDelivery, WebhookEndpoint
from portal.webhooks.operations import create_endpoint
from tests.cast import Cast, Client
from tests.conftest import settings_for
from tests.receiver import Receiver, receiver


@pytest.fixture
def app(database: str, tmp_path: Path) -> Iterator[Flask]:
    app = create_app(settings_for(database, tmp_path, outgoing_private=True, outgoing_http=True))
    app.test_client_class = Client
    yield app
    with app.app_context():
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def hook() -> Iterator[Receiver]:
    with receiver() as server:
        yield server


@pytest.fixture
def told() -> Iterator[list[tuple[UUID, float]]]:
    """What workers are told of, and in how many seconds: instead of the queue."""
    messages: list[tuple[UUID, float]] = []
    kept = enqueueing.use(lambda _name, uuid, seconds: messages.append((UUID(uuid), seconds)))
    yield messages
    assert kept is not None
    enqueueing.use(kept)


Listen = Callable[..., str]
Told = list[tuple[UUID, float]]
Work = Callable[[], int]
Take = Callable[[UUID], ClaimedDelivery | None]
SLOWLY = 9000  # milliseconds


@pytest.fixture
def listen(app: Flask, cast: Cast, hook: Receiver, told: list[tuple[UUID, float]]) -> Listen:
    """Makes an endpoint of Alice's board room, or of all her rooms, whose receiver is known to answer quickly."""

    def make(*events: Event, everywhere: bool = False, url: str = "", known: bool = True) -> str:
        with app.app_context(), transaction():
            room = cast.room()
            endpoint = create_endpoint(
                customer=room.customer,
                room=None if everywhere else room,
                url=url or hook.url,
                events=events or ROOM_EVENTS,
                by=actor_of(cast.user("alice")),
            )
            endpoint.slow = not known
            return endpoint.id

    return make


Make = Callable[..., str]
RIGHTS = (Permission.ROOM_VIEW, Permission.ROOM_EDIT, Permission.TOKENS_VIEW)


@pytest.fixture
def make(app: Flask, cast: Cast, hook: Receiver, told: list[tuple[UUID, float]]) -> Make:
    """Makes an endpoint in somebody's name that hears of new links; Bob may edit the board room and see its links."""

    def made(name: str = "bob", *, everywhere: bool = False) -> str:
        with app.app_context(), transaction():
            bobs_membership().permissions = list(RIGHTS)
            by, room = editing(cast) if name == "bob" else actor_of(cast.user(name)), cast.room()
            place = None if everywhere else room
            events = [Event.TOKEN_CREATED]
            return create_endpoint(customer=room.customer, room=place, url=hook.url, events=events, by=by).id

    return made


@pytest.fixture
def work(app: Flask) -> Callable[[], int]:
    """Sends everything that is due, as sweeps do one after another; how many messages that was."""

    def run() -> int:
        tried: list[UUID] = []
        with app.app_context():
            while True:
                with transaction():
                    found = [uuid for uuid in due() if uuid not in tried]
                if not found:
                    return len(tried)
                for uuid in found:
                    deliver(str(uuid))
                tried += found

    return run


@pytest.fixture
def take(app: Flask) -> Take:
    """A worker reaches for a message."""

    def taken(uuid: UUID) -> ClaimedDelivery | None:
        with app.app_context(), transaction():
            return claim(uuid)

    return taken


def bobs_membership() -> RoomMember:
    return session.scalars(sa.select(RoomMember)).unique().one()


def editing(cast: Cast) -> Actor:
    bob = actor_of(cast.user("bob"))
    bob.memberships[cast.room().uuid] = bobs_membership()
    return bob


def endpoint_of(endpoint_id: str) -> WebhookEndpoint:
    return session.scalars(sa.select(WebhookEndpoint).where(WebhookEndpoint.id == endpoint_id)).one()


def messages() -> list[WebhookDelivery]:
    return list(session.scalars(sa.select(WebhookDelivery).order_by(WebhookDelivery.uuid)))


def listening(room: Room) -> int:
    return room.customer.webhooks


def happen(app: Flask, cast: Cast, label: str = "Press") -> None:
    """Something that every endpoint hears of: a link is made."""
    with app.app_context(), transaction():
        issue_token(room=cast.room(), role=Role.GUEST, by=actor_of(cast.user("alice")), label=label)


def secret_of(app: Flask, endpoint_id: str) -> str:
    with app.app_context():
        return endpoint_of(endpoint_id).secret


def answer(app: Flask, letter: ClaimedDelivery | None, milliseconds: int = 1, status: int | None = 204) -> None:
    """The receiver answers to what a worker took, after so long; with no status he does not."""
    assert letter is not None
    with app.app_context(), transaction():
        record(letter, Outcome(milliseconds=milliseconds, status=status, trouble=None if status else Trouble.SLOW))


def waiting(app: Flask, endpoint_id: str) -> list[UUID]:
    """The messages to this endpoint, the oldest first."""
    with app.app_context():
        endpoint = endpoint_of(endpoint_id).uuid
        return [one.uuid for one in messages() if one.endpoint_uuid == endpoint]


def owners_of(app: Flask, *uuids: UUID) -> list[str]:
    """The endpoints to which these messages go."""
    with app.app_context():
        return [session.get_one(WebhookDelivery, uuid).endpoint.id for uuid in uuids]


def swept(app: Flask) -> list[str]:
    """The endpoints whose messages the sweep hands out."""
    with app.app_context():
        found = due()
    return owners_of(app, *found)


def called(app: Flask, told: Told) -> list[str]:
    """The endpoints whose messages were called for since this was asked last."""
    found = owners_of(app, *[uuid for uuid, seconds in told if seconds == 0])
    told.clear()
    return found
