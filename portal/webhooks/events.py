"""The kinds of events that webhooks can be told of, and for each the permission it needs and the audit's actions."""

from enum import StrEnum

from portal.errors import Message
from portal.people.staff import StaffPermission
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
    RECORDING_READY = "recording.ready"
    VIDEO_READY = "video.ready"
    VIDEO_FAILED = "video.failed"
    VIDEO_DELETED = "video.deleted"
    CUSTOMER_CREATED = "customer.created"
    CUSTOMER_UPDATED = "customer.updated"
    CUSTOMER_DELETED = "customer.deleted"
    ACCOUNT_CREATED = "account.created"
    ACCOUNT_UPDATED = "account.updated"
    ACCOUNT_DELETED = "account.deleted"
    SUBSCRIPTION_CREATED = "subscription.created"
    SUBSCRIPTION_UPDATED = "subscription.updated"
    SUBSCRIPTION_RENEWED = "subscription.renewed"
    SUBSCRIPTION_CANCELED = "subscription.canceled"
    SUBSCRIPTION_ENDING = "subscription.ending"
    SUBSCRIPTION_ENDED = "subscription.ended"
    SUBSCRIPTION_DELETED = "subscription.deleted"

    @property
    def words(self) -> Message:
        """What happened, as a sentence for people."""
        return _SENTENCES[self]

    @property
    def needs(self) -> Permission | StaffPermission:
        """The permission to see what the event tells, which the endpoint's owner must have."""
        return _NEEDS.get(self.value) or _NEEDS[self.partition(".")[0]]

    @property
    def for_staff(self) -> bool:
        """Whether only endpoints of the portal itself, which staff keep, are told of it; else only those of rooms."""
        return isinstance(self.needs, StaffPermission)


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
    Event.RECORDING_READY: Message("A recording can be watched."),
    Event.VIDEO_READY: Message("A video can be watched, in all its qualities."),
    Event.VIDEO_FAILED: Message("A video could not be prepared."),
    Event.VIDEO_DELETED: Message("A video was deleted."),
    Event.CUSTOMER_CREATED: Message("A customer was taken on."),
    Event.CUSTOMER_UPDATED: Message("A customer was changed: its profile, its status or its owner."),
    Event.CUSTOMER_DELETED: Message("A customer was deleted, and its accounts, subscriptions and rooms with it."),
    Event.ACCOUNT_CREATED: Message("An account was made."),
    Event.ACCOUNT_UPDATED: Message("An account was changed: its name, status, owner or subscription."),
    Event.ACCOUNT_DELETED: Message("An account was deleted, and its rooms with it."),
    Event.SUBSCRIPTION_CREATED: Message("A package was sold."),
    Event.SUBSCRIPTION_UPDATED: Message(
        "A subscription was changed: its terms, its status, what it grants or its services."
    ),
    Event.SUBSCRIPTION_RENEWED: Message("A subscription was renewed."),
    Event.SUBSCRIPTION_CANCELED: Message("A subscription was canceled."),
    Event.SUBSCRIPTION_ENDING: Message("A subscription ends in 14 days, in 7 days, or tomorrow."),
    Event.SUBSCRIPTION_ENDED: Message("A subscription has ended."),
    Event.SUBSCRIPTION_DELETED: Message("A subscription was deleted, and its accounts and their rooms with it."),
}

_NEEDS: dict[str, Permission | StaffPermission] = {
    "room": Permission.ROOM_VIEW,
    "room.started": Permission.STATUS_VIEW,
    "room.ended": Permission.STATUS_VIEW,
    "participant": Permission.REPORTS_VIEW,
    "token": Permission.TOKENS_VIEW,
    "code": Permission.CODES_VIEW,
    "member": Permission.MEMBERS_VIEW,
    "recording": Permission.RECORDINGS_VIEW,
    "video": Permission.MEDIA_MANAGE,
    "customer": StaffPermission.CUSTOMERS_READ,
    "account": StaffPermission.ACCOUNTS_READ,
    "subscription": StaffPermission.SUBSCRIPTIONS_READ,
}

ROOM_EVENTS = tuple(event for event in Event if not event.for_staff)
"""The events that endpoints of a room, or of all rooms of a customer, can be told of."""
STAFF_EVENTS = tuple(event for event in Event if event.for_staff)
"""The events that endpoints of the portal itself can be told of."""

EVENT_OF_ACTION = {event.value: event for event in Event} | {
    "room.trashed": Event.ROOM_DELETED,
    "room.restored": Event.ROOM_CREATED,
    "token.rotated": Event.TOKEN_CREATED,
    "token.reinstated": Event.TOKEN_CREATED,
    "code.restored": Event.CODE_CREATED,
    "member.restored": Event.MEMBER_ADDED,
    **{
        f"customer.{entry}_{done}": Event.CUSTOMER_UPDATED
        for entry in ("address", "telephone", "document")
        for done in ("added", "changed", "removed")
    },
    "customer.status_changed": Event.CUSTOMER_UPDATED,
    "customer.transferred": Event.CUSTOMER_UPDATED,
    "account.moved": Event.ACCOUNT_UPDATED,
    "account.status_changed": Event.ACCOUNT_UPDATED,
    "account.transferred": Event.ACCOUNT_UPDATED,
    "subscription.feature_removed": Event.SUBSCRIPTION_UPDATED,
    "subscription.feature_set": Event.SUBSCRIPTION_UPDATED,
    "subscription.features_synced": Event.SUBSCRIPTION_UPDATED,
    "subscription.provider_added": Event.SUBSCRIPTION_UPDATED,
    "subscription.provider_changed": Event.SUBSCRIPTION_UPDATED,
    "subscription.provider_removed": Event.SUBSCRIPTION_UPDATED,
    "subscription.provider_switched": Event.SUBSCRIPTION_UPDATED,
    "subscription.resumed": Event.SUBSCRIPTION_UPDATED,
    "subscription.status_changed": Event.SUBSCRIPTION_UPDATED,
    "subscription.suspended": Event.SUBSCRIPTION_UPDATED,
    "subscription.terminated": Event.SUBSCRIPTION_UPDATED,
    "subscription.uncanceled": Event.SUBSCRIPTION_UPDATED,
}
"""Action of the audit → event. An action that is not in here is told to no webhook."""

TEST = "webhook.test"
"""The type of a test delivery. An endpoint gets it without having it among its events."""
