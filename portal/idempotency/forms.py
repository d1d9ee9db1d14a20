"""Submitted forms, so that a form that a browser sends twice acts once.

A unique key decides, not a query before: of two submissions at the same time the second waits for the first,
and then learns where that one redirected to. Keys are hashed, so the table tells nothing of what was sent.
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
    """One submission of a form that was acted upon, and the address to which it redirected."""

    __tablename__ = "submitted_forms"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    redirect: Mapped[str] = mapped_column(sa.String(REDIRECT_LENGTH))
    at: Mapped[datetime] = mapped_column(default=now, index=True)


def submission_key(*parts: str) -> str:
    """The key of a submission: the hash of who sent it, where to, its nonce and its contents."""
    return vault.lookup_hash("\x1f".join(parts), purpose="sending")


def record_submission(key: str, redirect: str) -> bool:
    """Record where the submission redirects to, in the transaction that acts on it.

    Returns False if another submission with this key has acted already; then this one must not.
    """
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    inserted = session.execute(
        insert(SubmittedForm)
        .values(key=key, redirect=redirect, at=now())
        .on_conflict_do_nothing()
        .returning(SubmittedForm.key)
    )
    return inserted.first() is not None


def redirect_of(key: str) -> str | None:
    """The address to which the submission with this key redirected; None if none has acted."""
    return session.scalar(sa.select(SubmittedForm.redirect).where(SubmittedForm.key == key))


def sweep_submissions() -> None:
    """Housekeeping: delete submissions that are older than a day."""
    session.execute(sa.delete(SubmittedForm).where(SubmittedForm.at < now() - RETENTION))
