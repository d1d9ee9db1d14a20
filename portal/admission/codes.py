"""Access codes: made, changed and deleted. They are visible to the room's people and not secrets of the vault."""

from datetime import datetime

from sqlalchemy.exc import IntegrityError

from portal.admission.models import LABEL_LENGTH, AccessCode
from portal.admission.secrets import checked_code, new_code, normal_code
from portal.audit.operations import note
from portal.db import session
from portal.errors import Invalid, Message
from portal.people.models import User
from portal.people.names import readable
from portal.rooms.models import Role, Room


def create_code(
    *,
    room: Room,
    role: Role,
    by: User,
    code: str = "",
    label: str = "",
    expires_at: datetime | None = None,
) -> AccessCode:
    """A code for links of `role`; generated when none is given. Raises `Invalid` on `code` or `label`."""
    made = AccessCode(room=room, role=role, created_by=by, use_count=0)
    _describe(made, code or new_code(), label, expires_at)
    _store(made)
    note("code.created", made, by=by.uuid, room=room.uuid, role=role.value)
    return made


def change_code(
    changed: AccessCode, *, by: User, role: Role, code: str, label: str, expires_at: datetime | None
) -> None:
    """Change a code. Raises `Invalid` on `code` or `label`."""
    changed.role = role
    _describe(changed, code, label, expires_at)
    _store(changed)
    note("code.changed", changed, by=by.uuid, room=changed.room_uuid)


def delete_code(deleted: AccessCode, *, by: User) -> None:
    """Delete a code. When it was the role's last, links of that role need none any more."""
    session.delete(deleted)
    session.flush()
    note("code.deleted", deleted, by=by.uuid, room=deleted.room_uuid)


def _describe(code: AccessCode, text: str, label: str, expires_at: datetime | None) -> None:
    code.code = checked_code(text)
    code.normal = normal_code(code.code)
    code.label = readable(label, field="label", longest=LABEL_LENGTH, required=False)
    code.expires_at = expires_at


def _store(code: AccessCode) -> None:
    try:
        with session.begin_nested():
            session.add(code)
    except IntegrityError:
        raise Invalid(
            code=Message("This room has this code already; capitals, spaces and hyphens do not count.")
        ) from None
