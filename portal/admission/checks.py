"""The checks of the decision whether somebody may enter, in their order, with what the owner reads about each."""

from collections.abc import Iterator

from portal.admission.case import Case, Check, Reason, Refuse, Wait, role_of
from portal.errors import Message
from portal.rooms.models import Role

Line = tuple[Check, Refuse | Wait | None, Message]


def checks_of(case: Case) -> Iterator[Line]:
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
        Message("The service behind the room is switched off, or starts nothing new"),
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
    yield _line(
        Check.CODE,
        _refuse_if(case.code_needed and not case.code_valid, Reason.NO_VALID_CODE)
        or _refuse_if(case.code_needed and case.code == "missing", Reason.CODE_MISSING)
        or _refuse_if(case.code_needed and case.code == "wrong", Reason.CODE_WRONG),
        Message("All codes of this role have expired: nobody gets in until one is valid")
        if not case.code_valid
        else Message("A valid code is asked for")
        if case.code == "missing"
        else Message("The code is not one of this role's valid ones"),
        Message("Not asked for")
        if not case.code_needed
        else (Message("Will be asked for") if case.code == "unasked" else Message("The code is right")),
    )


def _live_checks(case: Case) -> Iterator[Line]:
    role = role_of(case)
    guest = role is Role.GUEST
    is_new = not case.inside_already and not case.comes_back
    yield _line(
        Check.NOT_LOCKED,
        _refuse_if(case.locked and is_new and role is not Role.MODERATOR, Reason.LOCKED),
        Message("A moderator has locked the room"),
        Message("Locked, but not for this visitor") if case.locked else Message("Not locked"),
    )
    asks = guest and case.guest_policy == "ask" and not case.inside_already
    yield _line(
        Check.GUESTS,
        _refuse_if(guest and case.guest_policy == "refuse", Reason.NO_GUESTS)
        or _refuse_if(asks and case.answer is False, Reason.TURNED_AWAY)
        or (Wait("approval") if asks and case.answer is None and not case.comes_back else None),
        Message("Guests are not let in")
        if case.guest_policy == "refuse"
        else Message("A moderator turned this visitor away")
        if case.answer is False
        else Message("A moderator lets guests in one by one"),
        Message("Not a guest")
        if not guest
        else Message("A moderator let this visitor in")
        if case.answer
        else Message("Guests are welcome"),
    )
    yield _line(
        Check.HOST,
        Wait("host") if case.host_needed and not case.host_present and role is not Role.MODERATOR else None,
        Message("Waits until a moderator is in"),
        Message("A moderator is in") if case.host_needed else Message("Not required"),
    )
    places = [n for n in (case.room_places, case.subscription_places, case.service_places) if n is not None]
    full = not case.inside_already and any(n <= 0 for n in places)
    yield _line(
        Check.CAPACITY,
        _refuse_if(full, Reason.FULL),
        Message("It is full here: without a media server no more people fit in. A conference server holds more.")
        if case.full_at_service
        else Message("The room is full")
        if case.room_places is not None and case.room_places <= 0
        else Message("All places of the plan are taken"),
        Message.plural("%(n)d place free now", "%(n)d places free now", n=max(min(places), 0))
        if places
        else Message("Not limited"),
    )
    yield Check.ROLE, None, Message("Enters as %(role)s", role=role.value)
