"""Counted tries: what is counted before, or in the same breath as, it is judged, so that racers get no extra guesses.

A bucket allows so many tries in a window. Each window of a growing one that was used up doubles the
next, up to a factor of 32; a quiet window halves it again. Keys are hashed: the table names nobody.
Reserve inside `db.committed_step()` and hand back on success; or, where a lock makes those who try come one by
one, ask for the `RetryAfterColumn` first and reserve for what was wrong.
"""

import ipaddress
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
SUBNET = 64  # bits of an IPv6 address that one household or office shares


class ThrottleBucket(Base):
    """One bucket's count in its present window. `resets_at` is in seconds since 1970."""

    __tablename__ = "throttle_buckets"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    used: Mapped[int]
    factor: Mapped[int]
    resets_at: Mapped[float] = mapped_column(sa.Double, index=True)


@dataclass(frozen=True)
class Bucket:
    """So many tries in so many seconds, for whatever `parts` name. `grows`: used-up windows get longer."""

    key: str
    limit: int
    window: int
    grows: bool = True

    @classmethod
    def of(cls, *parts: object, limit: int, window: int, grows: bool = True) -> Self:
        """A bucket whose key can be recomputed but not read. An IPv6 address among `parts` counts as its /64."""
        return cls(vault.lookup_hash("|".join(map(_key_part, parts)), purpose="tries"), limit, window, grows)


def reserve(*buckets: Bucket) -> None:
    """Take one try from each bucket, all or none. Raises `Throttled` with the longest wait."""
    at = now().timestamp()
    if len(session.execute(_reserving(buckets, at)).all()) < len(buckets):
        opening = RetryAfterColumn("any", len(buckets))
        raise Throttled(retry_after=seconds_until(session.scalar(sa.select(opening.column), opening.params(*buckets))))


def release(*buckets: Bucket) -> None:
    """The reserved try was a good one and counts for nothing.

    The delay keeps its length: a bucket may be shared, and one visitor's success says nothing about another.
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
    """When the last of so many buckets that are used up opens again, as a part of a larger statement, made once."""

    name: str
    buckets: int

    @property
    def column(self) -> sa.ScalarSelect[float | None]:
        """Null if none of the buckets that `params` names is used up."""
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
        """What `column` is asked for: all buckets, or `ValueError`, since one that is not asked would let through."""
        params: dict[str, str | float] = {f"{self.name}_at": now().timestamp()}
        for number, bucket in zip(range(self.buckets), buckets, strict=True):
            params |= {f"{self.name}_key_{number}": bucket.key, f"{self.name}_limit_{number}": bucket.limit}
        return params


def seconds_until(resets_at: float | None) -> int:
    """The seconds to wait, at least one."""
    return max(1, math.ceil((resets_at or 0) - now().timestamp()))


def sweep_buckets() -> None:
    """Housekeeping: buckets whose last window ended a day ago say nothing any more."""
    session.execute(sa.delete(ThrottleBucket).where(ThrottleBucket.resets_at < now().timestamp() - 86_400))


def _reserving(buckets: tuple[Bucket, ...], at: float) -> Any:
    """One statement for all buckets, in the order of their keys, which is always the same: no deadlock."""
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


def _key_part(part: object) -> str:
    word = str(part)
    try:
        address = ipaddress.ip_address(word)
    except ValueError:
        return word
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.ip_network((address, SUBNET), strict=False))
    return word
