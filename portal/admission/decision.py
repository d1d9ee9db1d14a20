"""The decision whether somebody may enter a room: one pure function, for join page, API and "test this link".

`decide` goes through the checks in a fixed order; the first that fails is the answer, the later ones are
listed but not judged. It reads nothing and changes nothing. Capacity and uses are judged again, under a
row lock, by `operations.enter`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from portal.errors import Message
from portal.rooms.models import Role


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
    NO_GUESTS = "no guests"
    FULL = "full"


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
    code: Literal["missing", "wrong", "right", "unasked"] = "missing"
    # the room right now
    guest_policy: Literal["accept", "ask", "refuse"] = "accept"
    host_needed: bool = False
    host_present: bool = False
    room_places: int | None = None
    subscription_places: int | None = None


@dataclass(frozen=True)
class CheckResult:
    """One check with its outcome: `passed`, `stopped` (it decided) or `later` (it was not judged)."""

    check: Check
    outcome: Literal["passed", "stopped", "later"]
    words: Message


@dataclass(frozen=True)
class Decision:
    """The result, with all checks in their order and the case that was judged."""

    result: Result
    checks: tuple[CheckResult, ...]
    case: Case

    @property
    def reason(self) -> Reason | None:
        """Why somebody is refused, or None."""
        return self.result.reason if isinstance(self.result, Refuse) else None

    def without_the_plan(self) -> tuple[CheckResult, ...]:
        """The checks without those of the customer's plan, for members, who are not told what is wrong with it.

        If the plan decided, the check of the room says that it is not available.
        """
        stopped = any(line.check in _PLAN and line.outcome == "stopped" for line in self.checks)
        closed = CheckResult(Check.ROOM, "stopped", Message("This room is not available right now"))
        others = (line for line in self.checks if line.check not in _PLAN)
        return tuple(closed if stopped and line.check is Check.ROOM else line for line in others)


_PLAN = frozenset({Check.CUSTOMER, Check.SUBSCRIPTION, Check.ACCOUNT, Check.PROVIDER})


def role_by(link: Role | None, member: Role | None) -> Role:
    """The role of a visitor: the link's role, else the member's, else that of a public room's guest."""
    return link or member or Role.GUEST


def role_of(case: Case) -> Role:
    """The role in which the visitor of this case would enter."""
    return role_by(case.token_role if case.token_given else None, case.member_role if not case.token_given else None)


def decide(case: Case) -> Decision:
    """Judge the case. The first failing check is the answer."""
    judged: list[CheckResult] = []
    result: Result | None = None
    for check, failure, words in _checks(case):
        if result is not None:
            judged.append(CheckResult(check, "later", words))
        elif failure is not None:
            result = failure
            judged.append(CheckResult(check, "stopped", words))
        else:
            judged.append(CheckResult(check, "passed", words))
    return Decision(result or Enter(role_of(case)), tuple(judged), case)


Line = tuple[Check, Refuse | Wait | None, Message]


def _checks(case: Case) -> Iterator[Line]:
    """Each check in its order, with the result if it fails (else None), and what the owner reads about it."""
    yield from _room_and_plan_checks(case)
    yield from _visitor_checks(case)
    yield from _live_checks(case)


def _line(check: Check, failure: Refuse | Wait | None, bad: Message, good: Message) -> Line:
    return check, failure, bad if failure else good


def _refuse_if(condition: bool, reason: Reason) -> Refuse | None:
    return Refuse(reason) if condition else None


def _room_and_plan_checks(case: Case) -> Iterator[Line]:
    yield _line(
        Check.LINK,
        _refuse_if(case.token_given and not case.token_found, Reason.UNKNOWN),
        Message("No such link for this room"),
        Message("The link belongs to this room") if case.token_given else Message("No link is used"),
    )
    unavailable = Reason.UNAVAILABLE
    yield _line(
        Check.CUSTOMER,
        _refuse_if(not case.customer_usable, unavailable),
        Message("The customer is inactive or terminated"),
        Message("The customer is active"),
    )
    yield _line(
        Check.SUBSCRIPTION,
        _refuse_if(not case.subscription_usable, unavailable),
        Message("The subscription is not active, or its time is over"),
        Message("The subscription is active"),
    )
    yield _line(
        Check.ACCOUNT,
        _refuse_if(not case.account_active, unavailable),
        Message("The account is inactive"),
        Message("The account is active"),
    )
    yield _line(
        Check.ROOM,
        _refuse_if(not case.room_active, unavailable),
        Message("The room is inactive: nobody enters"),
        Message("The room is active"),
    )
    yield _line(
        Check.PROVIDER,
        _refuse_if(not case.provider_usable, unavailable),
        Message("The service behind the room is switched off"),
        Message("The service behind the room is available"),
    )


def _visitor_checks(case: Case) -> Iterator[Line]:
    yield _line(
        Check.INVITED,
        _refuse_if(not (case.token_given or case.is_public or case.member_role is not None), Reason.UNKNOWN),
        Message("Private room: it takes a link, or to be a member"),
        Message("By link")
        if case.token_given
        else (Message("As a member") if case.member_role else Message("The room is public")),
    )
    over = case.expires_at is not None and case.expires_at <= case.at
    invalid = (case.revoked and Reason.REVOKED) or (over and Reason.EXPIRED) or (case.paused and Reason.PAUSED) or None
    yield _line(
        Check.LINK_VALID,
        Refuse(invalid) if case.token_given and invalid else None,
        {
            Reason.REVOKED: Message("The link was revoked"),
            Reason.EXPIRED: Message("The link was replaced by a new one")
            if case.replaced
            else Message("The link has expired"),
            Reason.PAUSED: Message("The link is paused"),
        }.get(invalid or Reason.UNKNOWN, Message("")),
        (Message("Was replaced, and works for a while") if case.replaced else Message("Not revoked, paused or expired"))
        if case.token_given
        else Message("No link is used"),
    )
    yield _line(
        Check.NOT_REMOVED,
        _refuse_if(case.removed, Reason.REMOVED),
        Message("A moderator removed this visitor from the running session"),
        Message("Nobody removed this visitor"),
    )
    early = case.token_given and case.not_before is not None and case.not_before > case.at
    yield _line(
        Check.OPENING,
        Wait("opening", case.not_before) if early else None,
        Message("The link does not work yet"),
        Message("Open"),
    )
    used_up = case.token_given and case.uses_left is not None and case.uses_left <= 0
    yield _line(
        Check.USES,
        _refuse_if(used_up and not case.uses_this_link, Reason.USED_UP),
        Message("All uses of this link are gone"),
        Message("Not limited") if case.uses_left is None else Message("%(left)d left", left=max(case.uses_left, 0)),
    )
    asked = case.code_needed and case.code != "unasked"
    yield _line(
        Check.CODE,
        _refuse_if(asked and case.code == "missing", Reason.CODE_MISSING)
        or _refuse_if(asked and case.code == "wrong", Reason.CODE_WRONG),
        Message("A valid code is asked for")
        if case.code == "missing"
        else Message("The code is not one of this role's valid ones"),
        Message("Not asked for")
        if not case.code_needed
        else (Message("Will be asked for") if case.code == "unasked" else Message("The code is right")),
    )


def _live_checks(case: Case) -> Iterator[Line]:
    role = role_of(case)
    guest = role is Role.GUEST
    yield _line(
        Check.GUESTS,
        _refuse_if(guest and case.guest_policy == "refuse", Reason.NO_GUESTS)
        or (Wait("approval") if guest and case.guest_policy == "ask" else None),
        Message("Guests are not let in")
        if case.guest_policy == "refuse"
        else Message("A moderator lets guests in one by one"),
        Message("Guests are welcome") if guest else Message("Not a guest"),
    )
    yield _line(
        Check.HOST,
        Wait("host") if case.host_needed and not case.host_present and role is not Role.MODERATOR else None,
        Message("Waits until a moderator is in"),
        Message("A moderator is in") if case.host_needed else Message("Not required"),
    )
    places = [n for n in (case.room_places, case.subscription_places) if n is not None]
    full = not case.inside_already and any(n <= 0 for n in places)
    yield _line(
        Check.CAPACITY,
        _refuse_if(full, Reason.FULL),
        Message("The room is full")
        if case.room_places is not None and case.room_places <= 0
        else Message("All places of the plan are taken"),
        Message.plural("%(n)d place free now", "%(n)d places free now", n=max(min(places), 0))
        if places
        else Message("Not limited"),
    )
    yield Check.ROLE, None, Message("Enters as %(role)s", role=role.value)
