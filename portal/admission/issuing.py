"""Issuing room tokens (links). The answer says what was written, as plain values, without reading it again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal import vault
from portal.admission.models import LABEL_LENGTH, RoomToken
from portal.admission.secrets import new_token
from portal.audit.operations import record_event
from portal.clock import now
from portal.core_writes import insert_row
from portal.customers.creating import require_creating
from portal.errors import Invalid, Message
from portal.identifiers import new_id, new_uuid, ulid_of
from portal.people.actor import Actor
from portal.people.models import NAME_LENGTH
from portal.people.names import clean_name
from portal.permissions.rules import require_grantable_roles
from portal.rooms.models import Role
from portal.rooms.room_read import AnyRoom

MOST_USES = 1_000_000
_INSERT = sa.insert(RoomToken.__table__)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class IssuedLink:
    """A new link, which nobody has used. To change it, load the `RoomToken`."""

    uuid: UUID
    id: str
    created_at: datetime
    room_uuid: UUID
    role: Role
    label: str
    person: str
    not_before: datetime | None
    expires_at: datetime | None
    max_uses: int | None
    created_by_id: str
    token: str
    """The secret in plain text."""

    __tablename__ = RoomToken.__tablename__
    use_count = 0
    last_usage = None
    paused_at = None
    automatic = False

    @property
    def ulid(self) -> str:
        """The 128 bits of `uuid` in Crockford's base 32: 26 characters."""
        return ulid_of(self.uuid)

    @property
    def updated_at(self) -> datetime:
        """When it was last changed: when it was made."""
        return self.created_at


def issue_token(
    *,
    room: AnyRoom,
    role: Role,
    by: Actor,
    label: str = "",
    person: str = "",
    not_before: datetime | None = None,
    expires_at: datetime | None = None,
    max_uses: int | None = None,
) -> IssuedLink:
    """Issue a link. An end in the past is accepted and makes a link that does not work.

    Raises `Invalid`, `NotAllowed` for a role that `by` may not grant: only a moderator may grant that of a moderator;
    and `Conflict` if nothing new may be made for the customer.
    """
    require_grantable_roles(by, room, role)
    require_creating(room.customer_status)
    described = described_link(
        label=label, person=person, not_before=not_before, expires_at=expires_at, max_uses=max_uses
    )
    at, secret = now(), new_token()
    link = IssuedLink(
        uuid=new_uuid(),
        id=new_id(),
        created_at=at,
        room_uuid=room.uuid,
        role=role,
        created_by_id=by.user.id,
        token=secret,
        **described,
    )
    columns = {"uuid": link.uuid, "id": link.id, "created_at": at, "updated_at": at, "created_by_uuid": by.uuid}
    insert_row(_INSERT, {**columns, **described, **token_columns(secret), "room_uuid": room.uuid, "role": role})
    record_event("token.created", link, by=by, room=room.uuid, webhooks=room.webhooks, role=role.value)
    return link


def described_link(
    *,
    label: str,
    person: str,
    not_before: datetime | None,
    expires_at: datetime | None,
    max_uses: int | None,
) -> dict[str, Any]:
    """The columns that describe a link. Raises `Invalid`."""
    label = clean_name(label, field="label", longest=LABEL_LENGTH, required=False)
    person = clean_name(person, field="person", longest=NAME_LENGTH, required=False)
    if not_before is not None and expires_at is not None and expires_at <= not_before:
        raise Invalid(expires_at=Message("This is before the link starts to work."))
    if max_uses is not None and not 1 <= max_uses <= MOST_USES:
        raise Invalid(max_uses=Message("Use a whole number from 1 to %(largest)d.", largest=MOST_USES))
    return {
        "label": label,
        "person": person,
        "not_before": not_before,
        "expires_at": expires_at,
        "max_uses": max_uses,
    }


def token_columns(token: str) -> dict[str, str]:
    """The columns of a link that its token is stored in: as a keyed hash to find it by, and sealed to show it again."""
    return {
        "token_hash": vault.lookup_hash(token, purpose="room-token"),
        "token_sealed": vault.seal(token, purpose="room-token"),
    }
