"""The case that the decision judges: everything it depends on, and what it can answer."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from portal.rooms.models import Role
from portal.rooms.settings import GuestPolicy


class Check(StrEnum):
    """The checks, in the order in which they are judged."""

    LINK = "link belongs to room"
    CUSTOMER = "customer"
    SUBSCRIPTION = "subscription"
    ACCOUNT = "account"
    ROOM = "room"
    PROVIDER = "provider"
    INVITED = "invited"
    LINK_VALID = "link valid"
    NOT_REMOVED = "not removed"
    OPENING = "opening time"
    USES = "uses left"
    CODE = "access code"
    NOT_LOCKED = "not locked"
    GUESTS = "guest policy"
    HOST = "host present"
    CAPACITY = "capacity"
    ROLE = "role"


class Reason(StrEnum):
    """Why somebody is refused. The page chooses what a guest reads about it."""

    UNKNOWN = "unknown"
    UNAVAILABLE = "unavailable"
    REVOKED = "revoked"
    EXPIRED = "expired"
    PAUSED = "paused"
    REMOVED = "removed"
    USED_UP = "used up"
    CODE_MISSING = "code missing"
    CODE_WRONG = "code wrong"
    NO_VALID_CODE = "no valid code"
    LOCKED = "locked"
    TURNED_AWAY = "turned away"
    NO_GUESTS = "no guests"
    FULL = "full"


PASSING = frozenset({Reason.LOCKED, Reason.FULL})
"""Refusals that may be over at any moment: the door keeps its form, and looks again."""


@dataclass(frozen=True)
class Enter:
    """The result that the visitor may enter, in this role."""

    role: Role


@dataclass(frozen=True)
class Wait:
    """The result that the visitor has to wait: for the opening time, the host, or a moderator's approval."""

    wait_for: Literal["opening", "host", "approval"]
    until: datetime | None = None


@dataclass(frozen=True)
class Refuse:
    """The result that the visitor is refused, and why."""

    reason: Reason


Result = Enter | Wait | Refuse


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything that the decision depends on. `queries.case_of` reads it for a room and a visitor."""

    at: datetime
    # the room and what it belongs to
    customer_usable: bool = True
    subscription_usable: bool = True
    account_active: bool = True
    room_active: bool = True
    provider_usable: bool = True
    # by what right somebody comes
    is_public: bool = False
    member_role: Role | None = None
    token_given: bool = False
    token_found: bool = False
    token_role: Role | None = None
    revoked: bool = False
    paused: bool = False
    not_before: datetime | None = None
    expires_at: datetime | None = None
    replaced: bool = False
    uses_left: int | None = None
    # what happened and what they say
    removed: bool = False
    inside_already: bool = False
    uses_this_link: bool = False
    code_needed: bool = False
    code_valid: bool = True
    """Whether any code of the role is still valid."""
    code: Literal["missing", "wrong", "right", "unasked"] = "missing"
    # the room right now
    locked: bool = False
    comes_back: bool = False
    """Whether the visitor lost his place in the running session, or a moderator gave it back."""
    guest_policy: GuestPolicy = "accept"
    answer: bool | None = None
    """Whether a moderator admitted this visitor to the running session, or turned him away; None: neither."""
    host_needed: bool = False
    host_present: bool = False
    room_places: int | None = None
    subscription_places: int | None = None
    service_places: int | None = None
    """How many more people the service behind the room holds; None if it sees to that itself."""

    @property
    def full_at_service(self) -> bool:
        """Whether room and plan have places left, but what the room runs on holds no more people."""
        others = (self.room_places, self.subscription_places)
        return self.service_places is not None and self.service_places <= 0 and all(n is None or n > 0 for n in others)


def role_by(link: Role | None, member: Role | None) -> Role:
    """The role of a visitor: the link's role, else the member's, else that of a public room's guest."""
    return link or member or Role.GUEST


def role_of(case: Case) -> Role:
    """The role in which the visitor of this case would enter."""
    return role_by(case.token_role if case.token_given else None, case.member_role if not case.token_given else None)
