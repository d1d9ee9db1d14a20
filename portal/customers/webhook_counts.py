"""How many active webhooks a room's customer has, for who writes about a room that was read without its customer.

A statement that reads the room as columns notes the number for its transaction. So an event for which nobody listens
needs no query, though no `Customer` is loaded.
"""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from portal.db import session

_NOTED = "webhook_counts"


def note_webhooks(room_uuid: UUID, count: int) -> None:
    """Note for the rest of this transaction how many active webhooks the customer of this room has."""
    session.info.setdefault(_NOTED, {})[room_uuid] = count


def noted_webhooks(room_uuid: UUID) -> int | None:
    """The number that was noted in this transaction; None if none was."""
    noted: dict[UUID, int] = session.info.get(_NOTED, {})
    return noted.get(room_uuid)


@sa.event.listens_for(session, "after_commit")
@sa.event.listens_for(session, "after_rollback")
def _forget(ended: Session) -> None:
    ended.info.pop(_NOTED, None)
