"""Text chat in a conference, through the portal, so that it can be refused: to everybody, or to one person.

Where the room hides who is in (`hide_user_list`), attendees and guests write privately to moderators only. A message is
kept for those who come later until the run ends, and then it is gone. Nothing of it is written to the audit or told to
webhooks. What a room may is the features `public_chat` and `private_chat`.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import joinedload

from portal.audit.operations import Auditable, AuditLine
from portal.channels import channels
from portal.conference import signal_rate
from portal.conference.models import MESSAGE_LENGTH, ChatMessage
from portal.conference.refusals import ForbiddenMessage, Refusal
from portal.conference.rights import rights_in
from portal.conference.signals import mailbox
from portal.db import on_commit, session
from portal.errors import Conflict, Invalid, Message
from portal.people.names import printable
from portal.rooms.models import Role, Room
from portal.rooms.settings import HIDE_USER_LIST, is_on
from portal.status.models import Ending, Participation, RoomSession
from portal.status.operations import present_participations

MOST_KEPT = 500
"""So many messages of a run are kept; the oldest go first."""

NOTHING = Message("Write something first.")


@dataclass(frozen=True)
class ChatLine:
    """A message as pages get it. `sender` and `receiver` are ids of participations; `receiver` None: everybody.

    `own`: whoever reads it wrote it, under this participation or one that was lost before.
    """

    id: str
    sender: str
    name: str
    role: Role
    receiver: str | None
    receiver_name: str
    text: str
    at: str
    own: bool


def send_message(room: Room, sender: Participation, *, receiver: Participation | None, text: str, key: str) -> ChatLine:
    """Write a message, and tell those whom it is for. Sent again with the same `key` it is not written again.

    Raises `NotAllowed` if such messages are off in the room, a moderator has stopped the chat or the room lets `sender`
    write privately to moderators only, `Throttled`, `Conflict` if the run has ended meanwhile or `key` was used for
    another message, and `Invalid` if `text` is empty or too long.
    """
    rights = rights_in(room)
    if not (rights.private_chat if receiver is not None else rights.public_chat):
        raise ForbiddenMessage(Refusal.CHAT, Message("Chat is off in this room."))
    if sender.run.chat_stopped_at is not None and sender.role is not Role.MODERATOR:
        raise ForbiddenMessage(Refusal.CHAT, Message("A moderator has stopped the chat."))
    if receiver is not None and is_on(room, HIDE_USER_LIST) and Role.MODERATOR not in {sender.role, receiver.role}:
        raise ForbiddenMessage(Refusal.CHAT, Message("In this room you can write to everybody, or to a moderator."))
    signal_rate.take(signal_rate.MESSAGES, signal_rate.visitor_of(sender))
    cleaned = _clean_text(text)
    written = _written(sender, key) or _write(sender, receiver, cleaned, key)
    if (written.receiver_uuid, written.text) != (receiver.uuid if receiver is not None else None, cleaned):
        raise Conflict(Message("This key was used for another message."))
    others = [written.receiver] if written.receiver is not None else present_participations(room)
    _tell([person.id for person in others if person.uuid != sender.uuid], _line(written))
    return _line(written, own=True)


def messages_for(participation: Participation) -> list[ChatLine]:
    """The messages of the run that this participant may read, oldest first."""
    own = set(session.scalars(_own_participations(participation)))
    found = session.scalars(
        sa.select(ChatMessage)
        .where(
            ChatMessage.session_uuid == participation.session_uuid,
            sa.or_(
                ChatMessage.receiver_uuid.is_(None),
                ChatMessage.receiver_uuid.in_(own),
                ChatMessage.sender_uuid.in_(own),
            ),
        )
        .options(joinedload(ChatMessage.sender), joinedload(ChatMessage.receiver))
        .order_by(ChatMessage.uuid)
    )
    return [_line(message, own=message.sender_uuid in own) for message in found]


def forget_ended(lines: Sequence[tuple[AuditLine, Auditable]], _webhooks: int | None) -> None:
    """Delete the messages of runs that end, as the audit's lines say. `create_app` subscribes it to the audit."""
    if lines[0][0].action == "room.ended":
        ended = [run.uuid for _line, run in lines]
        session.execute(sa.delete(ChatMessage).where(ChatMessage.session_uuid.in_(ended)))


def sweep_messages() -> None:
    """Delete messages of runs that have ended, should any be left."""
    ended = sa.select(RoomSession.uuid).where(RoomSession.ended_at.is_not(None))
    session.execute(
        sa.delete(ChatMessage).where(ChatMessage.session_uuid.in_(ended)),
        execution_options={"synchronize_session": False},
    )


def _own_participations(participation: Participation) -> sa.Select[UUID]:
    """This participation, and those that were lost in the run, of the same device and name: whoever comes back."""
    return sa.select(Participation.uuid).where(
        Participation.session_uuid == participation.session_uuid,
        Participation.device == participation.device,
        Participation.name == participation.name,
        sa.or_(Participation.uuid == participation.uuid, Participation.ending == Ending.LOST),
    )


def _written(sender: Participation, key: str) -> ChatMessage | None:
    return session.scalar(sa.select(ChatMessage).where(ChatMessage.sender_uuid == sender.uuid, ChatMessage.key == key))


def _write(sender: Participation, receiver: Participation | None, text: str, key: str) -> ChatMessage:
    running = sa.select(RoomSession.uuid).where(RoomSession.uuid == sender.session_uuid, RoomSession.ended_at.is_(None))
    if session.scalar(running.with_for_update(read=True)) is None:  # what ends the run waits, and deletes this, too
        raise Conflict(Message("The conversation has ended."))
    message = ChatMessage(session_uuid=sender.session_uuid, sender=sender, receiver=receiver, key=key, text=text)
    try:
        with session.begin_nested():
            session.add(message)
    except IntegrityError:
        if (same := _written(sender, key)) is None:
            raise
        return same  # the page sent it twice at the same time
    _forget_oldest(sender.session_uuid)
    return message


def _clean_text(text: str) -> str:
    """Lines of text without characters that show nothing. It is shown as text: what it says is no markup."""
    cleaned = text
    if len(text) <= 2 * MESSAGE_LENGTH:  # composing costs the square of the length, and may lengthen a text
        cleaned = "\n".join(printable(line, longest=4 * MESSAGE_LENGTH) for line in text.splitlines()).strip()
    if len(cleaned) > MESSAGE_LENGTH:
        raise Invalid(Message("This is too long: at most %(longest)d characters.", longest=MESSAGE_LENGTH))
    if not cleaned:
        raise Invalid(NOTHING)
    return cleaned


def _forget_oldest(run_uuid: UUID) -> None:
    of_run = ChatMessage.session_uuid == run_uuid
    last = sa.select(ChatMessage.uuid).where(of_run).order_by(ChatMessage.uuid.desc()).offset(MOST_KEPT).limit(1)
    session.execute(
        sa.delete(ChatMessage).where(of_run, ChatMessage.uuid <= last.scalar_subquery()),
        execution_options={"synchronize_session": False},
    )


def _tell(receivers: Sequence[str], line: ChatLine) -> None:
    message = {"event": "message", **asdict(line)}

    def post() -> None:
        with channels().together() as signals:
            for receiver in receivers:
                signals.post(mailbox(receiver), message)

    on_commit(post)


def _line(message: ChatMessage, *, own: bool = False) -> ChatLine:
    receiver = message.receiver
    return ChatLine(
        id=message.id,
        sender=message.sender.id,
        name=message.sender.name,
        role=message.sender.role,
        receiver=receiver.id if receiver is not None else None,
        receiver_name=receiver.name if receiver is not None else "",
        text=message.text,
        at=message.sent_at.isoformat(),
        own=own,
    )
