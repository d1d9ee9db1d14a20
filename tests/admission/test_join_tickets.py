"""Join tickets: judged like pressing Join, used up once, and bound to whom they were made for."""

from datetime import timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.admission.case import Enter, Reason, Wait
from portal.admission.entering import Declined
from portal.admission.join_tickets import (
    JoinTicketSpent,
    find_join_ticket,
    find_opened_join_ticket,
    issue_join_ticket,
    redeem_join_ticket,
    sweep_join_tickets,
)
from portal.admission.models import AccessCode, JoinTicket
from portal.admission.visitor import Visitor
from portal.clock import now
from portal.db import session, transaction
from portal.errors import Invalid, Throttled
from portal.rooms.models import Role
from portal.status.arrivals import Place
from portal.status.models import Participation
from tests.admission.test_races import RACERS, race
from tests.cast import CODE, Cast
from tests.conftest import BOTH

in_app = pytest.mark.usefixtures("in_app")


def prepare(cast: Cast, role: Role = Role.ATTENDEE, code: str = CODE, **more: Any) -> tuple[Any, str | None]:
    wish: dict[str, Any] = {"visitor": Visitor(token=cast.token(role)), "name": "Gus", "network": "192.0.2.1"} | more
    return issue_join_ticket(room=cast.room(), code=code, **wish)


@in_app
def test_whom_the_decision_lets_in_gets_a_secret_and_nothing_else_is_used_up(cast: Cast) -> None:
    decision, secret = prepare(cast)
    assert decision.result == Enter(Role.ATTENDEE)
    assert secret is not None
    assert len(secret) - len("en_") >= 160 / 6
    token, code = cast.token(Role.ATTENDEE), session.scalars(sa.select(AccessCode)).one()
    assert (token.use_count, token.last_usage, code.use_count, code.last_usage) == (0, None, 0, None)
    assert session.scalar(sa.select(sa.func.count()).select_from(Participation)) == 0
    entry = find_join_ticket(cast.room(), secret)
    assert entry is not None
    assert timedelta(seconds=50) < entry.expires_at - now() <= timedelta(seconds=60)
    assert find_join_ticket(cast.room(cast.open_house), secret) is None
    assert find_join_ticket(cast.room(), secret[:-1]) is None
    assert find_opened_join_ticket(cast.room(cast.open_house), entry.uuid) is None


@in_app
@pytest.mark.parametrize(
    ("code", "reason"), [("", Reason.CODE_MISSING), ("   ", Reason.CODE_MISSING), ("nope", Reason.CODE_WRONG)]
)
def test_a_missing_or_wrong_code_is_the_decision(cast: Cast, code: str, reason: Reason) -> None:
    decision, secret = prepare(cast, code=code)
    assert decision.reason is reason
    assert secret is None
    assert session.scalar(sa.select(sa.func.count()).select_from(JoinTicket)) == 0


@in_app
def test_wrong_codes_are_counted_with_those_at_the_door(cast: Cast) -> None:
    for number in range(10):
        assert prepare(cast, code=f"guess {number}")[1] is None
    with pytest.raises(Throttled):
        prepare(cast)
    assert prepare(cast, network="198.51.100.7")[1] is not None


@in_app
def test_a_right_code_is_handed_back(cast: Cast) -> None:
    for _ in range(15):
        assert prepare(cast)[1] is not None


@in_app
@pytest.mark.parametrize("name", ["", "a\x00b", "x" * 81])
def test_a_name_that_cannot_be_one_is_refused(cast: Cast, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        prepare(cast, name=name)
    assert set(refused.value.fields) == {"name"}


@in_app
def test_who_has_to_wait_gets_no_secret(cast: Cast) -> None:
    cast.room().room_settings = {"wait_for_host": True}
    session.commit()
    decision, secret = prepare(cast)
    assert decision.result == Wait("host")
    assert secret is None


@in_app
def test_using_it_counts_the_link_and_the_code(cast: Cast) -> None:
    _decision, secret = prepare(cast)
    session.commit()
    inside = use(cast, secret)
    token, code = cast.token(Role.ATTENDEE), session.scalars(sa.select(AccessCode)).one()
    assert (inside.name, inside.role, inside.token_uuid) == ("Gus", Role.ATTENDEE, token.uuid)
    assert (token.use_count, code.use_count) == (1, 1)
    assert token.last_usage is not None
    assert code.last_usage is not None
    with pytest.raises(JoinTicketSpent):
        use(cast, secret)


@in_app
def test_everything_but_the_code_is_judged_again(cast: Cast) -> None:
    _decision, secret = prepare(cast)
    cast.token(Role.ATTENDEE).paused_at = now()
    session.commit()
    with pytest.raises(Declined) as declined:
        use(cast, secret)
    assert declined.value.decision.reason is Reason.PAUSED
    session.rollback()
    cast.token(Role.ATTENDEE).paused_at = None
    session.commit()
    assert use(cast, secret).name == "Gus"  # refusing it did not use it up


@in_app
@pytest.mark.parametrize("spoil", ["delete", "expire", "role"])
def test_a_code_that_ended_in_between_lets_nobody_in(cast: Cast, spoil: str) -> None:
    _decision, secret = prepare(cast)
    code = session.scalars(sa.select(AccessCode)).one()
    if spoil == "delete":
        session.delete(code)
        session.add(AccessCode(room_uuid=code.room_uuid, code="other", normal="other", role=Role.ATTENDEE))
    elif spoil == "expire":
        code.expires_at = now()
    else:
        code.role = Role.MODERATOR
        session.add(AccessCode(room_uuid=code.room_uuid, code="other", normal="other", role=Role.ATTENDEE))
    session.commit()
    with pytest.raises(Declined) as declined:
        use(cast, secret)
    expected = Reason.NO_VALID_CODE if spoil == "expire" else Reason.CODE_MISSING
    assert declined.value.decision.reason is expected


@in_app
def test_old_ones_are_swept_away(cast: Cast) -> None:
    prepare(cast)
    prepare(cast)
    assert sweep_join_tickets() == 0
    session.execute(sa.update(JoinTicket).values(expires_at=now() - timedelta(days=2)))
    assert sweep_join_tickets() == 2


@BOTH
def test_of_twenty_who_press_at_once_one_gets_in(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        _decision, secret = prepare(cast)
    results = race(app, lambda n: use(cast, secret, device=f"device {n}"))
    assert sum(isinstance(one, Place) for one in results) == 1
    assert sum(isinstance(one, JoinTicketSpent) for one in results) == RACERS - 1
    with app.app_context():
        assert cast.token(Role.ATTENDEE).use_count == 1


def use(cast: Cast, secret: str | None, device: str = "a device") -> Place:
    room = cast.room()
    entry = find_join_ticket(room, secret or "")
    assert entry is not None
    session.commit()
    visitor = Visitor(device=device, token=entry.token)
    return redeem_join_ticket(room=room, ticket=entry, visitor=visitor, network="192.0.2.9")
