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

RETENTION = timedelta(days=1)
REDIRECT_LENGTH = 500


class SubmittedForm(Base):
    """One sending that was acted upon, and the page to which that led."""

    __tablename__ = "submitted_forms"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    redirect: Mapped[str] = mapped_column(sa.String(REDIRECT_LENGTH))
    at: Mapped[datetime] = mapped_column(default=now, index=True)


def submission_key(*parts: str) -> str:
    """The key of a sending: by whom, where, its one-time word, and what it said."""
    return vault.lookup_hash("\x1f".join(parts), purpose="sending")


def record_submission(key: str, redirect: str) -> bool:
    """Note within the transaction that has acted where it leads. False: another one has acted already."""
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    noted = session.execute(
        insert(SubmittedForm)
        .values(key=key, redirect=redirect, at=now())
        .on_conflict_do_nothing()
        .returning(SubmittedForm.key)
    )
    return noted.first() is not None


def redirect_of(key: str) -> str | None:
    """Where the sending led that was acted upon, if there was one."""
    return session.scalar(sa.select(SubmittedForm.redirect).where(SubmittedForm.key == key))


def sweep_submissions() -> None:
    """Housekeeping: nobody sends yesterday's form again."""
    session.execute(sa.delete(SubmittedForm).where(SubmittedForm.at < now() - RETENTION))
