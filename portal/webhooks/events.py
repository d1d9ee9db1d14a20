"""The kinds of events that webhooks can be told of, and for each the permission it needs and the audit's actions."""

from enum import StrEnum

from portal.errors import Message
from portal.permissions.permission import Permission


class Event(StrEnum):
    """The kinds of events. The values are what receivers see as `type`."""

    ROOM_CREATED = "room.created"
    ROOM_UPDATED = "room.updated"
    ROOM_DELETED = "room.deleted"
    ROOM_STARTED = "room.started"
    ROOM_ENDED = "room.ended"
    PARTICIPANT_JOINED = "participant.joined"
    PARTICIPANT_LEFT = "participant.left"
    PARTICIPANT_REFUSED = "participant.refused"
    TOKEN_CREATED = "token.created"  # noqa: S105  (no password)
    TOKEN_USED = "token.used"  # noqa: S105
    TOKEN_REVOKED = "token.revoked"  # noqa: S105
    CODE_CREATED = "code.created"
    CODE_USED = "code.used"
    CODE_DELETED = "code.deleted"
    MEMBER_ADDED = "member.added"
    MEMBER_CHANGED = "member.changed"
    MEMBER_REMOVED = "member.removed"

    @property
    def words(self) -> Message:
        """What happened, as a sentence for people."""
        return _SENTENCES[self]

    @property
    def needs(self) -> Permission:
        """The permission to see what the event tells, which the endpoint's owner must have."""
        return _NEEDS.get(self.value) or _NEEDS[self.partition(".")[0]]


_SENTENCES = {
    Event.ROOM_CREATED: Message("A room was made, or taken out of the trash."),
    Event.ROOM_UPDATED: Message("A room was changed."),
    Event.ROOM_DELETED: Message("A room was put into the trash."),
    Event.ROOM_STARTED: Message("A room came to life: the first person came, or somebody started it."),
    Event.ROOM_ENDED: Message("The last person left, or the room was ended."),
    Event.PARTICIPANT_JOINED: Message("Somebody came in."),
    Event.PARTICIPANT_LEFT: Message("Somebody left, was removed, or lost the connection."),
    Event.PARTICIPANT_REFUSED: Message("Somebody wanted to come in and was refused."),
    Event.TOKEN_CREATED: Message("A link was made, or replaced by a new one."),
    Event.TOKEN_USED: Message("Somebody came in by a link."),
    Event.TOKEN_REVOKED: Message("A link was revoked."),
    Event.CODE_CREATED: Message("An access code was made."),
    Event.CODE_USED: Message("Somebody came in with an access code."),
    Event.CODE_DELETED: Message("An access code was deleted."),
    Event.MEMBER_ADDED: Message("Somebody became a member of a room."),
    Event.MEMBER_CHANGED: Message("A member's rights were changed."),
    Event.MEMBER_REMOVED: Message("Somebody is no longer a member."),
}

_NEEDS = {
    "room": Permission.ROOM_VIEW,
    "room.started": Permission.STATUS_VIEW,
    "room.ended": Permission.STATUS_VIEW,
    "participant": Permission.REPORTS_VIEW,
    "token": Permission.TOKENS_VIEW,
    "code": Permission.CODES_VIEW,
    "member": Permission.MEMBERS_VIEW,
}

EVENT_OF_ACTION = {event.value: event for event in Event} | {
    "room.trashed": Event.ROOM_DELETED,
    "room.restored": Event.ROOM_CREATED,
    "token.rotated": Event.TOKEN_CREATED,
    "token.reinstated": Event.TOKEN_CREATED,
    "code.restored": Event.CODE_CREATED,
    "member.restored": Event.MEMBER_ADDED,
}
"""Action of the audit → event. An action that is not in here is told to no webhook."""

TEST = "webhook.test"
"""The type of a test delivery. An endpoint gets it without having it among its events."""
