"""The decision as a table: read it as the documentation of who may enter."""

from dataclasses import fields
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portal.admission.case import Case, Check, Enter, Reason, Refuse, Result, Wait
from portal.admission.decision import decide
from portal.rooms.models import Role

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)
SOON, PAST = NOW + timedelta(hours=1), NOW - timedelta(hours=1)

LINK: dict[str, Any] = {"token_given": True, "token_found": True, "token_role": Role.ATTENDEE}
GUEST_LINK = LINK | {"token_role": Role.GUEST}
HOST_LINK = LINK | {"token_role": Role.MODERATOR}
MEMBER: dict[str, Any] = {"member_role": Role.ATTENDEE}
CODED = {"code_needed": True}
NO_VALID_CODE = CODED | {"code_valid": False}

TABLE: list[tuple[str, dict[str, Any], Result, Check | None]] = [
    # who comes                                      facts                                              answer
    ("a stranger at a private room", {}, Refuse(Reason.UNKNOWN), Check.INVITED),
    ("a stranger at a public room", {"is_public": True}, Enter(Role.GUEST), None),
    ("a member", MEMBER, Enter(Role.ATTENDEE), None),
    ("a member who may moderate", {"member_role": Role.MODERATOR}, Enter(Role.MODERATOR), None),
    ("who follows a link", LINK, Enter(Role.ATTENDEE), None),
    ("a link's role wins over membership", HOST_LINK | MEMBER, Enter(Role.MODERATOR), None),
    ("a link of another room", LINK | {"token_found": False}, Refuse(Reason.UNKNOWN), Check.LINK),
    ("a bad link at a public room", LINK | {"token_found": False, "is_public": True}, Refuse(Reason.UNKNOWN), Check.LINK),
    # what stands above the room
    ("a customer who is out", LINK | {"customer_usable": False}, Refuse(Reason.UNAVAILABLE), Check.CUSTOMER),
    ("a plan that has ended", LINK | {"subscription_usable": False}, Refuse(Reason.UNAVAILABLE), Check.SUBSCRIPTION),
    ("an inactive account", LINK | {"account_active": False}, Refuse(Reason.UNAVAILABLE), Check.ACCOUNT),
    ("an inactive room", LINK | {"room_active": False}, Refuse(Reason.UNAVAILABLE), Check.ROOM),
    ("an inactive room, even for its owner", {"member_role": Role.MODERATOR, "room_active": False}, Refuse(Reason.UNAVAILABLE), Check.ROOM),
    ("a provider switched off", LINK | {"provider_usable": False}, Refuse(Reason.UNAVAILABLE), Check.PROVIDER),
    # the link itself
    ("a revoked link", LINK | {"revoked": True}, Refuse(Reason.REVOKED), Check.LINK_VALID),
    ("a revoked link that has expired as well", LINK | {"revoked": True, "expires_at": PAST}, Refuse(Reason.REVOKED), Check.LINK_VALID),
    ("an expired link", LINK | {"expires_at": PAST}, Refuse(Reason.EXPIRED), Check.LINK_VALID),
    ("a link in its last second", LINK | {"expires_at": NOW}, Refuse(Reason.EXPIRED), Check.LINK_VALID),
    ("a link that expires later", LINK | {"expires_at": SOON}, Enter(Role.ATTENDEE), None),
    ("a replaced link in its time of grace", LINK | {"replaced": True, "expires_at": SOON}, Enter(Role.ATTENDEE), None),
    ("a replaced link afterwards", LINK | {"replaced": True, "expires_at": PAST}, Refuse(Reason.EXPIRED), Check.LINK_VALID),
    ("a replaced link that was revoked", LINK | {"replaced": True, "expires_at": PAST, "revoked": True}, Refuse(Reason.REVOKED), Check.LINK_VALID),
    ("a paused link", LINK | {"paused": True}, Refuse(Reason.PAUSED), Check.LINK_VALID),
    ("a revoked link at a public room", GUEST_LINK | {"revoked": True, "is_public": True}, Refuse(Reason.REVOKED), Check.LINK_VALID),
    ("who was removed from this session", LINK | {"removed": True}, Refuse(Reason.REMOVED), Check.NOT_REMOVED),
    ("a link that opens later", LINK | {"not_before": SOON}, Wait("opening", SOON), Check.OPENING),
    ("a link that has opened", LINK | {"not_before": PAST}, Enter(Role.ATTENDEE), None),
    ("a link that is used up", LINK | {"uses_left": 0}, Refuse(Reason.USED_UP), Check.USES),
    ("a link with one use left", LINK | {"uses_left": 1}, Enter(Role.ATTENDEE), None),
    ("a reload by who used the last one", LINK | {"uses_left": 0, "inside_already": True, "uses_this_link": True}, Enter(Role.ATTENDEE), None),
    ("who is inside by another link, with one that is used up", HOST_LINK | {"uses_left": 0, "inside_already": True}, Refuse(Reason.USED_UP), Check.USES),
    # codes
    ("no code where one is needed", LINK | CODED, Refuse(Reason.CODE_MISSING), Check.CODE),
    ("a wrong code", LINK | CODED | {"code": "wrong"}, Refuse(Reason.CODE_WRONG), Check.CODE),
    ("the right code", LINK | CODED | {"code": "right"}, Enter(Role.ATTENDEE), None),
    ("a look before the code is typed", LINK | CODED | {"code": "unasked"}, Enter(Role.ATTENDEE), None),
    ("a wrong code that nobody asked for", LINK | {"code": "wrong"}, Enter(Role.ATTENDEE), None),
    ("a look where all codes have expired", LINK | NO_VALID_CODE | {"code": "unasked"}, Refuse(Reason.NO_VALID_CODE), Check.CODE),
    ("any code where all have expired", LINK | NO_VALID_CODE | {"code": "wrong"}, Refuse(Reason.NO_VALID_CODE), Check.CODE),
    ("a public room whose guests need a code", {"is_public": True} | CODED, Refuse(Reason.CODE_MISSING), Check.CODE),
    # the room right now
    ("a guest where guests are refused", GUEST_LINK | {"guest_policy": "refuse"}, Refuse(Reason.NO_GUESTS), Check.GUESTS),
    ("a guest where somebody lets guests in", GUEST_LINK | {"guest_policy": "ask"}, Wait("approval"), Check.GUESTS),
    ("a guest whom a moderator admitted", GUEST_LINK | {"guest_policy": "ask", "answer": True}, Enter(Role.GUEST), None),
    ("a guest whom a moderator turned away", GUEST_LINK | {"guest_policy": "ask", "answer": False}, Refuse(Reason.TURNED_AWAY), Check.GUESTS),
    ("who was turned away and has another role", LINK | {"guest_policy": "ask", "answer": False}, Enter(Role.ATTENDEE), None),
    ("an attendee where somebody lets guests in", LINK | {"guest_policy": "ask"}, Enter(Role.ATTENDEE), None),
    ("a reload by a guest where somebody lets guests in", GUEST_LINK | {"guest_policy": "ask", "inside_already": True}, Enter(Role.GUEST), None),
    ("a guest who lost the connection", GUEST_LINK | {"guest_policy": "ask", "comes_back": True}, Enter(Role.GUEST), None),
    ("a guest who lost it once and was turned away since", GUEST_LINK | {"guest_policy": "ask", "comes_back": True, "answer": False}, Refuse(Reason.TURNED_AWAY), Check.GUESTS),
    ("a public room's guest where guests are refused", {"is_public": True, "guest_policy": "refuse"}, Refuse(Reason.NO_GUESTS), Check.GUESTS),
    ("a member where guests are refused", MEMBER | {"guest_policy": "refuse"}, Enter(Role.ATTENDEE), None),
    ("a moderator's link where guests are refused", HOST_LINK | {"guest_policy": "refuse"}, Enter(Role.MODERATOR), None),
    ("an attendee where guests are refused", LINK | {"guest_policy": "refuse"}, Enter(Role.ATTENDEE), None),
    ("an attendee at a locked room", LINK | {"locked": True}, Refuse(Reason.LOCKED), Check.NOT_LOCKED),
    ("a guest at a locked room where guests wait", GUEST_LINK | {"locked": True, "guest_policy": "ask"}, Refuse(Reason.LOCKED), Check.NOT_LOCKED),
    ("a moderator at a locked room", HOST_LINK | {"locked": True}, Enter(Role.MODERATOR), None),
    ("a reload in a locked room", LINK | {"locked": True, "inside_already": True}, Enter(Role.ATTENDEE), None),
    ("who lost the connection to a locked room", LINK | {"locked": True, "comes_back": True}, Enter(Role.ATTENDEE), None),
    ("an attendee before the host", LINK | {"host_needed": True}, Wait("host"), Check.HOST),
    ("an attendee after the host", LINK | {"host_needed": True, "host_present": True}, Enter(Role.ATTENDEE), None),
    ("the host", HOST_LINK | {"host_needed": True}, Enter(Role.MODERATOR), None),
    ("a full room", LINK | {"room_places": 0}, Refuse(Reason.FULL), Check.CAPACITY),
    ("a full plan", LINK | {"room_places": 5, "subscription_places": 0}, Refuse(Reason.FULL), Check.CAPACITY),
    ("a full service", LINK | {"room_places": 5, "service_places": 0}, Refuse(Reason.FULL), Check.CAPACITY),
    ("a reload at a full service", LINK | {"service_places": 0, "inside_already": True}, Enter(Role.ATTENDEE), None),
    ("the last place", LINK | {"room_places": 1, "subscription_places": 1}, Enter(Role.ATTENDEE), None),
    ("a reload in a full room", LINK | {"room_places": 0, "inside_already": True}, Enter(Role.ATTENDEE), None),
    # the order: the first failure is the answer
    ("a closed plan tells before a bad link does", LINK | {"subscription_usable": False, "revoked": True}, Refuse(Reason.UNAVAILABLE), Check.SUBSCRIPTION),
    ("a revoked link tells before a code is asked", LINK | CODED | {"revoked": True}, Refuse(Reason.REVOKED), Check.LINK_VALID),
    ("a wrong code tells nothing about the lock", LINK | CODED | {"code": "wrong", "locked": True}, Refuse(Reason.CODE_WRONG), Check.CODE),
    ("a wrong code tells nothing about places", LINK | CODED | {"code": "wrong", "room_places": 0}, Refuse(Reason.CODE_WRONG), Check.CODE),
]  # fmt: skip


@pytest.mark.parametrize(("who", "facts", "answer", "stopped_by"), TABLE, ids=[row[0] for row in TABLE])
def test_the_table(who: str, facts: dict[str, Any], answer: Result, stopped_by: Check | None) -> None:
    decision = decide(Case(at=NOW, **facts))
    assert decision.result == answer
    stopped = [judged.check for judged in decision.checks if judged.outcome == "stopped"]
    assert stopped == ([stopped_by] if stopped_by else [])


def test_a_replaced_link_is_told_from_one_that_expired() -> None:
    words = {
        replaced: next(
            line.words
            for line in decide(Case(at=NOW, **LINK, expires_at=PAST, replaced=replaced)).checks
            if line.outcome == "stopped"
        )
        for replaced in (False, True)
    }
    assert words == {False: "The link has expired", True: "The link was replaced by a new one"}


def test_a_room_that_is_full_is_told_from_a_service_that_holds_no_more() -> None:
    def words(**places: Any) -> str:
        return str(next(one.words for one in decide(Case(at=NOW, **LINK, **places)).checks if one.outcome == "stopped"))

    assert "A conference server holds more" in words(service_places=0)
    assert "A conference server holds more" in words(service_places=0, room_places=3, subscription_places=3)
    assert words(service_places=0, room_places=0) == "The room is full"
    assert words(service_places=0, subscription_places=0) == "All places of the plan are taken"


@pytest.mark.parametrize("fact", ["customer_usable", "subscription_usable", "account_active", "provider_usable"])
def test_members_are_not_told_what_is_wrong_with_the_plan(fact: str) -> None:
    facts: dict[str, Any] = MEMBER | {fact: False}
    told = decide(Case(at=NOW, **facts)).without_the_plan()
    stopped = [line for line in told if line.outcome == "stopped"]
    assert [line.words for line in stopped] == ["This room is not available right now"]
    assert not {"customer", "subscription", "account", "provider"} & {line.check.value for line in told}


def test_members_are_told_that_the_room_is_inactive() -> None:
    told = decide(Case(at=NOW, member_role=Role.ATTENDEE, room_active=False)).without_the_plan()
    assert [line.words for line in told if line.outcome == "stopped"] == ["The room is inactive: nobody enters"]


cases = st.builds(
    Case,
    at=st.just(NOW),
    **{field.name: st.booleans() for field in fields(Case) if field.type in {"bool", bool}},
    member_role=st.none() | st.sampled_from(Role),
    token_role=st.none() | st.sampled_from(Role),
    not_before=st.sampled_from([None, PAST, SOON]),
    expires_at=st.sampled_from([None, PAST, SOON]),
    uses_left=st.none() | st.integers(-1, 2),
    code=st.sampled_from(["missing", "wrong", "right", "unasked"]),
    guest_policy=st.sampled_from(["accept", "ask", "refuse"]),
    answer=st.sampled_from([None, True, False]),
    room_places=st.none() | st.integers(-1, 2),
    service_places=st.none() | st.integers(-1, 2),
    subscription_places=st.none() | st.integers(-1, 2),
)


@given(cases)
def test_checks_keep_their_order_and_exactly_one_may_stop(case: Case) -> None:
    decision = decide(case)
    assert [judged.check for judged in decision.checks] == list(Check)
    outcomes = "".join(judged.outcome[0] for judged in decision.checks)
    assert outcomes.lstrip("p") in {"", "s" + "l" * (len(outcomes.lstrip("p")) - 1)}
    assert ("s" in outcomes) is not isinstance(decision.result, Enter)
    assert all(judged.words for judged in decision.checks if judged.outcome != "later")


@given(cases)
def test_nobody_enters_what_is_closed_or_by_a_dead_link(case: Case) -> None:
    if isinstance(decide(case).result, Enter):
        assert case.room_active
        assert case.customer_usable
        assert case.subscription_usable
        assert case.token_given or case.is_public or case.member_role
        assert not (case.token_given and (case.revoked or case.paused or not case.token_found))
        assert not case.removed
        assert not (case.code_needed and (case.code in {"missing", "wrong"} or not case.code_valid))
