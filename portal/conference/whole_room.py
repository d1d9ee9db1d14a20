"""What moderators do about the room as a whole: lock it, stop its chat, end it for everyone, answer who waits.

While a room is locked only moderators enter, and who comes back to his place; admission asks for that under the room's
lock. While its chat is stopped only moderators write. Both last as long as the run. All of it is written to the audit,
with the participation of the moderator.
"""

from portal.admission.lobby import admit_all, answer
from portal.audit.operations import record_event
from portal.channels import channels
from portal.clock import now
from portal.conference.signals import SignalType
from portal.db import on_commit, session
from portal.people.actor import Actor
from portal.rooms.operations import room_topics
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
        case SignalType.LOCK | SignalType.UNLOCK:
            _set_locked(sender, by, locked=kind is SignalType.LOCK)
        case SignalType.STOP_CHAT | SignalType.ALLOW_CHAT:
            _set_chat_stopped(sender, by, stopped=kind is SignalType.STOP_CHAT)
        case SignalType.TURN_LOBBY_ON | SignalType.TURN_LOBBY_OFF:
            _set_lobby(sender, by, on=kind is SignalType.TURN_LOBBY_ON)
        case SignalType.ADMIT | SignalType.TURN_AWAY:
            admit = kind is SignalType.ADMIT
            answer(sender.run.room, waiter_id, admit=admit, by=by, moderator=sender)
        case SignalType.ADMIT_ALL:
            admit_all(sender.run.room, by=by, moderator=sender)


def _end_for_everyone(moderator: Participation, by: Actor | None) -> None:
    run = moderator.run
    if end_run(run.uuid, ending=Ending.ENDED, by=by):
        record_event("room.ended_for_everyone", run, by=by, room=run.room_uuid, moderator=moderator.id)


def _set_locked(moderator: Participation, by: Actor | None, *, locked: bool) -> None:
    run = _lock_run(moderator)
    if run is None or (run.locked_at is not None) is locked:
        return
    run.locked_at = now() if locked else None
    record_event("room.locked" if locked else "room.unlocked", run, by=by, room=run.room_uuid, moderator=moderator.id)
    _tell(run)


def _set_chat_stopped(moderator: Participation, by: Actor | None, *, stopped: bool) -> None:
    run = _lock_run(moderator)
    if run is None or (run.chat_stopped_at is not None) is stopped:
        return
    run.chat_stopped_at = now() if stopped else None
    record_event(
        "room.chat_stopped" if stopped else "room.chat_allowed",
        run,
        by=by,
        room=run.room_uuid,
        moderator=moderator.id,
    )
    _tell(run)


def _set_lobby(moderator: Participation, by: Actor | None, *, on: bool) -> None:
    run = _lock_run(moderator)
    if run is None or (run.lobby_since is not None) is on:
        return
    run.lobby_since = now() if on else None
    record_event(
        "room.lobby_turned_on" if on else "room.lobby_turned_off",
        run,
        by=by,
        room=run.room_uuid,
        moderator=moderator.id,
    )
    _tell(run)


def _lock_run(moderator: Participation) -> RoomSession | None:
    """The moderator's run as it is under the room's lock; None if it has ended."""
    lock_room(moderator.room_uuid)
    run = session.get_one(RoomSession, moderator.session_uuid, populate_existing=True)
    return run if run.ended_at is None else None


def _tell(run: RoomSession) -> None:
    topics, word = room_topics(run.room), run.room.id
    on_commit(lambda: channels().nudge(*topics, word=word))
