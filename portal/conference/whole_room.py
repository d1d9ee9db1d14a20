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
            _switch_by(kind, sender, by)


def _switch_by(kind: SignalType, moderator: Participation, by: Actor | None) -> None:
    """Switch what this signal switches on or off for as long as the run lasts."""
    match kind:
        case SignalType.LOCK:
            _switch(moderator, by, "locked_at", on=True, action="room.locked")
        case SignalType.UNLOCK:
            _switch(moderator, by, "locked_at", on=False, action="room.unlocked")
        case SignalType.STOP_CHAT:
            _switch(moderator, by, "chat_stopped_at", on=True, action="room.chat_stopped")
        case SignalType.ALLOW_CHAT:
            _switch(moderator, by, "chat_stopped_at", on=False, action="room.chat_allowed")
        case SignalType.STOP_SHARING:
            _switch(moderator, by, "sharing_stopped_at", on=True, action="room.sharing_stopped")
        case SignalType.ALLOW_SHARING:
            _switch(moderator, by, "sharing_stopped_at", on=False, action="room.sharing_allowed")
        case SignalType.TURN_LOBBY_ON:
            _switch(moderator, by, "lobby_since", on=True, action="room.lobby_turned_on")
        case SignalType.TURN_LOBBY_OFF:
            _switch(moderator, by, "lobby_since", on=False, action="room.lobby_turned_off")


def _end_for_everyone(moderator: Participation, by: Actor | None) -> None:
    run = moderator.run
    if end_run(run.uuid, ending=Ending.ENDED, by=by):
        record_event("room.ended_for_everyone", run, by=by, room=run.room_uuid, moderator=moderator.id)


def _switch(moderator: Participation, by: Actor | None, column: str, *, on: bool, action: str) -> None:
    """Note in this column of the run since when something holds, None: it does not; and what the audit calls that."""
    run = _lock_run(moderator)
    if run is None or (getattr(run, column) is not None) is on:
        return
    setattr(run, column, now() if on else None)
    record_event(action, run, by=by, room=run.room_uuid, moderator=moderator.id)
    nudge_watchers(run.room)


def _lock_run(moderator: Participation) -> RoomSession | None:
    """The moderator's run as it is under the room's lock; None if it has ended."""
    lock_room(moderator.room_uuid)
    run = session.get_one(RoomSession, moderator.session_uuid, populate_existing=True)
    return run if run.ended_at is None else None
