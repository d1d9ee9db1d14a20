"""What moderators do about the room as a whole: lock it, end the conversation for everyone, answer who waits.

While a room is locked only moderators enter, and who comes back to his place; admission asks for that under the room's
lock. It lasts as long as the run. All of it is written to the audit, with the participation of the moderator.
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
    room = lock_room(moderator.room_uuid)
    run = session.get_one(RoomSession, moderator.session_uuid, populate_existing=True)
    if room is None or run.ended_at is not None or (run.locked_at is not None) is locked:
        return
    run.locked_at = now() if locked else None
    action = "room.locked" if locked else "room.unlocked"
    record_event(action, run, by=by, room=run.room_uuid, moderator=moderator.id)
    topics, word = room_topics(room), room.id
    on_commit(lambda: channels().nudge(*topics, word=word))
