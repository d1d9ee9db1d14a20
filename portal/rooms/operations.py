"""Creating rooms, changing them, and moving them to the trash and back."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Required, TypedDict, Unpack

import sqlalchemy as sa

from portal.accounts.models import Account, AccountStatus
from portal.accounts.room_account import RoomAccount, lock_plan, room_account
from portal.audit.changes import Changes, differences, json_value
from portal.audit.operations import record_event
from portal.channels import channels
from portal.clock import now
from portal.core_writes import insert_row, parameters, update_columns, update_row
from portal.customers.creating import require_creating
from portal.db import on_commit, read
from portal.errors import Conflict, Invalid, Message
from portal.identifiers import new_id, new_uuid
from portal.metadata import checked_metadata
from portal.people.actor import Actor
from portal.people.names import clean_name
from portal.rooms.contradictions import Choices, RoomBasis, refuse_contradictions
from portal.rooms.features import merged_features
from portal.rooms.images import follow_images
from portal.rooms.models import ROOM_NAME_LENGTH, Room, RoomStatusWord, name_columns
from portal.rooms.protocols import RoomColumns
from portal.rooms.room_read import EditableRoom, RoomRead
from portal.rooms.settings import declared, merged_settings
from portal.rooms.slugs import checked_slug, slug_of
from portal.subscriptions.models import is_active
from portal.subscriptions.provider_models import ServiceType

CHANGED_MEANWHILE = Message("This account was changed a moment ago. Try again.")
_ROOMS: Any = Room.__table__
_COLUMNS = (
    "uuid", "id", "created_at", "updated_at", "customer_uuid", "account_uuid", "subscription_uuid", "owner_uuid",
    "status", "is_public", "room_type", "slug", "room_features", "room_settings", "room_metadata",
    *name_columns(""),
)  # fmt: skip
_AUDITED = ("room_name", "slug", "is_public", "status", "room_metadata")
"""The columns of which lines of the audit tell what they were before and after, besides settings and features."""
_PARAMETERS = parameters(_ROOMS, *_COLUMNS)
_INSERT = sa.insert(_ROOMS).from_select(
    _COLUMNS,
    sa.select(*_PARAMETERS.values())
    .select_from(Account)
    .where(
        Account.uuid == _PARAMETERS["account_uuid"],
        Account.subscription_uuid == _PARAMETERS["subscription_uuid"],
        Account.owner_uuid == _PARAMETERS["owner_uuid"],
        Account.status == AccountStatus.ACTIVE,
    )
    .with_for_update(read=True, of=Account),
)
"""Inserts a room if its account is active and still has the subscription and the owner that the room gets.

Whoever moves the account, hands it over or ends its customer has its row locked, so he is waited for here, or waits
until the room is there, and takes it along. So no room stays with a plan that its account has left, nor with an owner
who was deleted meanwhile: nobody is deleted who owns an account. None is made for a customer that was terminated
meanwhile: its accounts have become inactive.
"""


class NewRoomFields(TypedDict, total=False):
    """What can be said of a room when it is made. The name is required; the rest has defaults."""

    room_name: Required[str]
    room_type: ServiceType | None
    slug: str | None
    is_public: bool
    status: RoomStatusWord
    settings: Mapping[str, Any] | None
    features: Mapping[str, Any] | None
    metadata: object


def create_room(*, account: RoomAccount, by: Actor, **fields: Unpack[NewRoomFields]) -> RoomRead:
    """Create a room in the account, owned by the account's owner. Raises `Invalid`, or `Conflict` (quota, plan,
    or another plan or owner of the account since that was read).

    The type follows from the account's subscription. A `room_type` that differs from it is `Invalid`.
    """
    name = clean_name(fields["room_name"], field="room_name", longest=ROOM_NAME_LENGTH)
    slug, room_type, metadata = fields.get("slug"), fields.get("room_type"), fields.get("metadata")
    _require_room_left(account)
    if room_type not in {None, account.service_type}:
        raise Invalid(
            room_type=Message(
                "Rooms of this account are of type %(type)s: it follows from the subscription.",
                type=account.service_type.value,
            )
        )
    at = now()
    columns: dict[str, Any] = {
        "uuid": new_uuid(),
        "id": new_id(),
        "created_at": at,
        "updated_at": at,
        "customer_uuid": account.customer_uuid,
        "account_uuid": account.uuid,
        "subscription_uuid": account.subscription_uuid,
        "owner_uuid": account.owner_uuid,
        "status": fields.get("status", RoomStatusWord.ACTIVE),
        "is_public": fields.get("is_public", False),
        "room_type": account.service_type,
        "slug": checked_slug(slug) if slug else slug_of(name),
        "room_features": merged_features({}, fields.get("features") or {}),
        "room_settings": merged_settings(
            {}, fields.get("settings") or {}, declared=declared(account.service_type, account.provider_type)
        ),
        "room_metadata": checked_metadata({} if metadata is None else metadata, field="room_metadata"),
    }
    refuse_contradictions(
        RoomBasis(account.service_type, account.provider_type, account.subscription_uuid),
        before=Choices({}, {}),
        after=Choices(columns["room_settings"], columns["room_features"]),
    )
    if not insert_row(_INSERT, {**columns, **name_columns(name)}):
        raise Conflict(CHANGED_MEANWHILE)
    follow_images(columns["uuid"], columns["room_settings"], sent=columns["room_settings"])
    room = RoomRead(
        **columns,
        room_name=name,
        customer_id=account.customer_id,
        customer_status=account.customer_status,
        customer_owner_uuid=account.customer_owner_uuid,
        account_id=account.id,
        account_owner_uuid=account.owner_uuid,
        subscription_id=account.subscription_id,
        owner_id=account.owner_id,
        owner_name=account.owner_name,
        webhooks=account.webhooks,
    )
    record_event("room.created", room, by=by, room=room.uuid, webhooks=room.webhooks)
    return room


class RoomChanges(TypedDict, total=False):
    """The arguments of a change of a room. What is left out or None stays as it is."""

    room_name: str | None
    slug: str | None
    is_public: bool | None
    status: RoomStatusWord | None
    settings: Mapping[str, Any] | None
    features: Mapping[str, Any] | None
    metadata: object


def describe_room(room: EditableRoom, *, by: Actor, **changes: Unpack[RoomChanges]) -> EditableRoom:
    """Change what is given: settings and features key by key (None removes one), metadata as a whole.

    Returns the room as it is then. It was read under its lock: of two who merge at once, the second merges into the
    first's.

    A new name makes a new slug only while the slug still follows the name. Raises `Invalid`. Does nothing about
    people inside: entrances call `status.room_lifecycle.change_room`, which also ends the run of a room made
    inactive.
    """
    _refuse_unknown(changes)
    written = update_columns(Room, room, _changed_columns(room, changes))
    changed = replace(room, **{name: value for name, value in written.items() if hasattr(room, name)})
    follow_images(room.uuid, changed.room_settings, sent=changes.get("settings") or ())
    told = _told(room, written)
    record_event("room.updated", changed, by=by, room=room.uuid, webhooks=room.webhooks, changes=told)
    nudge_watchers(room)
    return changed


def _told(room: EditableRoom, written: Mapping[str, Any]) -> Changes:
    """What the audit tells of a change: fields before and after, settings and features one by one."""
    told = differences(
        {name: json_value(getattr(room, name)) for name in _AUDITED if name in written},
        {name: json_value(written[name]) for name in _AUDITED if name in written},
    )
    for name in ("room_settings", "room_features"):
        if name in written:
            told |= differences(getattr(room, name), written[name])
    return told


def _changed_columns(room: EditableRoom, changes: RoomChanges) -> dict[str, Any]:
    """The columns of the room as they are after these changes. Raises `Invalid`."""
    columns: dict[str, Any] = {}
    slug, name = changes.get("slug"), room.room_name
    if (room_name := changes.get("room_name")) is not None:
        name = clean_name(room_name, field="room_name", longest=ROOM_NAME_LENGTH)
        if slug in {None, room.slug} and room.slug == slug_of(room.room_name):
            slug = slug_of(name)
        columns |= name_columns(name) if name != room.room_name else {}
    if slug is not None and slug != room.slug:
        columns["slug"] = checked_slug(slug) if slug else slug_of(name)
    if (is_public := changes.get("is_public")) is not None:
        columns["is_public"] = is_public
    if (status := changes.get("status")) is not None:
        columns["status"] = status
    if (settings := changes.get("settings")) is not None:
        columns["room_settings"] = merged_settings(
            room.room_settings, settings, declared=declared(room.room_type, room.provider_type)
        )
    if (features := changes.get("features")) is not None:
        columns["room_features"] = merged_features(room.room_features, features)
    refuse_contradictions(
        RoomBasis(room.room_type, room.provider_type, room.subscription_uuid),
        before=Choices(room.room_settings, room.room_features),
        after=Choices(
            columns.get("room_settings", room.room_settings), columns.get("room_features", room.room_features)
        ),
    )
    if (metadata := changes.get("metadata")) is not None:
        columns["room_metadata"] = checked_metadata(metadata, field="room_metadata")
    return columns


def _refuse_unknown(changes: RoomChanges) -> None:
    """Raise `TypeError` for a key that is no `RoomChanges`, which mypy cannot see if the keys come from a request."""
    if unknown := changes.keys() - RoomChanges.__annotations__.keys():
        raise TypeError(f"nothing of a room is called {', '.join(sorted(unknown))}")


def trash_room(room: Room, *, by: Actor) -> None:
    """Move the room to the trash: nobody finds or enters it.

    Does nothing about people inside: entrances call `status.room_lifecycle.delete_room`, which also ends the run.
    """
    update_row(room, trashed_at=now())
    record_event("room.trashed", room, by=by, room=room.uuid)
    nudge_watchers(room)


def take_from_trash(room: Room, *, by: Actor) -> None:
    """Take the room out of the trash. Raises `Conflict` if the plan allows no further room.

    Judges no storage: entrances call `status.room_lifecycle.restore_room`, which does.
    """
    if room.trashed_at is None:
        return
    _require_room_left(room_account(room.account_uuid))
    update_row(room, trashed_at=None)
    record_event("room.restored", room, by=by, room=room.uuid)


def _require_room_left(account: RoomAccount) -> None:
    """Raise `Conflict` if nothing new may be made in the account, or its plan allows no further room.

    A limit is judged under a lock, so that of two who make a room at once the second counts the first's.
    """
    require_creating(account.customer_status)
    if account.account_status is not AccountStatus.ACTIVE:
        raise Conflict(Message("This account is inactive: nothing new is made in it. Ask whoever runs this portal."))
    plan = lock_plan(account)
    if plan is None:
        raise Conflict(CHANGED_MEANWHILE)
    if not is_active(plan.term, now()):
        raise Conflict(Message("The account's subscription has ended, or has not begun. Ask whoever runs this portal."))
    most = plan.most_rooms
    if most is None:
        return
    count = read(_COUNT, {"subscription": account.subscription_uuid}).scalar()
    if (count or 0) >= most:
        raise Conflict(
            Message.plural(
                "The one room of this plan is in use. Delete it first, or ask for more.",
                "All %(n)d rooms of this plan are in use. Delete one first, or ask for more.",
                n=most,
            )
        )


_COUNT = (
    sa.select(sa.func.count())
    .select_from(Room)
    .where(Room.subscription_uuid == sa.bindparam("subscription", type_=sa.Uuid()), Room.trashed_at.is_(None))
)


def nudge_watchers(room: RoomColumns) -> None:
    """Nudge, after the commit, everybody who watches this room: whoever is in, and the pages that show it."""
    topics, word = room_topics(room), room.id
    on_commit(lambda: channels().nudge(*topics, word=word))


def room_topics(room: RoomColumns) -> list[str]:
    """The topics to nudge when something about this room changed: its own, and those of all above it."""
    return [
        f"room:{room.uuid}",
        f"owner:{room.owner_uuid}",
        f"account:{room.account_uuid}",
        f"customer:{room.customer_uuid}",
        "rooms",
    ]
