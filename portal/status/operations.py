"""Opening, closing and changing participations: people enter runs, leave them, are removed, or get another role.

The stored status is written by `portal.status.recording`; runs as a whole are started and ended by
`portal.status.runs`.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.channels import channels
from portal.clock import now
from portal.db import on_commit, session
from portal.errors import Conflict, Message
from portal.identifiers import new_id, new_uuid
from portal.people.actor import Actor
from portal.providers.base import Count, LiveState, Snapshot
from portal.rooms.facts import RoomFacts
from portal.rooms.models import Role
from portal.rooms.room_read import AnyRoom
from portal.status.endings import close_people, close_run, end_run_here
from portal.status.locking import LockedRoom, lock_room, read_locked_room
from portal.status.models import HAPPENING, Driver, Ending, Participation, RoomSession, Source
from portal.status.recording import open_run, record_locked
from portal.subscriptions.facts import ProviderFacts

ParticipationFilter = Callable[[Participation], bool]

ALIVE_SECONDS = 9
"""How long a heartbeat counts, and how long one is expected after entering. A page sends one every three seconds."""
ROLE_COUNTS = {"moderators": Role.MODERATOR, "attendees": Role.ATTENDEE, "guests": Role.GUEST}
COUNT_LABELS = {
    "participants": Message("Participants"),
    "moderators": Message("Moderators"),
    "attendees": Message("Attendees"),
    "guests": Message("Guests"),
    "reconnecting": Message("Connecting again"),
}


class ArrivalOutdated(Conflict):
    """What a service promised no longer fits: the room, its run or the visitor changed while it was asked."""

    default = Message("This room is being opened elsewhere right now. Try again.")


@dataclass(frozen=True, kw_only=True)
class Reservation:
    """What a service has reserved for somebody who is about to enter: the run, and the id by which it knows him."""

    provider: ProviderFacts
    external: str
    participation_id: str
    name: str
    role: Role
    run_uuid: UUID | None
    """The run that was running when the service was asked; it may be ended by this one, and no other."""


def enter_session(
    *,
    here: LockedRoom,
    reservation: Reservation | None = None,
    name: str,
    role: Role,
    device: str,
    token_uuid: UUID | None = None,
    access_code_uuid: UUID | None = None,
    by: Actor | None = None,
) -> Participation:
    """Open a participation in the room's running run, which starts if there is none. The caller has locked the room.

    `reservation` is what the service has promised to which people are sent; None for the portal's own page.
    `by` is the member who enters, None for a guest.
    The same device takes over its own participation, and a page of it that is open still learns so. By another right
    it comes as another: its participation so far is over. The caller holds the room and flushes: rows of one kind
    then take one statement.
    """
    room = here.room
    run = _run_to_enter(here, reservation, by=by)
    user_uuid, sign_in = (by.uuid, by.sign_in) if by is not None else (None, None)
    participation = next((person for person in here.people if person.device == device), None)
    if participation is not None and (participation.token_uuid, participation.user_uuid) != (token_uuid, user_uuid):
        _replace_participation(here, participation)
        participation = None
    known = participation is not None
    if participation is not None and reservation is not None and reservation.participation_id != participation.id:
        raise ArrivalOutdated  # the same device pressed twice: the service shall know it by one id
    if participation is None:
        participation = Participation(
            uuid=new_uuid(),
            id=reservation.participation_id if reservation is not None else new_id(),
            run=run,
            room_uuid=room.uuid,
            subscription_uuid=room.subscription_uuid,
            device=device,
            entered_at=now(),
        )
        session.add(participation)
        here.people.append(participation)
    participation.name, participation.role = name, role
    participation.token_uuid, participation.user_uuid = token_uuid, user_uuid
    participation.access_code_uuid, participation.away_since = access_code_uuid, None
    participation.sign_in_uuid = sign_in.uuid if sign_in is not None else None
    participation.scope_words = sorted(by.scopes) if by is not None and by.scopes is not None else None
    if run.driver is Driver.PROVIDER:
        participation.expected_at = now()
        look_soon(here)
        return participation
    record_presence(here)
    group, member = str(room.uuid), participation.id
    on_commit(lambda: _reserve_presence(group, member, takes_over=known))
    return participation


def leave_session(participation: Participation, *, ending: Ending, by: Actor | None = None) -> bool:
    """Close a participation. Closing the last one of a run ends the run. Returns False if it was closed already."""
    own = participation.uuid
    return bool(close_participations(participation.room_uuid, lambda person: person.uuid == own, ending=ending, by=by))


def close_participations(
    room_uuid: UUID, which: ParticipationFilter, *, ending: Ending, by: Actor | None = None
) -> int:
    """Close those who are in and are meant, all at once. Returns how many those were.

    `by` made them go; None is the portal itself, or they themselves.
    """
    room = lock_room(room_uuid)
    return close_in(read_locked_room(room), which, ending=ending, by=by) if room is not None else 0


def close_in(here: LockedRoom, which: ParticipationFilter, *, ending: Ending, by: Actor | None) -> int:
    """Close all open participations of this locked room for which `which` is true. Returns how many."""
    gone = [person for person in here.people if which(person)]
    if not gone:
        return 0
    close_people(here, gone, ending=ending, by=by)
    if driven_by_service(here):
        look_soon(here)
    else:
        record_presence(here, by=by)
        _notify_leavers(here.room, gone, ending)
    session.flush()
    return len(gone)


def change_role(room_uuid: UUID, which: ParticipationFilter, role: Role, *, by: Actor | None = None) -> int:
    """Give another role to all people in the room for whose participation `which` is true. Returns how many changed."""
    room = lock_room(room_uuid)
    if room is None:
        return 0
    here = read_locked_room(room)
    changed = [person for person in here.people if which(person) and person.role is not role]
    for person in changed:
        person.role = role
        record_event("participant.role_changed", person, by=by, room=room.uuid, role=role.value)
    if changed and not driven_by_service(here):
        record_presence(here)
    session.flush()
    return len(changed)


def present_participations(room: AnyRoom) -> list[Participation]:
    """The open participations of the room, in the order of entering."""
    return list(
        session.scalars(
            sa.select(Participation)
            .where(Participation.room_uuid == room.uuid, Participation.left_at.is_(None))
            .order_by(Participation.entered_at, Participation.uuid)
        )
    )


def driven_by_service(here: LockedRoom) -> bool:
    """Whether a service tells who is in the running run, and not the portal's own pages."""
    return here.run is not None and here.run.driver is Driver.PROVIDER


def look_soon(here: LockedRoom) -> None:
    """Have the poller ask the service at once, because somebody is about to enter there or was removed here."""
    if here.status is None or here.status.state not in HAPPENING:
        record_locked(here, Snapshot(state=LiveState.STARTING, checked_at=now()), source=Source.ENGINE)
    assert here.status is not None
    here.status.checked_at = here.status.next_look_at = now()  # what was asked before this is older than it


def record_presence(here: LockedRoom, *, by: Actor | None = None) -> None:
    """Store the status of a run that the portal's own pages drive, and end the run if nobody is in any more."""
    at, people, run = now(), here.people, here.run
    figures = {"participants": len(people)}
    if people:
        by_role = Counter(person.role for person in people)
        figures |= {key: by_role[role] for key, role in ROLE_COUNTS.items()}
        figures |= {"reconnecting": away} if (away := sum(one.away_since is not None for one in people)) else {}
    snapshot = Snapshot(
        state=LiveState.LIVE if people else LiveState.IDLE,
        since=run.started_at if run is not None and people else at,
        checked_at=at,
        headline=len(people),
        counts=tuple(Count(key, COUNT_LABELS[key], value) for key, value in figures.items()) if people else (),
        names=tuple(person.name for person in people),
    )
    record_locked(here, snapshot, source=Source.ENGINE)
    if not people:
        close_run(here, at=at, by=by)


def _run_to_enter(here: LockedRoom, reservation: Reservation | None, *, by: Actor | None) -> RoomSession:
    """The running run, or a new one. A reservation in another run of the same service ends the running one.

    Raises `ArrivalOutdated` if the room has come to be held by another service than the one that was asked.
    """
    run = here.run
    if reservation is None:
        if driven_by_service(here):
            raise ArrivalOutdated
        if run is None:
            run = here.run = open_run(
                here.room, provider=here.room.subscription.provider, driver=Driver.PRESENCE, by=by
            )
        return run
    if run is not None:
        if (run.provider_uuid, run.external) == (reservation.provider.uuid, reservation.external):
            return run
        if run.uuid != reservation.run_uuid or not driven_by_service(here):
            raise ArrivalOutdated
        end_run_here(here, ending=Ending.CLOSED, at=now())
    run = here.run = open_run(
        here.room, provider=reservation.provider, driver=Driver.PROVIDER, external=reservation.external, by=by
    )
    return run


def _replace_participation(here: LockedRoom, before: Participation) -> None:
    """End the participation of a device that enters by another right, and tell its page.

    It is not changed, because others saw it as somebody else.
    """
    close_people(here, [before], ending=Ending.LEFT, by=None)
    group, member = str(here.room.uuid), before.id
    on_commit(lambda: _release_presence(group, member))


def _reserve_presence(group: str, member: str, *, takes_over: bool) -> None:
    if takes_over:
        _release_presence(group, member)
    channels().expect_present(group, member, ALIVE_SECONDS)


def _release_presence(group: str, member: str) -> None:
    """Remove the participant from the presence, and tell the page that kept him present that another one takes over."""
    holder = channels().presence(group).get(member, {}).get("tab", "")
    channels().set_absent(group, member)
    if holder:
        channels().post(f"participation:{member}", {"event": "over", "reason": "elsewhere", "tab": holder})


def _notify_leavers(room: RoomFacts, gone: list[Participation], ending: Ending) -> None:
    """Remove people from the presence, and tell the pages of all who did not leave by themselves why they are out."""
    group, members = str(room.uuid), [person.id for person in gone]

    def notify() -> None:
        for member in members:
            channels().set_absent(group, member)
            if ending is not Ending.LEFT:
                channels().post(f"participation:{member}", {"event": "over", "reason": ending.value})

    on_commit(notify)
