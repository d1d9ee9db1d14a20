"""The health of service providers: since when one answers or is down, what went wrong last, and how busy it is.

It is written where services are called, and seldom for a provider of which nothing new is told. A provider's
`updated_at` stays: its health is no change of what staff set.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from portal.db import session
from portal.people.names import printable
from portal.providers.base import ProviderError
from portal.subscriptions.protocols import ProviderLike
from portal.subscriptions.provider_models import ERROR_LENGTH, VERSION_LENGTH, ServiceProvider

SAME_AGAIN = timedelta(minutes=1)
"""So long an answer is not written again."""
OUT_AFTER = timedelta(seconds=10)
"""A service that was down for so long is out: it is more than one lost packet."""
TRIED_AGAIN = timedelta(seconds=30)
"""So long after a failure a service that is out is not called for who wants to enter. The poller goes on asking it."""


def is_out(provider: ProviderLike, at: datetime) -> bool:
    """Whether the service has not answered for a while, nor a moment ago.

    Who wants it now is refused at once: everybody in front of a dead service would else wait for a timeout each.
    """
    since, failed_at = provider.down_since, provider.last_error_at
    if since is None or failed_at is None:
        return False
    return since <= at - OUT_AFTER and failed_at > at - TRIED_AGAIN


def record_answer(provider_uuid: UUID, at: datetime, *, version: str | None = None) -> None:
    """Write down that the service answered: it is up. `version` is what it said of itself, if it was asked for that."""
    before = ServiceProvider.last_answer_at
    news = [before.is_(None), before < at - SAME_AGAIN, ServiceProvider.up_since.is_(None)]
    told = {}
    if version is not None:
        told["version"] = printable(version, longest=VERSION_LENGTH)
        news.append(ServiceProvider.version.is_distinct_from(told["version"]))
    since = sa.func.coalesce(ServiceProvider.up_since, at)
    _write(provider_uuid, sa.or_(*news), last_answer_at=at, down_since=None, up_since=since, **told)


def record_counts(provider: ServiceProvider, columns: Mapping[str, Any], at: datetime) -> None:
    """Write down how busy the service is, if it told. `provider` is as it was read before the service was asked."""
    counts, before = columns["counts"], provider.counted_at
    if counts and (before is None or before < at - SAME_AGAIN or counts != provider.counts):
        _write(provider.uuid, sa.true(), **columns, counted_at=at)


def record_failure(provider_uuid: UUID, error: Exception, at: datetime, *, is_down: bool | None = None) -> None:
    """Write down that the service failed; and that it is down, if `means_down` says so, or up, if it answered.

    `is_down=False` is for a question that takes some services long: no answer to it says nothing of the others.
    """
    words = error_words(error)
    down, answered = ServiceProvider.down_since, isinstance(error, ProviderError) and error.answered
    is_down = means_down(error) if is_down is None else is_down
    news = [ServiceProvider.last_error.is_distinct_from(words), ServiceProvider.last_error_at < at - TRIED_AGAIN]
    since: dict[str, object] = {}
    if is_down:
        news.append(down.is_(None))
        since = {"down_since": sa.func.coalesce(down, at), "up_since": None}
    elif answered:
        news.append(down.is_not(None))
        since = {"down_since": None, "up_since": sa.func.coalesce(ServiceProvider.up_since, at)}
    _write(provider_uuid, sa.or_(*news), last_error=words, last_error_at=at, **since)


def means_down(error: Exception) -> bool:
    """Whether a service that failed so is down: it gave no answer, or one that makes no sense.

    What is permanent passes with no outage: an address is wrong, say.
    """
    return not (isinstance(error, ProviderError) and (error.answered or error.permanent))


def error_words(error: Exception) -> str:
    """What staff read of an error: what the adapter says, which names no secret; of any other error its kind only."""
    text = str(error) if isinstance(error, ProviderError) else type(error).__name__
    return printable(text, longest=ERROR_LENGTH)


def _write(provider_uuid: UUID, news: sa.ColumnElement[bool], **values: object) -> None:
    values |= {"updated_at": ServiceProvider.updated_at}  # which would change by itself
    statement = sa.update(ServiceProvider).where(ServiceProvider.uuid == provider_uuid, news).values(values)
    session.execute(statement, execution_options={"synchronize_session": False})
