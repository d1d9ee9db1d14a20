"""Entering a run of a locked room: opening a participation, or taking over the one that the device has.

This is the hot path of the product, so it writes by statements that are built once. Rows are loaded only where a
service drives the run, or where another participation ends.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from portal.channels import channels
from portal.clock import now
from portal.column_types import constant
from portal.core_writes import Write, parameters, write_together
from portal.db import on_commit, session
from portal.errors import Conflict, Message
from portal.identifiers import new_id, new_uuid
from portal.people.actor import Actor
from portal.providers.base import RecordingMode
from portal.rooms.models import Role
from portal.rooms.operations import room_topics
from portal.rooms.protocols import RoomLike
from portal.status.endings import close_people, end_run_here
from portal.status.entrance import Entrance, OwnPlace, RunningRun
from portal.status.locking import LockedRoom, read_locked_room
from portal.status.models import Driver, Ending, Participation, RoomSession, RoomStatus, Source
from portal.status.operations import ALIVE_SECONDS, look_soon, presence_snapshot, release_presence
from portal.status.recording import NAMES_KEPT, open_run, status_columns
from portal.status.services import require_new_runs
from portal.subscriptions.protocols import ProviderLike
from portal.subscriptions.provider_models import ServiceType


class ArrivalOutdated(Conflict):
    """What was read or promised no longer fits: the room, its run or the visitor changed before the room was locked."""

    default = Message("This room is being opened elsewhere right now. Try again.")


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """What a service has reserved for somebody who is about to enter: the run, and the id by which it knows him."""

    provider: ProviderLike
    external: str
    participation_id: str
    name: str
    role: Role
    run_uuid: UUID | None
    """The run that was running when the service was asked; it may be ended by this one, and no other."""
    recording: RecordingMode | None = None
    """Whether the run may be recorded, if this begins it."""


@dataclass(frozen=True)
class Place:
    """The open participation of somebody who has entered. `took_over`: his device had it before."""

    __tablename__ = Participation.__tablename__

    uuid: UUID
    id: str
    session_uuid: UUID
    name: str
    role: Role
    token_uuid: UUID | None
    sign_in_uuid: UUID | None
    took_over: bool


def enter_session(
    *,
    here: Entrance,
    reservation: Reservation | None = None,
    name: str,
    role: Role,
    device: str,
    token_uuid: UUID | None = None,
    access_code_uuid: UUID | None = None,
    by: Actor | None = None,
    uses: Sequence[Write] = (),
) -> Place:
    """Open a participation in the room's running run, which starts if there is none. The caller has locked the room.

    `reservation` is what the service has promised to which people are sent; None for the portal's own page.
    `by` is the member who enters, None for a guest. `uses` are written along, such as the use of his link.
    The same device takes over its own participation, and a page of it that is open still learns so. By another right
    it comes as another: its participation so far is over.
    """
    here, run = _run_to_enter(here, reservation, by=by)
    user_uuid, sign_in = (by.uuid, by.sign_in) if by is not None else (None, None)
    if here.own is not None and (here.own.token_uuid, here.own.user_uuid) != (token_uuid, user_uuid):
        here = _replace_participation(here, here.own)
    own, at = here.own, now()
    if own is not None and reservation is not None and reservation.participation_id != own.id:
        raise ArrivalOutdated  # the same device pressed twice: the service shall know it by one id
    place = Place(
        uuid=own.uuid if own is not None else new_uuid(),
        id=own.id if own is not None else reservation.participation_id if reservation is not None else new_id(),
        session_uuid=run.uuid,
        name=name,
        role=role,
        token_uuid=token_uuid,
        sign_in_uuid=sign_in.uuid if sign_in is not None else None,
        took_over=own is not None,
    )
    written = _participation(
        place,
        here.room,
        device=device,
        entered_at=at,
        user_uuid=user_uuid,
        access_code_uuid=access_code_uuid,
        scopes=sorted(by.scopes) if by is not None and by.scopes is not None else None,
        expected_at=at if run.driver is Driver.PROVIDER else None,
    )
    if run.driver is Driver.PROVIDER:
        write_together(*uses, written)
        look_soon(read_locked_room(here.room))
        return place
    write_together(*uses, written, *_arrival(here.with_own(name, role), run))
    on_commit(lambda: _announce(place, here.room))
    return place


_PARTICIPATIONS: Any = Participation.__table__
_RUNS: Any = RoomSession.__table__
_STATUSES: Any = RoomStatus.__table__
_EACH_TIME = ("name", "role", "token_uuid", "access_code_uuid", "user_uuid", "sign_in_uuid", "scopes", "expected_at")
_ONCE = ("uuid", "id", "session_uuid", "room_uuid", "subscription_uuid", "device", "entered_at")
_INSERT = sa.insert(_PARTICIPATIONS).values(parameters(_PARTICIPATIONS, *_EACH_TIME, *_ONCE))
_TAKE_OVER = (
    sa.update(_PARTICIPATIONS)
    .where(_PARTICIPATIONS.c.uuid == sa.bindparam("own"))
    .values(parameters(_PARTICIPATIONS, *_EACH_TIME) | {"away_since": sa.null()})
)
_MORE_THAN_EVER = sa.update(_RUNS).where(_RUNS.c.uuid == sa.bindparam("run")).values(parameters(_RUNS, "most"))


def _participation(place: Place, room: RoomLike, *, device: str, entered_at: datetime, **values: Any) -> Write:
    """The participation, new or taken over, to be written. `values` are its other columns."""
    values |= {
        "name": place.name,
        "role": place.role,
        "token_uuid": place.token_uuid,
        "sign_in_uuid": place.sign_in_uuid,
    }
    if place.took_over:
        return Write(_TAKE_OVER, {"own": place.uuid, **values})
    values |= {
        "uuid": place.uuid,
        "id": place.id,
        "session_uuid": place.session_uuid,
        "room_uuid": room.uuid,
        "subscription_uuid": room.subscription_uuid,
        "device": device,
        "entered_at": entered_at,
    }
    return Write(_INSERT, values)


def _storing(insert: Any) -> Any:
    """The statement that stores the columns bound to it, and counts one more version."""
    bound = {"source": constant(Source.ENGINE), "stale": sa.false(), "misses": constant(0)}
    bound |= parameters(_STATUSES, "state", "count", "counts", "labels", "names", "since", "checked_at")
    statement = insert(_STATUSES).values(bound | parameters(_STATUSES, "room_uuid") | {"version": constant(1)})
    fresh = {name: statement.excluded[name] for name in bound}
    return statement.on_conflict_do_update(
        index_elements=[_STATUSES.c.room_uuid], set_={**fresh, "version": _STATUSES.c.version + constant(1)}
    )


_STORING = {"postgresql": _storing(postgresql.insert), "sqlite": _storing(sqlite.insert)}


def _arrival(here: Entrance, run: RunningRun) -> Iterator[Write]:
    """The status of a run that the portal's own pages drive, in which the visitor is, to be written.

    It says another than before, so it need not be compared with what is stored.
    """
    total, moderators, attendees, away = here.present
    by_role = {Role.MODERATOR: moderators, Role.ATTENDEE: attendees, Role.GUEST: total - moderators - attendees}
    names = [name for _own, name in here.names]
    watched = here.room.room_type is ServiceType.VIDEO
    snapshot = presence_snapshot(by_role, away=away, names=names, since=run.started_at, watched=watched)
    columns = status_columns(snapshot)
    del columns["stale"]
    columns |= {
        "room_uuid": here.room.uuid,
        "names": names[:NAMES_KEPT],  # which were judged when their people entered
        "since": snapshot.since,
        "checked_at": snapshot.checked_at,
    }
    yield Write(_STORING[session.get_bind().dialect.name], columns)
    if total > run.most:
        yield Write(_MORE_THAN_EVER, {"run": run.uuid, "most": total})


def _run_to_enter(here: Entrance, reservation: Reservation | None, *, by: Actor | None) -> tuple[Entrance, RunningRun]:
    """The running run, or a new one. A reservation in another run of the same service ends the running one.

    Raises `ArrivalOutdated` if the room has come to be held by another service than the one that was asked.
    """
    run = here.run
    driven_by_service = run is not None and run.driver is Driver.PROVIDER
    if reservation is None:
        if driven_by_service:
            raise ArrivalOutdated
        return here, run or _open(here.room, here.room.subscription.provider, Driver.PRESENCE, most=1, by=by)
    if run is not None:
        if (run.provider_uuid, run.external) == (reservation.provider.uuid, reservation.external):
            return here, run
        if run.uuid != reservation.run_uuid or not driven_by_service:
            raise ArrivalOutdated
        end_run_here(read_locked_room(here.room), ending=Ending.CLOSED, at=now())
        here = replace(here, own=None)
    return here, _open(
        here.room,
        reservation.provider,
        Driver.PROVIDER,
        external=reservation.external,
        recording=reservation.recording,
        by=by,
    )


def _open(
    room: RoomLike,
    provider: ProviderLike,
    driver: Driver,
    *,
    external: str = "",
    most: int = 0,
    recording: RecordingMode | None = None,
    by: Actor | None,
) -> RunningRun:
    require_new_runs(provider)
    run = open_run(room, provider=provider, driver=driver, external=external, most=most, recording=recording, by=by)
    session.flush()
    return RunningRun(run.uuid, run.driver, run.provider_uuid, run.external, run.started_at, run.most)


def _replace_participation(here: Entrance, own: OwnPlace) -> Entrance:
    """End the participation of a device that enters by another right, and tell its page. What is left in the room.

    It is not changed, because others saw it as somebody else.
    """
    before = session.get_one(Participation, own.uuid)
    close_people(LockedRoom(here.room, None, None, [before]), [before], ending=Ending.LEFT, by=None)
    group, member = str(here.room.uuid), own.id
    on_commit(lambda: release_presence(group, member))
    return here.without_own()


def _announce(place: Place, room: RoomLike) -> None:
    """Tell those who watch the room, expect the heartbeats of whoever has entered, and tell a page that he left."""
    group = str(room.uuid)
    if place.took_over:
        release_presence(group, place.id)
    with channels().together() as signals:
        signals.nudge(*room_topics(room), word=room.id)
        signals.expect_present(group, place.id, ALIVE_SECONDS)
