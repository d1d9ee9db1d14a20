"""Embedded conferences: heartbeats of pages, and signals from one participant to another.

Media go directly between browsers; the portal relays their signals, and refuses those that a role may
not send. Each participant has a mailbox, `participation:<id>`; messages are `{"event": …, …}`.
"""

import json
from enum import StrEnum
from typing import Any

import sqlalchemy as sa

from portal.admission.removals import find_removed, readmit
from portal.audit.operations import record_event
from portal.channels import channels
from portal.clock import now
from portal.conference import signal_rate
from portal.conference.refusals import ForbiddenMessage, Refusal
from portal.db import on_commit, session
from portal.errors import Invalid, Message, NotAllowed, NotFound
from portal.people.actor import Actor
from portal.rooms.models import Role, Room
from portal.status.models import Ending, Participation
from portal.status.operations import ALIVE_SECONDS, leave_session
from portal.status.presence import LEAVING

LEAVING_SECONDS = 4  # how long a participant stays present after his page was closed, for a reload
_TRIES = 5  # only tabs of one device ever compete for one presence


class SignalType(StrEnum):
    """The signals that participants can send to one another."""

    OFFER = "offer"
    ANSWER = "answer"
    CANDIDATE = "candidate"
    MUTE = "mute"
    STOP_CAMERA = "stop_camera"
    STOP_SCREEN = "stop_screen"
    ASK_UNMUTE = "ask_unmute"
    LOWER_HAND = "lower_hand"
    REMOVE = "remove"
    READMIT = "readmit"
    LOCK = "lock"
    UNLOCK = "unlock"
    END = "end"
    STOP_CHAT = "stop_chat"
    ALLOW_CHAT = "allow_chat"
    STOP_SHARING = "stop_sharing"
    ALLOW_SHARING = "allow_sharing"
    TURN_LOBBY_ON = "turn_lobby_on"
    TURN_LOBBY_OFF = "turn_lobby_off"
    ADMIT = "admit"
    ADMIT_ALL = "admit_all"
    TURN_AWAY = "turn_away"


_TOLD = {
    SignalType.MUTE: "participant.muted",
    SignalType.STOP_CAMERA: "participant.camera_stopped",
    SignalType.STOP_SCREEN: "participant.screen_stopped",
    SignalType.ASK_UNMUTE: "participant.unmute_asked",
    SignalType.LOWER_HAND: "participant.hand_lowered",
}
"""What a moderator tells somebody's page, which does it or asks him first, and what the audit calls it."""

_IN_THE_LOBBY = frozenset({SignalType.ADMIT, SignalType.TURN_AWAY})
_FOR_THE_ROOM = frozenset(
    {
        SignalType.LOCK,
        SignalType.UNLOCK,
        SignalType.END,
        SignalType.STOP_CHAT,
        SignalType.ALLOW_CHAT,
        SignalType.STOP_SHARING,
        SignalType.ALLOW_SHARING,
        SignalType.TURN_LOBBY_ON,
        SignalType.TURN_LOBBY_OFF,
        SignalType.ADMIT_ALL,
        *_IN_THE_LOBBY,
    }
)
_EVERYBODY, _MODERATORS = frozenset(Role), frozenset({Role.MODERATOR})
_SENDERS = {
    SignalType.OFFER: _EVERYBODY,
    SignalType.ANSWER: _EVERYBODY,
    SignalType.CANDIDATE: _EVERYBODY,
    **dict.fromkeys(_TOLD, _MODERATORS),
    SignalType.REMOVE: _MODERATORS,
    SignalType.READMIT: _MODERATORS,
    **dict.fromkeys(_FOR_THE_ROOM, _MODERATORS),
}
"""Signal → the roles that may send it."""
_PLAIN = (str, int, float, type(None))
_NOT_PLAIN = Message("A signal carries an object of plain values.")


def is_for_the_room(kind: SignalType) -> bool:
    """Whether this concerns nobody who is in: the room as a whole, or who waits. `conference.whole_room` does it."""
    return kind in _FOR_THE_ROOM


def names_somebody(kind: SignalType) -> bool:
    """Whether this is for one person: a participant, or somebody in the lobby."""
    return kind not in _FOR_THE_ROOM or kind in _IN_THE_LOBBY


def is_moderation(kind: SignalType) -> bool:
    """Whether this is something that only moderators do, and that is written to the audit."""
    return _SENDERS[kind] == _MODERATORS


def may_signal(role: Role, kind: SignalType) -> bool:
    """Whether a role may send such a signal: everybody negotiates media, only moderators moderate."""
    return role in _SENDERS[kind]


class InAnotherTab(NotAllowed):
    """The device is in the room in another tab."""

    default = Message("You are already in this room in another tab.")


def mailbox(participation_id: str) -> str:
    """The name of the participant's mailbox, which is also the topic that is nudged when a message comes."""
    return f"participation:{participation_id}"


def heartbeat(
    participation: Participation,
    *,
    tab: str,
    microphone: bool,
    camera: bool,
    screen: str = "",
    hand: bool = False,
    takeover: bool = False,
    before: str = "",
) -> None:
    """Keep the participant present for nine more seconds.

    Raises `InAnotherTab` if another tab is present, and `Throttled` if there are too many heartbeats.

    `screen` is the id of the stream of a screen that he shares: make sure that he may, by `rights.allowed_screen`.
    `takeover` replaces another tab, which is told. Each page load has a tab id of its own, and `before` is that of the
    page which was reloaded: its `page_closed` may arrive later than the first heartbeat of the new one. A heartbeat
    that arrives after `page_closed` for its tab does nothing.
    """
    signal_rate.take(signal_rate.HEARTBEATS, signal_rate.visitor_of(participation))
    group = str(participation.room_uuid)
    for _try in range(_TRIES):
        known = channels().presence(group).get(participation.id, {})
        at = now().isoformat()
        value = {
            "tab": tab,
            "microphone": microphone,
            "camera": camera,
            "screen": screen,
            "screen_since": (known["screen_since"] if known.get("screen") == screen else at) if screen else "",
            "hand": (known.get("hand") or at) if hand else "",
        }
        holder, leaving = known.get("tab", ""), LEAVING in known
        if leaving and holder == tab:
            return
        if holder and holder not in (tab, before) and not takeover and not leaving:
            raise InAnotherTab
        if channels().set_present(group, participation.id, value, ALIVE_SECONDS, instead_of=known):
            break
    else:
        raise InAnotherTab
    if holder and holder != tab:
        channels().post(mailbox(participation.id), {"event": "over", "reason": "elsewhere", "tab": holder})
    if value != known:
        channels().nudge(f"room:{group}")


def page_closed(participation: Participation, *, tab: str) -> None:
    """Let the participant become absent in four seconds, because his page was closed. A reload keeps him present."""
    group = str(participation.room_uuid)
    for _try in range(_TRIES):
        before = channels().presence(group).get(participation.id, {})
        if before.get("tab") != tab or LEAVING in before:
            return
        gone = before | {LEAVING: True}
        if channels().set_present(group, participation.id, gone, LEAVING_SECONDS, instead_of=before):
            return


def find_receiver(room: Room, sender: Participation, to: str, kind: SignalType) -> Participation:
    """The participation with the id `to`, of somebody else who is in, or for `READMIT` who was removed.

    Raises `NotFound`.
    """
    return find_removed(room, to) if kind is SignalType.READMIT else find_other(room, sender, to)


def find_other(room: Room, sender: Participation, to: str) -> Participation:
    """The participation with the id `to`, of somebody else who is in. Raises `NotFound`."""
    receiver = session.scalar(
        sa.select(Participation).where(
            Participation.room_uuid == room.uuid, Participation.id == to, Participation.left_at.is_(None)
        )
    )
    if receiver is None or receiver.uuid == sender.uuid:
        raise NotFound(Message("This person is no longer in the room."))
    return receiver


def require_may_signal(sender: Participation, tab: str, kind: SignalType) -> None:
    """Make sure that this tab may send such a signal now. Raises `NotAllowed` (role), `InAnotherTab` or `Throttled`."""
    signal_rate.take(signal_rate.SIGNALS, signal_rate.visitor_of(sender))
    if not may_signal(sender.role, kind):
        raise ForbiddenMessage(Refusal.ROLE, Message("Only moderators may do this."))
    require_this_tab(sender, tab)


def require_this_tab(sender: Participation, tab: str) -> None:
    """Make sure that no other tab of the participant is in. Raises `InAnotherTab`.

    After a restart of the portal nothing is known of any tab, until the next heartbeat.
    """
    if channels().presence(str(sender.room_uuid)).get(sender.id, {}).get("tab", tab) != tab:
        raise InAnotherTab


def relay_signal(
    *, sender: Participation, tab: str, receiver: Participation, to_tab: str, kind: SignalType, data: Any
) -> None:
    """Put an offer, an answer or a candidate into the receiver's mailbox.

    Raises `Invalid` if it is no flat object that a browser can read, and `Throttled` if it is too much at once.
    """
    if not isinstance(data, dict) or not all(isinstance(value, _PLAIN) for value in data.values()):
        raise Invalid(data=_NOT_PLAIN)
    try:
        size = len(json.dumps(data, allow_nan=False))
    except ValueError:  # Python reads and writes NaN and Infinity, which JSON has not
        raise Invalid(data=_NOT_PLAIN) from None
    signal_rate.take(signal_rate.SIGNAL_BYTES, signal_rate.visitor_of(sender), size)
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
    """Tell somebody's page what `_TOLD` lists, remove him for as long as this session lasts, or let him in again.

    Who was muted may unmute himself. `by` is the member who sends it, None for a guest. Raises `NotFound` if somebody
    else let him in meanwhile.
    """
    if kind is SignalType.REMOVE:
        leave_session(receiver, ending=Ending.REMOVED, by=by)
        return
    if kind is SignalType.READMIT:
        readmit(sender.run.room, receiver.id, by=by, moderator=sender)
        return
    box, message = mailbox(receiver.id), {"event": kind.value, "from": sender.id}
    record_event(_TOLD[kind], receiver, by=by, room=receiver.room_uuid, moderator=sender.id)
    on_commit(lambda: channels().post(box, message))
