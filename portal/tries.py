"""Counted tries: a guess is reserved before it is judged, so that racers get no extra guesses.

A bucket allows so many tries in a window; each window that was used up doubles the next one, up to a
factor of 32, and a quiet window brings it back. Keys are hashed: the table names nobody.
Reserve inside `db.apart()`, and hand back on success within the transaction that follows.
"""

import math
from dataclasses import dataclass
from typing import Any, Self

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from portal import vault
from portal.clock import now
from portal.db import Base, session
from portal.errors import Throttled

LONGEST_FACTOR = 32


class Tries(Base):
    """One bucket's count in its present window. `resets_at` is in seconds since 1970."""

    __tablename__ = "tries"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    used: Mapped[int]
    factor: Mapped[int]
    resets_at: Mapped[float] = mapped_column(sa.Double, index=True)


@dataclass(frozen=True)
class Bucket:
    """So many tries in so many seconds, for whatever `parts` name."""

    key: str
    limit: int
    window: int

    @classmethod
    def of(cls, *parts: object, limit: int, window: int) -> Self:
        """A bucket whose key can be recomputed but not read."""
        return cls(vault.lookup_hash("|".join(map(str, parts)), purpose="tries"), limit, window)


def reserve(*buckets: Bucket) -> None:
    """Take one try from each bucket, all or none. Raises `Throttled` with the longest wait."""
    at = now().timestamp()
    for bucket in sorted(buckets, key=lambda bucket: bucket.key):  # always the same order: no deadlock
        if not _take(bucket, at):
            resets_at = session.scalar(sa.select(Tries.resets_at).where(Tries.key == bucket.key)) or at
            raise Throttled(retry_after=max(1, math.ceil(resets_at - at)))


def hand_back(*buckets: Bucket) -> None:
    """The reserved try was a good one: it counts for nothing, and the delay stops growing."""
    for bucket in sorted(buckets, key=lambda bucket: bucket.key):
        session.execute(
            sa.update(Tries).where(Tries.key == bucket.key, Tries.used > 0).values(used=Tries.used - 1, factor=1)
        )


def forget_old() -> None:
    """Housekeeping: buckets whose last window ended a day ago say nothing any more."""
    session.execute(sa.delete(Tries).where(Tries.resets_at < now().timestamp() - 86_400))


def _take(bucket: Bucket, at: float) -> bool:
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    over = Tries.resets_at <= at
    factor = sa.case(
        (~over, Tries.factor),
        (Tries.used >= bucket.limit, sa.case((Tries.factor >= LONGEST_FACTOR, LONGEST_FACTOR), else_=Tries.factor * 2)),
        else_=1,
    )
    taken = session.execute(
        insert(Tries)
        .values(key=bucket.key, used=1, factor=1, resets_at=at + bucket.window)
        .on_conflict_do_update(
            index_elements=[Tries.key],
            set_={
                "used": sa.case((over, 1), else_=Tries.used + 1),
                "factor": factor,
                "resets_at": sa.case((over, at + bucket.window * factor), else_=Tries.resets_at),
            },
            where=sa.or_(over, Tries.used < bucket.limit),
        )
        .returning(Tries.used)
    )
    return taken.first() is not None
