"""Who waits for whom at the door: those at one room, and where the plan counts places, those at all its rooms."""

import threading
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.dialects import postgresql
from sqlalchemy.exc import OperationalError

from portal.admission import locked_door
from portal.admission.locked_door import lock_door
from portal.admission.queries import find_door
from portal.admission.visitor import Visitor
from portal.db import session, transaction
from portal.subscriptions.models import Subscription, SubscriptionFeature, SubscriptionStatus
from tests.cast import Cast


def knock(room_id: str) -> None:
    door = find_door(room_id)
    assert door is not None
    lock_door(door.room, Visitor(device=f"at {room_id}"), network="192.0.2.7")


def has_to_wait(app: Flask, act: Callable[[], Any]) -> bool:
    """Whether `act`, in another transaction, waits for what this one holds."""
    done: list[str] = []

    def run() -> None:
        with app.app_context():
            try:
                with transaction():
                    session.execute(sa.text("SET LOCAL lock_timeout = '200ms'"))
                    act()
                done.append("at once")
            except OperationalError as error:
                done.append(str(error.orig))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(30)
    assert done == ["at once"] or "lock timeout" in done[0]
    return done != ["at once"]


def without_limit() -> None:
    session.execute(
        sa.update(SubscriptionFeature).where(SubscriptionFeature.code == "max_participants").values(number=None)
    )


def suspend() -> None:
    session.execute(sa.update(Subscription).values(status=SubscriptionStatus.SUSPENDED))


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("counted", [True, False])
def test_another_room_waits_only_where_the_plan_counts_places(app: Flask, cast: Cast, counted: bool) -> None:
    if not counted:
        with app.app_context(), transaction():
            without_limit()
    with app.app_context(), transaction():
        knock(cast.board)
        assert has_to_wait(app, lambda: knock(cast.open_house)) is counted
        assert has_to_wait(app, lambda: knock(cast.board))
        assert has_to_wait(app, suspend)


def test_all_lock_the_subscription_before_the_room() -> None:
    for statement in (locked_door._LOCKING, locked_door._LOCKING_UNLIMITED):
        locks = str(statement.compile(dialect=postgresql.dialect())).partition("ORDER BY")[2]
        assert 0 < locks.index("subscriptions") < locks.rindex("rooms")
