"""Answers that were given once and are given again: for programs that repeat a request they lost track of.

The key is reserved in the transaction of the operation itself, so two at once make one, and a refused
operation leaves nothing behind; one that commits on its way (a wrong code stays counted) leaves a key without an
answer until it has one. Answers are sealed: they may hold a token.
"""

import json
from datetime import datetime, timedelta
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from portal import vault
from portal.clock import now
from portal.db import Base, session

PURPOSE = "answered"
RETENTION = timedelta(hours=24)


class IdempotentRequest(Base):
    """One request that carried a key, and what was answered."""

    __tablename__ = "idempotent_requests"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    request: Mapped[str] = mapped_column(sa.String(64))
    answer: Mapped[str] = mapped_column(sa.Text, default="")
    at: Mapped[datetime] = mapped_column(default=now, index=True)


def reserve_key(key: str, request: str) -> IdempotentRequest | None:
    """Reserve `key` for this request. None when it is new, else what is known about the first one."""
    made = IdempotentRequest(
        key=vault.lookup_hash(key, purpose=PURPOSE), request=vault.lookup_hash(request, purpose=PURPOSE)
    )
    try:
        with session.begin_nested():
            session.add(made)
    except IntegrityError:
        return session.get(IdempotentRequest, made.key)
    return None


def is_same_request(known: IdempotentRequest, request: str) -> bool:
    """Whether the first request with the key was this one."""
    return known.request in vault.lookup_hashes(request, purpose=PURPOSE)


def store_answer(key: str, answer: dict[str, Any]) -> None:
    """Remember what was answered."""
    sealed = vault.seal(json.dumps(answer), purpose=PURPOSE)
    known = session.get_one(IdempotentRequest, vault.lookup_hash(key, purpose=PURPOSE))
    known.answer = sealed


def stored_answer(known: IdempotentRequest) -> dict[str, Any]:
    """What was answered."""
    answer: dict[str, Any] = json.loads(vault.unseal(known.answer, purpose=PURPOSE))
    return answer


def sweep_requests() -> None:
    """Housekeeping: a day is long enough to repeat a request."""
    session.execute(sa.delete(IdempotentRequest).where(IdempotentRequest.at < now() - RETENTION))
