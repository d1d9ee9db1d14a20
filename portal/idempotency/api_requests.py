"""Requests to the API that carry an `Idempotency-Key`, with their answers: a repeated one gets the first one's answer.

The key is reserved in the transaction of the operation itself, so of two requests at once one acts, and a refused
operation leaves no key behind. An operation that commits a step on its way (a wrong code stays counted) leaves a key
without an answer until it ends. Answers are sealed, because they may hold a token. They are kept for a day.
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
    """One request that carried a key, and its answer ("" until there is one)."""

    __tablename__ = "idempotent_requests"

    key: Mapped[str] = mapped_column(sa.String(64), primary_key=True)
    request: Mapped[str] = mapped_column(sa.String(64))
    answer: Mapped[str] = mapped_column(sa.Text, default="")
    at: Mapped[datetime] = mapped_column(default=now, index=True)


def reserve_key(key: str, request: str) -> IdempotentRequest | None:
    """Reserve `key` for this request. Returns None if the key is new, else the row of the first request with it."""
    reserved = IdempotentRequest(
        key=vault.lookup_hash(key, purpose=PURPOSE), request=vault.lookup_hash(request, purpose=PURPOSE)
    )
    try:
        with session.begin_nested():
            session.add(reserved)
    except IntegrityError:
        return session.get(IdempotentRequest, reserved.key)
    return None


def release_key(key: str) -> None:
    """Forget the key of a request that got no answer, so that it may be sent again."""
    hashed = vault.lookup_hash(key, purpose=PURPOSE)
    session.execute(sa.delete(IdempotentRequest).where(IdempotentRequest.key == hashed, IdempotentRequest.answer == ""))


def is_same_request(known: IdempotentRequest, request: str) -> bool:
    """Whether `known`, the first request with the key, was equal to `request`."""
    return known.request in vault.lookup_hashes(request, purpose=PURPOSE)


def store_answer(key: str, answer: dict[str, Any]) -> None:
    """Store the answer to the request with this key."""
    sealed = vault.seal(json.dumps(answer), purpose=PURPOSE)
    known = session.get_one(IdempotentRequest, vault.lookup_hash(key, purpose=PURPOSE))
    known.answer = sealed


def stored_answer(known: IdempotentRequest) -> dict[str, Any]:
    """The answer to the first request with the key."""
    answer: dict[str, Any] = json.loads(vault.unseal(known.answer, purpose=PURPOSE))
    return answer


def sweep_requests() -> None:
    """Housekeeping: delete requests that are older than a day."""
    session.execute(sa.delete(IdempotentRequest).where(IdempotentRequest.at < now() - RETENTION))
