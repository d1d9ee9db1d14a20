"""What embedded conferences share: who is there, and who may say what to whom.

Media go directly between browsers; the portal carries their signals, and refuses those that a role may
not send. Each participant has a mailbox, `participation:<id>`; letters are `{"event": …, …}`.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from portal.channels import channels
from portal.errors import Invalid, Message, NotAllowed, NotFound
from portal.rooms.models import Role, Room
from portal.status.models import Ending, Participation
from portal.status.operations import leave_session, present

ALIVE_SECONDS = 9  # without a sign of life for so long, somebody is gone
LEAVING_SECONDS = 2  # after a page was closed, so long is the place kept for a reload


class Kind(StrEnum):
    """What participants may say to one another."""

    OFFER = "offer"
    ANSWER = "answer"
    CANDIDATE = "candidate"
    MUTE = "mute"
    REMOVE = "remove"


_MODERATORS_ONLY = frozenset({Kind.MUTE, Kind.REMOVE})


def may_signal(role: Role, kind: Kind) -> bool:
    """Everybody negotiates media; only moderators mute and remove others."""
    return role is Role.MODERATOR or kind not in _MODERATORS_ONLY


class Elsewhere(NotAllowed):
    """This device is in the room in another tab."""

    default = Message("You are already in this room in another tab.")


@dataclass(frozen=True)
class Person:
    """One line of the roster."""

    id: str
    name: str
    role: Role
    connection: str
    microphone: bool
    camera: bool


def mailbox(participation_id: str) -> str:
    """Where letters for this participant lie; also the topic that tells about them."""
    return f"participation:{participation_id}"


def roster(room: Room) -> list[Person]:
    """Who is in, in the order of entering, with what their browsers last said."""
    attendance = channels().attendance(str(room.uuid))
    return [
        Person(
            participation.id,
            participation.name,
            participation.role,
            str(attendance.get(participation.id, {}).get("connection", "")),
            bool(attendance.get(participation.id, {}).get("microphone")),
            bool(attendance.get(participation.id, {}).get("camera")),
        )
        for participation in present(room)
    ]


def sign_of_life(
    participation: Participation, *, connection: str, microphone: bool, camera: bool, takeover: bool
) -> bool:
    """Keep the place for nine more seconds. Raises `Elsewhere` if another tab holds it.

    Returns whether something changed that others see.
    """
    group = str(participation.room_uuid)
    before = channels().attendance(group).get(participation.id, {})
    holder = before.get("connection", "")
    if holder and holder != connection and not takeover and not before.get("leaving"):
        raise Elsewhere
    value = {"connection": connection, "microphone": microphone, "camera": camera}
    channels().attend(group, participation.id, value, ALIVE_SECONDS)
    if holder and holder != connection:
        channels().post(mailbox(participation.id), {"event": "over", "reason": "elsewhere", "connection": holder})
    if value != before:
        channels().nudge(f"room:{group}")
        return True
    return False


def page_closed(participation: Participation, *, connection: str) -> None:
    """The page went away; a reload may bring it back within two seconds."""
    group = str(participation.room_uuid)
    before = channels().attendance(group).get(participation.id, {})
    if before.get("connection") == connection:
        channels().attend(group, participation.id, before | {"leaving": True}, LEAVING_SECONDS)


def send(
    *, room: Room, sender: Participation, connection: str, to: str, to_connection: str, kind: Kind, data: Any
) -> None:
    """Carry one signal. Raises `NotAllowed` (role), `Elsewhere`, `NotFound` (nobody there) or `Invalid`."""
    if not may_signal(sender.role, kind):
        raise NotAllowed(Message("Only moderators may do this."))
    attendance = channels().attendance(str(room.uuid))
    if attendance.get(sender.id, {}).get("connection") != connection:
        raise Elsewhere
    receiver = next((person for person in present(room) if person.id == to), None)
    if receiver is None or receiver.id == sender.id:
        raise NotFound(Message("This person is no longer in the room."))
    if kind is Kind.REMOVE:
        leave_session(receiver, ending=Ending.REMOVED)
    elif kind is Kind.MUTE:
        channels().post(mailbox(to), {"event": "mute", "from": sender.id})
    elif not isinstance(data, dict):
        raise Invalid(data=Message("A signal carries an object."))
    else:
        channels().post(
            mailbox(to),
            {
                "event": "signal",
                "from": sender.id,
                "connection": connection,
                "to_connection": to_connection,
                "kind": kind.value,
                "data": data,
            },
        )
