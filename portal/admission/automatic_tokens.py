"""Automatic tokens: the guest link that a device gets by itself on entering a public room."""

from datetime import datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from portal.admission.issuing import token_columns
from portal.admission.models import RoomToken
from portal.admission.secrets import new_token
from portal.clock import now
from portal.db import session
from portal.identifiers import new_id, new_uuid
from portal.rooms.models import Role
from portal.rooms.protocols import RoomLike
from portal.status.models import Participation

AUTOMATIC_LIFE = timedelta(hours=24)


def automatic_token(room: RoomLike, device: str, *, at: datetime, uses: int) -> RoomToken:
    """The automatic guest link of this device in a public room, which is created if there is none.

    Sets its last_usage to `at`, adds `uses` to its use_count, and lets it expire 24 hours after `at`.
    """
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    row = dict(
        uuid=new_uuid(),
        id=new_id(),
        room_uuid=room.uuid,
        role=Role.GUEST,
        label="",
        person="",
        use_count=uses,
        last_usage=at,
        automatic=True,
        device=device,
        created_at=at,
        updated_at=at,
        expires_at=at + AUTOMATIC_LIFE,
        **token_columns(new_token()),
    )
    used = {"expires_at": row["expires_at"], "last_usage": at, "use_count": RoomToken.use_count + uses}
    made = (
        insert(RoomToken)
        .values(row)
        .on_conflict_do_update(index_elements=["room_uuid", "device"], set_=used)
        .returning(RoomToken)
    )
    return session.scalars(made, execution_options={"populate_existing": True}).one()


def sweep_automatic() -> int:
    """Housekeeping: delete expired automatic links. Returns how many.

    Revoked and paused ones stay, because they keep somebody out; and so do those by which somebody is in.
    """
    inside = sa.exists().where(Participation.token_uuid == RoomToken.uuid, Participation.left_at.is_(None))
    swept = session.execute(
        sa.delete(RoomToken)
        .where(
            ~inside,
            RoomToken.automatic.is_(True),
            RoomToken.revoked_at.is_(None),
            RoomToken.paused_at.is_(None),
            RoomToken.expires_at < now(),
        )
        .returning(RoomToken.uuid)
    )
    return len(swept.all())
