"""Forms that were sent and acted upon, so that the same sending, come twice, acts once.

The unique key decides, not a look beforehand: of two at the same moment the second waits for the first
and then learns where that one led. Keys are hashed: the table tells nothing of what was sent.
"""

from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from portal import vault
from portal.clock import now
from portal.db import Base, session

KEPT = timedelta(days=1)
LED_TO_LENGTH = 500


class Sending(Base):
    """One sending that was acted upon, and the page to which that led."""

    __tablename__ = "sendings"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    led_to: Mapped[str] = mapped_column(sa.String(LED_TO_LENGTH))
    at: Mapped[datetime] = mapped_column(default=now, index=True)


def key_of(*parts: str) -> str:
    """The key of a sending: by whom, where, its one-time word, and what it said."""
    return vault.lookup_hash("\x1f".join(parts), purpose="sending")


def remember(key: str, led_to: str) -> bool:
    """Note within the transaction that has acted where it leads. False: another one has acted already."""
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    noted = session.execute(
        insert(Sending).values(key=key, led_to=led_to, at=now()).on_conflict_do_nothing().returning(Sending.key)
    )
    return noted.first() is not None


def led_to(key: str) -> str | None:
    """Where the sending led that was acted upon, if there was one."""
    return session.scalar(sa.select(Sending.led_to).where(Sending.key == key))


def forget_old() -> None:
    """Housekeeping: nobody sends yesterday's form again."""
    session.execute(sa.delete(Sending).where(Sending.at < now() - KEPT))
