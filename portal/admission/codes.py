"""Creating, changing, deleting and restoring access codes.

Whoever may see a room's codes can read them, so they are stored as they are and not sealed.
"""

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.admission.links import CodeLike
from portal.admission.models import LABEL_LENGTH, AccessCode
from portal.admission.secrets import checked_code, new_code, normal_code
from portal.audit.changes import changes_since, values_of
from portal.audit.operations import record_event
from portal.core_writes import Write
from portal.customers.creating import require_creating
from portal.db import lock, session
from portal.errors import Conflict, Invalid, Message
from portal.people.actor import Actor
from portal.people.names import clean_name
from portal.permissions.rules import require_grantable_roles
from portal.rooms.models import Role, Room
from portal.status.locking import lock_room
from portal.status.models import Participation
from portal.undo import undo_payload, undo_token

_UNDO_PURPOSE = "deleted-code"


def create_code(
    *,
    room: Room,
    role: Role,
    by: Actor,
    code: str = "",
    label: str = "",
    expires_at: datetime | None = None,
) -> AccessCode:
    """Create a code for links of `role`. Without `code` one is generated.

    Raises `Invalid` on `code` or `label`; `NotAllowed` for a role that `by` may not grant: only a moderator may grant
    the role of a moderator; and `Conflict` if nothing new may be made for the customer.
    """
    require_grantable_roles(by, room, role)
    require_creating(room.customer_status)
    created = AccessCode(room=room, role=role, created_by_uuid=by.uuid, use_count=0)
    _describe(created, code or new_code(), label, expires_at)
    _store(created)
    record_event("code.created", created, by=by, room=room.uuid, role=role.value)
    return created


def change_code(
    changed: AccessCode, *, room: Room, by: Actor, role: Role, code: str, label: str, expires_at: datetime | None
) -> None:
    """Change a code.

    Raises `Invalid` on `code` or `label`, `NotAllowed` if `by` may not grant its old or new role, and `NotFound`.
    """
    lock_code(changed)
    require_grantable_roles(by, room, changed.role, role)
    told = values_of(changed, ("role", "label", "expires_at"))
    changed.role, before = role, changed.normal
    _describe(changed, code, label, expires_at)
    _store(changed)
    if changed.normal != before:
        forget_typed_code(changed)
    record_event("code.changed", changed, by=by, room=changed.room_uuid, changes=changes_since(told, changed))


def delete_code(deleted: AccessCode, *, room: Room, by: Actor) -> str:
    """Delete a code. If it was the last one of its role, links of that role need none any more.

    Returns an undo token for `restore_code`. Raises `NotAllowed` if `by` may not grant its role, and `NotFound`.
    """
    lock_code(deleted)
    require_grantable_roles(by, room, deleted.role)
    moments = {name: getattr(deleted, name) for name in ("expires_at", "last_usage")}
    kept = undo_token(
        _UNDO_PURPOSE,
        room=str(deleted.room_uuid),
        by=str(deleted.created_by_uuid) if deleted.created_by_uuid else None,
        id=deleted.id,
        role=deleted.role.value,
        code=deleted.code,
        label=deleted.label,
        use_count=deleted.use_count,
        **{name: moment.isoformat() if moment else None for name, moment in moments.items()},
    )
    session.delete(deleted)
    session.flush()
    named: dict[str, Any] = {"name": deleted.label} if deleted.label else {}
    record_event("code.deleted", deleted, by=by, room=deleted.room_uuid, **named)
    return kept


def restore_code(*, room: Room, kept: str, by: Actor) -> AccessCode:
    """Restore a deleted code as it was. `kept` is the undo token that `delete_code` returned.

    Raises `Conflict` after ten minutes or if the room has such a code again, and `NotAllowed` if `by` may not grant
    its role.
    """
    payload = undo_payload(_UNDO_PURPOSE, kept)
    if payload is None or payload["room"] != str(room.uuid):
        raise Conflict(Message("This was deleted too long ago to be undone. Make a new code."))
    require_grantable_roles(by, room, Role(payload["role"]))
    code = AccessCode(
        id=payload["id"],
        room_uuid=room.uuid,
        role=Role(payload["role"]),
        code=payload["code"],
        normal=normal_code(payload["code"]),
        label=payload["label"],
        use_count=payload["use_count"],
        expires_at=datetime.fromisoformat(payload["expires_at"]) if payload["expires_at"] else None,
        last_usage=datetime.fromisoformat(payload["last_usage"]) if payload["last_usage"] else None,
        created_by_uuid=UUID(payload["by"]) if payload["by"] else None,
    )
    try:
        with session.begin_nested():
            session.add(code)
    except IntegrityError:
        raise Conflict(Message("The room has this code already.")) from None
    record_event("code.restored", code, by=by, room=room.uuid)
    return code


def lock_code(code: AccessCode) -> None:
    """Lock the room and then the code, and reload the code. Raises `NotFound`.

    Everything locks in this order, so that there is no deadlock.
    """
    lock_room(code.room_uuid)
    lock(code)


def forget_typed_code(code: AccessCode) -> None:
    """Let nobody come back by what he typed before the code was changed."""
    session.execute(
        sa.update(Participation)
        .where(Participation.room_uuid == code.room_uuid, Participation.access_code_uuid == code.uuid)
        .values(access_code_uuid=None)
    )


_CODES: Any = AccessCode.__table__
_USE = (
    sa.update(_CODES)
    .where(_CODES.c.uuid == sa.bindparam("used_code"))
    .values(
        use_count=_CODES.c.use_count + sa.bindparam("uses"),
        last_usage=sa.bindparam("at"),
        updated_at=sa.bindparam("updated_at"),
    )
)


def use_of_code(used: CodeLike, at: datetime, *, uses: int) -> Write:
    """The use of a code that was read under the room's lock: its last_usage becomes `at`, and `uses` are added."""
    return Write(_USE, {"used_code": used.uuid, "at": at, "updated_at": at, "uses": uses})


def _describe(code: AccessCode, text: str, label: str, expires_at: datetime | None) -> None:
    code.code = checked_code(text)
    code.normal = normal_code(code.code)
    code.label = clean_name(label, field="label", longest=LABEL_LENGTH, required=False)
    code.expires_at = expires_at


def _store(code: AccessCode) -> None:
    try:
        with session.begin_nested():
            session.add(code)
    except IntegrityError:
        raise Invalid(
            code=Message("This room has this code already; capitals, spaces and hyphens do not count.")
        ) from None
