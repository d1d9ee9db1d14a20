"""In which phase of its life a subscription is now: what people read instead of its status and five dates."""

from datetime import datetime
from enum import StrEnum
from typing import Protocol

from portal.errors import Message
from portal.subscriptions.models import SubscriptionStatus, Term, is_active


class Phase(StrEnum):
    """The phases, in about the order of a life. In the first five it may be used, or soon."""

    PLANNED = "planned"
    TRIAL = "trial"
    RUNNING = "running"
    GRACE = "grace"
    CANCELED = "canceled"
    SUSPENDED = "suspended"
    ENDED = "ended"
    TERMINATED = "terminated"

    @property
    def label(self) -> Message:
        """What people read."""
        return _LABELS[self]

    @property
    def over(self) -> bool:
        """Whether nothing can be used any more, also after waiting or resuming."""
        return self in {Phase.ENDED, Phase.TERMINATED}


_LABELS = {
    Phase.PLANNED: Message("Not started"),
    Phase.TRIAL: Message("In trial"),
    Phase.RUNNING: Message("Active"),
    Phase.GRACE: Message("In grace"),
    Phase.CANCELED: Message("Canceled"),
    Phase.SUSPENDED: Message("Suspended"),
    Phase.ENDED: Message("Ended"),
    Phase.TERMINATED: Message("Terminated"),
}


class TermWithTrial(Term, Protocol):
    """A term that also tells of its trial."""

    @property
    def trial_ends_at(self) -> datetime | None: ...


def phase_of(term: TermWithTrial, at: datetime) -> Phase:
    """The phase at `at`. A canceled one that can still be used is `CANCELED`, after that `ENDED`."""
    if term.status is SubscriptionStatus.TERMINATED:
        return Phase.TERMINATED
    if term.status is SubscriptionStatus.SUSPENDED:
        return Phase.SUSPENDED
    if not is_active(term, at):
        planned = term.status is SubscriptionStatus.ACTIVE and at < term.starts_at
        return Phase.PLANNED if planned else Phase.ENDED
    if term.status is SubscriptionStatus.CANCELED:
        return Phase.CANCELED
    if term.ends_at is not None and at >= term.ends_at:
        return Phase.GRACE
    return Phase.TRIAL if term.trial_ends_at is not None and at < term.trial_ends_at else Phase.RUNNING
