"""What moderators do about the room as a whole: lock it, stop its chat or its screen sharing, end it, answer who waits.

While a room is locked only moderators enter, and who comes back to his place; admission asks for that under the room's
lock. While its chat is stopped only moderators write; while screen sharing is, only they share. All three last as long
as the run. All of it is written to the audit, with the participation of the moderator.
"""

from portal.admission.lobby import admit_all, answer
from portal.audit.operations import record_event
from portal.clock import now
from portal.conference.signals import SignalType
from portal.db import session
from portal.people.actor import Actor
from portal.rooms.operations import nudge_watchers
from portal.status.locking import lock_room
from portal.status.models import Ending, Participation, RoomSession
from portal.status.runs import end_run

_SWITCHES = {
    SignalType.LOCK: ("locked_at", True),
    SignalType.UNLOCK: ("locked_at", False),
    SignalType.STOP_CHAT: ("chat_stopped_at", True),
    SignalType.ALLOW_CHAT: ("chat_stopped_at", False),
    SignalType.STOP_SHARING: ("sharing_stopped_at", True),
    SignalType.ALLOW_SHARING: ("sharing_stopped_at", False),
    SignalType.TURN_LOBBY_ON: ("lobby_since", True),
    SignalType.TURN_LOBBY_OFF: ("lobby_since", False),
}
"""Signal → the column of the run that says since when something holds, and whether it does from now on."""

_ACTIONS = {
    SignalType.LOCK: "room.locked",
    SignalType.UNLOCK: "room.unlocked",
    SignalType.STOP_CHAT: "room.chat_stopped",
    SignalType.ALLOW_CHAT: "room.chat_allowed",
    SignalType.STOP_SHARING: "room.sharing_stopped",
    SignalType.ALLOW_SHARING: "room.sharing_allowed",
    SignalType.TURN_LOBBY_ON: "room.lobby_turned_on",
    SignalType.TURN_LOBBY_OFF: "room.lobby_turned_off",
}
"""Signal → what the audit calls it."""


def moderate_room(*, sender: Participation, kind: SignalType, by: Actor | None, waiter_id: str = "") -> None:
    """Do what the moderator `sender` asks for in his run. What is so already is not done, nor written, once more.

    `by` is the member who sends it, None for a guest; `waiter_id` who is admitted or turned away. Raises `NotFound` if
    nobody with this id waits any more.
    """
    match kind:
        case SignalType.END:
            _end_for_everyone(sender, by)
        case SignalType.ADMIT | SignalType.TURN_AWAY:
            admit = kind is SignalType.ADMIT
            answer(sender.run.room, waiter_id, admit=admit, by=by, moderator=sender)
        case SignalType.ADMIT_ALL:
            admit_all(sender.run.room, by=by, moderator=sender)
        case _:
            _switch(kind, sender, by)


def _end_for_everyone(moderator: Participation, by: Actor | None) -> None:
    run = moderator.run
    if end_run(run.uuid, ending=Ending.ENDED, by=by):
        record_event("room.ended_for_everyone", run, by=by, room=run.room_uuid, moderator=moderator.id)


def _switch(kind: SignalType, moderator: Participation, by: Actor | None) -> None:
    """Note in a column of the run since when something holds, or that it does so no longer; and in the audit."""
    column, on = _SWITCHES[kind]
    run = _lock_run(moderator)
    if run is None or (getattr(run, column) is not None) is on:
        return
    setattr(run, column, now() if on else None)
    record_event(_ACTIONS[kind], run, by=by, room=run.room_uuid, moderator=moderator.id)
    nudge_watchers(run.room)


def _lock_run(moderator: Participation) -> RoomSession | None:
    """The moderator's run as it is under the room's lock; None if it has ended."""
    lock_room(moderator.room_uuid)
    run = session.get_one(RoomSession, moderator.session_uuid, populate_existing=True)
    return run if run.ended_at is None else None
