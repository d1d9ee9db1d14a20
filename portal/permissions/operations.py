"""Adding, changing, removing and restoring the members of a room.

Nobody grants or withdraws a permission that he lacks, nor changes his own.
"""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import contains_eager, joinedload

from portal.audit.changes import changes_since, differences, values_of
from portal.audit.operations import record_event
from portal.channels import channels
from portal.customers.creating import lock_for_creating
from portal.db import lock, on_commit, session
from portal.errors import Conflict, Invalid, Message, NotAllowed, NotFound
from portal.identifiers import matches_identifier
from portal.people.actor import Actor
from portal.people.memberships import GRANTED
from portal.people.models import User
from portal.people.operations import find_by_email
from portal.permissions.colleagues import find_colleague, no_colleague
from portal.permissions.first_passwords import end_link_of_member
from portal.permissions.members import RoomMember
from portal.permissions.permission import Permission
from portal.permissions.rules import can, require_end_within
from portal.rooms.models import Room
from portal.undo import undo_payload, undo_token

_UNDO_PURPOSE = "removed-member"


def members_of(room: Room) -> list[RoomMember]:
    """All members of the room with their users, sorted by name."""
    query = sa.select(RoomMember).join(RoomMember.user).where(RoomMember.room_uuid == room.uuid)
    return list(session.scalars(query.options(joinedload(RoomMember.user)).order_by(User.name, User.uuid)).unique())


def find_member(room: Room, member_id: str) -> RoomMember:
    """The member of this room with this id. Raises `NotFound`, also for a member of another room."""
    member = session.scalar(
        sa.select(RoomMember)
        .where(RoomMember.room_uuid == room.uuid, RoomMember.id == member_id)
        .options(joinedload(RoomMember.user))
    )
    if member is None:
        raise NotFound
    return member


def find_member_of_user(room: Room, user_id: str) -> RoomMember:
    """The member of this room who is the user with this id, uuid or ulid. Raises `NotFound`."""
    member = session.scalar(
        sa.select(RoomMember)
        .join(RoomMember.user)
        .where(RoomMember.room_uuid == room.uuid, matches_identifier(User, user_id))
        .options(contains_eager(RoomMember.user))
    )
    if member is None:
        raise NotFound
    return member


def add_member(
    *,
    room: Room,
    permissions: Collection[Permission],
    by: Actor | None,
    email: str | None = None,
    user_id: str | None = None,
    until: datetime | None = None,
) -> RoomMember:
    """Make somebody of the same customer a member, named by `email` or by `user_id`.

    `by` is None for the portal itself, which may add anybody whom it names by e-mail. Raises `Invalid` on the one by
    which he is named, with one answer for all who do not belong to the customer, or on `until` if that is later than
    the rights of `by` end; `NotAllowed`; or `Conflict` if nothing new may be made for the customer.
    """
    lock_for_creating(room.customer)
    named = "email" if user_id is None else "user_id"
    user = find_by_email(email or "") if by is None else find_colleague(room.customer, email=email, user_id=user_id)
    if user is None:
        raise Invalid(**{named: no_colleague(room.customer, named=named)})
    if user.uuid == room.owner_uuid:
        raise Invalid(**{named: Message("%(name)s owns this room and may do everything.", name=user.name)})
    if by is not None:
        if user.uuid == by.uuid:
            raise Invalid(**{named: Message("You cannot grant rights to yourself.")})
        _require_grantable(by, room, permissions)
        require_end_within(by, room, {*permissions, Permission.ROOM_VIEW}, until)
    member = RoomMember(room=room, user=user, permissions=_with_view(permissions), until=until)
    try:
        with session.begin_nested():
            session.add(member)
    except IntegrityError:
        raise Invalid(
            **{named: Message("%(name)s is a member already: change the rights in the list.", name=user.name)}
        ) from None
    end_link_of_member(user, room.customer, by=by)
    granted = differences({}, values_of(member, GRANTED))
    record_event("member.added", member, by=by, room=room.uuid, changes=granted)
    _nudge_member(user.uuid, room)
    return member


def change_member(
    member: RoomMember,
    *,
    room: Room,
    permissions: Collection[Permission],
    by: Actor,
    until: datetime | None = None,
) -> None:
    """Replace the member's permissions and their end.

    Raises `NotAllowed` if that grants or withdraws a permission that `by` lacks, where another end counts as
    withdrawing all, and for a change of one's own; `Invalid` on `until` if what it grants would outlive the rights of
    `by`; and `NotFound`.
    """
    lock(member)
    if member.user_uuid == by.uuid:
        raise NotAllowed(Message("You cannot change your own rights."))
    stored = values_of(member, GRANTED)
    before = {Permission(word) for word in member.permissions if word in set(Permission)}
    changed = before.symmetric_difference(permissions) if until == member.until else before.union(permissions)
    _require_grantable(by, room, changed)
    longer = member.until is not None and (until is None or until > member.until)
    require_end_within(by, room, {*permissions, Permission.ROOM_VIEW} if longer else {*permissions} - before, until)
    if longer or not {*permissions} <= before:
        end_link_of_member(member.user, room.customer, by=by)
    member.permissions, member.until = _with_view(permissions), until
    session.flush()
    record_event("member.changed", member, by=by, room=room.uuid, changes=changes_since(stored, member))
    _nudge_member(member.user_uuid, room)


def remove_member(member: RoomMember, *, room: Room, by: Actor) -> str:
    """End the membership, and with it the person's admissions and event streams.

    Returns an undo token for `restore_member`. Raises `NotAllowed` for oneself and for a member with a permission
    that `by` lacks, and `NotFound`.
    """
    lock(member)
    if member.user_uuid == by.uuid:
        raise NotAllowed(Message("You cannot remove yourself. Ask the owner of the room."))
    if not may_remove(by, room, member):
        raise NotAllowed(Message("You cannot remove somebody who has rights that you do not have yourself."))
    kept = undo_token(
        _UNDO_PURPOSE,
        room=str(room.uuid),
        user=str(member.user_uuid),
        permissions=list(member.permissions),
        until=member.until.isoformat() if member.until else None,
    )
    name, granted = member.user.name, differences(values_of(member, GRANTED), {})
    session.delete(member)
    session.flush()
    record_event("member.removed", member, by=by, room=room.uuid, name=name, changes=granted)
    _nudge_member(member.user_uuid, room)
    return kept


def restore_member(*, room: Room, kept: str, by: Actor) -> RoomMember:
    """Restore a removed member with the same permissions. `kept` is the undo token that `remove_member` returned.

    Raises `Conflict` after ten minutes or if the person is a member again, and `NotAllowed` if `by` may not grant them.
    """
    payload = undo_payload(_UNDO_PURPOSE, kept)
    user = session.get(User, UUID(payload["user"])) if payload and payload["room"] == str(room.uuid) else None
    if payload is None or user is None:
        raise Conflict(Message("This was too long ago to be undone. Add the person again."))
    permissions = [Permission(word) for word in payload["permissions"] if word in set(Permission)]
    _require_grantable(by, room, permissions)
    member = RoomMember(room=room, user=user, permissions=_with_view(permissions))
    member.until = datetime.fromisoformat(payload["until"]) if payload["until"] else None
    try:
        with session.begin_nested():
            session.add(member)
    except IntegrityError:
        raise Conflict(Message("%(name)s is a member already.", name=user.name)) from None
    end_link_of_member(user, room.customer, by=by)
    granted = differences({}, values_of(member, GRANTED))
    record_event("member.restored", member, by=by, room=room.uuid, changes=granted)
    _nudge_member(user.uuid, room)
    return member


def may_remove(by: Actor, room: Room, member: RoomMember) -> bool:
    """Whether `by` may remove the member: only if he holds all of the member's permissions himself."""
    held = {Permission(word) for word in member.permissions if word in set(Permission)}
    return all(can(by, permission, room) for permission in held)


def _require_grantable(by: Actor, room: Room, permissions: Collection[Permission]) -> None:
    lacking = [permission for permission in permissions if not can(by, permission, room)]
    if lacking:
        raise NotAllowed(
            Message("You cannot grant “%(right)s”, because you do not have it yourself.", right=lacking[0].label)
        )


def _with_view(permissions: Collection[Permission]) -> list[str]:
    """The permissions to store: every member may see the room."""
    return sorted({*permissions, Permission.ROOM_VIEW})


def _nudge_member(user_uuid: UUID, room: Room) -> None:
    topics = [f"user:{user_uuid}", f"room:{room.uuid}"]
    word = room.id
    on_commit(lambda: channels().nudge(*topics, word=word))
