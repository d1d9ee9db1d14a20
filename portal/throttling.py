"""Limits on tries (passwords, codes, new links), counted in the database by bucket and window of time.

A bucket allows `limit` tries in `window` seconds. Each used-up window of a bucket that grows doubles the
next one, up to a factor of 32; a window that was not used up halves it again. Keys are hashed, so the table names
nobody. Racers must get no extra guesses, so a try is counted before it is judged: `reserve` inside
`db.committed_step()`, and `release` on success. Where a row lock already makes the tries come one after the
other, read a `RetryAfterColumn` first, and `reserve` only for a try that was wrong.
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


class ThrottleBucket(Base):
    """The number of tries in a bucket's present window, which ends at `resets_at` (seconds since 1970)."""

    __tablename__ = "throttle_buckets"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    used: Mapped[int]
    factor: Mapped[int]
    resets_at: Mapped[float] = mapped_column(sa.Double, index=True)


@dataclass(frozen=True)
class Bucket:
    """A limit: at most `limit` tries in `window` seconds. `grows`: windows get longer after one was used up."""

    key: str
    limit: int
    window: int
    grows: bool = True

    @classmethod
    def of(cls, *parts: object, limit: int, window: int, grows: bool = True) -> Self:
        """The bucket of whatever `parts` name together. Its key is their hash.

        A network among them is one of `portal.networks`, so that it is the same whatever port or IPv6 address is used.
        """
        return cls(vault.lookup_hash("|".join(map(str, parts)), purpose="tries"), limit, window, grows)


def reserve(*buckets: Bucket) -> None:
    """Take one try from each bucket, all or none. Raises `Throttled` with the longest wait."""
    at = now().timestamp()
    if len(session.execute(_reserving(buckets, at)).all()) < len(buckets):
        retry_after = RetryAfterColumn("any", len(buckets))
        resets_at = session.scalar(sa.select(retry_after.column), retry_after.params(*buckets))
        raise Throttled(retry_after=seconds_until(resets_at))


def release(*buckets: Bucket) -> None:
    """Uncount one reserved try in each bucket, because it succeeded.

    A window that has grown stays as long: a bucket may be shared, and one visitor's success says nothing about
    another.
    """
    if not buckets:
        return
    keys = [bucket.key for bucket in buckets]
    session.execute(
        sa.update(ThrottleBucket)
        .where(ThrottleBucket.key.in_(keys), ThrottleBucket.used > 0)
        .values(used=ThrottleBucket.used - 1)
    )


@dataclass(frozen=True)
class RetryAfterColumn:
    """A subquery that tells when a try is possible again, to be built once into a larger statement.

    It looks at `buckets` buckets, whose keys and limits are bound by `params` when the statement is executed.
    `name` begins the names of those parameters.
    """

    name: str
    buckets: int

    @property
    def column(self) -> sa.ScalarSelect[float | None]:
        """The latest `resets_at` of the buckets that are used up, in seconds since 1970; null if none of them is."""
        used_up = (
            sa.and_(
                ThrottleBucket.key == sa.bindparam(f"{self.name}_key_{number}", type_=sa.String()),
                ThrottleBucket.used >= sa.bindparam(f"{self.name}_limit_{number}", type_=sa.Integer()),
            )
            for number in range(self.buckets)
        )
        at: sa.BindParameter[float] = sa.bindparam(f"{self.name}_at", type_=sa.Double())
        return (
            sa.select(sa.func.max(ThrottleBucket.resets_at))
            .where(sa.or_(*used_up), ThrottleBucket.resets_at > at)
            .scalar_subquery()
        )

    def params(self, *buckets: Bucket) -> dict[str, str | float]:
        """The values to bind for `column`. Raises `ValueError` unless there are exactly as many buckets as it has.

        A bucket left out would let a try through.
        """
        params: dict[str, str | float] = {f"{self.name}_at": now().timestamp()}
        for number, bucket in zip(range(self.buckets), buckets, strict=True):
            params |= {f"{self.name}_key_{number}": bucket.key, f"{self.name}_limit_{number}": bucket.limit}
        return params


def seconds_until(resets_at: float | None) -> int:
    """The whole seconds from now until `resets_at` (seconds since 1970), at least one."""
    return max(1, math.ceil((resets_at or 0) - now().timestamp()))


def sweep_buckets() -> None:
    """Housekeeping: delete buckets whose last window ended more than a day ago."""
    session.execute(sa.delete(ThrottleBucket).where(ThrottleBucket.resets_at < now().timestamp() - 86_400))


def _reserving(buckets: tuple[Bucket, ...], at: float) -> Any:
    """The statement that counts one try in all buckets and returns the keys of those that were not used up.

    It locks the rows in the order of their keys, which is always the same, so two of them cannot deadlock.
    """
    insert: Any = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    limit = sa.case({bucket.key: bucket.limit for bucket in buckets}, value=ThrottleBucket.key)
    window = sa.case({bucket.key: bucket.window for bucket in buckets}, value=ThrottleBucket.key)
    growing = ThrottleBucket.key.in_([bucket.key for bucket in buckets if bucket.grows])
    over = ThrottleBucket.resets_at <= at
    grown = sa.case((ThrottleBucket.factor * 2 > LONGEST_FACTOR, LONGEST_FACTOR), else_=ThrottleBucket.factor * 2)
    shrunk = sa.case((ThrottleBucket.factor > 1, ThrottleBucket.factor // 2), else_=1)
    factor = sa.case(
        (~over, ThrottleBucket.factor),
        (~growing, 1),
        (ThrottleBucket.used >= limit, grown),
        else_=shrunk,
    )
    rows = [
        {"key": bucket.key, "used": 1, "factor": 1, "resets_at": at + bucket.window}
        for bucket in sorted(buckets, key=lambda bucket: bucket.key)
    ]
    return (
        insert(ThrottleBucket)
        .values(rows)
        .on_conflict_do_update(
            index_elements=[ThrottleBucket.key],
            set_={
                "used": sa.case((over, 1), else_=ThrottleBucket.used + 1),
                "factor": factor,
                "resets_at": sa.case((over, at + window * factor), else_=ThrottleBucket.resets_at),
            },
            where=sa.or_(over, ThrottleBucket.used < limit),
        )
        .returning(ThrottleBucket.key)
    )
