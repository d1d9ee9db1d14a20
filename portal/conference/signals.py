"""What embedded conferences share: who is there, and who may say what to whom.

Media go directly between browsers; the portal carries their signals, and refuses those that a role may
not send. Each participant has a mailbox, `participation:<id>`; messages are `{"event": …, …}`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from portal.audit.operations import record_event
from portal.channels import channels
from portal.conference import signal_rate
from portal.db import on_commit, session
from portal.errors import Invalid, Message, NotAllowed, NotFound
from portal.people.actor import Actor
from portal.rooms.models import Role, Room
from portal.status.maintenance import ALIVE_SECONDS
from portal.status.models import Ending, Participation
from portal.status.operations import leave_session, present_participations

LEAVING_SECONDS = 4  # after a page was closed, so long is the place kept for a reload
_TRIES = 5  # only tabs of one device ever write to the same place


class SignalType(StrEnum):
    """What participants may say to one another."""

    OFFER = "offer"
    ANSWER = "answer"
    CANDIDATE = "candidate"
    MUTE = "mute"
    REMOVE = "remove"


_MODERATORS_ONLY = frozenset({SignalType.MUTE, SignalType.REMOVE})
_PLAIN = (str, int, float, type(None))


def is_moderation(kind: SignalType) -> bool:
    """Whether this is something that moderators do to others, and that is written down."""
    return kind in _MODERATORS_ONLY


def may_signal(role: Role, kind: SignalType) -> bool:
    """Everybody negotiates media; only moderators mute and remove others."""
    return role is Role.MODERATOR or not is_moderation(kind)


class InAnotherTab(NotAllowed):
    """This device is in the room in another tab."""

    default = Message("You are already in this room in another tab.")


@dataclass(frozen=True)
class RosterEntry:
    """One line of the roster."""

    id: str
    name: str
    role: Role
    tab: str
    microphone: bool
    camera: bool


def mailbox(participation_id: str) -> str:
    """Where messages for this participant lie; also the topic that tells about them."""
    return f"participation:{participation_id}"


def roster(room: Room) -> list[RosterEntry]:
    """Who is in, in the order of entering, with what their browsers last said."""
    present = channels().presence(str(room.uuid))
    return [
        RosterEntry(
            participation.id,
            participation.name,
            participation.role,
            str(present.get(participation.id, {}).get("tab", "")),
            bool(present.get(participation.id, {}).get("microphone")),
            bool(present.get(participation.id, {}).get("camera")),
        )
        for participation in present_participations(room)
    ]


def heartbeat(participation: Participation, *, tab: str, microphone: bool, camera: bool, takeover: bool) -> bool:
    """Keep the place for eight more seconds. Raises `InAnotherTab` if another tab holds it.

    Returns whether something changed that others see. What a page said last may arrive after the word that
    it was closed, and must not bring it back to life: each page load has an id of its own.
    """
    group = str(participation.room_uuid)
    value = {"tab": tab, "microphone": microphone, "camera": camera}
    for _try in range(_TRIES):
        before = channels().presence(group).get(participation.id, {})
        holder, leaving = before.get("tab", ""), "leaving" in before
        if leaving and holder == tab:
            return False
        if holder and holder != tab and not takeover and not leaving:
            raise InAnotherTab
        if channels().set_present(group, participation.id, value, ALIVE_SECONDS, instead_of=before):
            break
    else:
        raise InAnotherTab
    if holder and holder != tab:
        channels().post(mailbox(participation.id), {"event": "over", "reason": "elsewhere", "tab": holder})
    if value != before:
        channels().nudge(f"room:{group}")
        return True
    return False


def page_closed(participation: Participation, *, tab: str) -> None:
    """The page went away; a reload may bring it back within four seconds."""
    group = str(participation.room_uuid)
    for _try in range(_TRIES):
        before = channels().presence(group).get(participation.id, {})
        if before.get("tab") != tab or "leaving" in before:
            return
        gone = before | {"leaving": True}
        if channels().set_present(group, participation.id, gone, LEAVING_SECONDS, instead_of=before):
            return


def find_receiver(room: Room, sender: Participation, to: str) -> Participation:
    """Somebody else who is in the room. Raises `NotFound`."""
    receiver = session.scalar(
        sa.select(Participation).where(
            Participation.room_uuid == room.uuid, Participation.id == to, Participation.left_at.is_(None)
        )
    )
    if receiver is None or receiver.uuid == sender.uuid:
        raise NotFound(Message("This person is no longer in the room."))
    return receiver


def require_may_signal(sender: Participation, tab: str, kind: SignalType) -> None:
    """Whether this tab may say such a thing. Raises `NotAllowed` (role), `InAnotherTab` or `Throttled`."""
    signal_rate.take_signal(sender.id)
    if not may_signal(sender.role, kind):
        raise NotAllowed(Message("Only moderators may do this."))
    if channels().presence(str(sender.room_uuid)).get(sender.id, {}).get("tab") != tab:
        raise InAnotherTab


def relay_signal(
    *, sender: Participation, tab: str, receiver: Participation, to_tab: str, kind: SignalType, data: Any
) -> None:
    """Carry an offer, an answer or a candidate: an object of plain values. Raises `Invalid`."""
    if not isinstance(data, dict) or not all(isinstance(value, _PLAIN) for value in data.values()):
        raise Invalid(data=Message("A signal carries an object of plain values."))
    message = {
        "event": "signal",
        "from": sender.id,
        "tab": tab,
        "to_tab": to_tab,
        "kind": kind.value,
        "data": data,
    }
    channels().post(mailbox(receiver.id), message)


def moderate(*, sender: Participation, receiver: Participation, kind: SignalType, by: Actor | None) -> None:
    """Mute somebody, who may unmute himself; or remove him for as long as this session lasts.

    `by` is the member who sends it, None for a guest.
    """
    if kind is SignalType.REMOVE:
        leave_session(receiver, ending=Ending.REMOVED, by=by)
        return
    box, message = mailbox(receiver.id), {"event": "mute", "from": sender.id}
    record_event("participant.muted", receiver, by=by, room=receiver.room_uuid, moderator=sender.id)
    on_commit(lambda: channels().post(box, message))
