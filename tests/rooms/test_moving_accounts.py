"""Rooms made or entered while their account gets another plan or owner: each has what its account has, and its people."""

import threading
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import Account
from portal.accounts.room_account import MAX_ROOMS, room_account
from portal.admission.door import Door
from portal.admission.entering import enter
from portal.admission.joining import arrive
from portal.admission.queries import find_door
from portal.admission.visitor import Visitor
from portal.db import session, transaction
from portal.errors import Conflict, NotFound
from portal.people.actor import Actor, actor_of
from portal.people.models import User
from portal.people.operations import create_user
from portal.permissions.memberships import add_membership
from portal.permissions.ownership import transfer_ownership
from portal.permissions.user_deletion import delete_user
from portal.rooms.models import Room
from portal.rooms.operations import create_room, take_from_trash, trash_room
from portal.status.account_lifecycle import move_account
from portal.status.arrivals import ArrivalOutdated, Place
from portal.status.models import Participation
from portal.status.services import current_provider
from portal.subscriptions.models import Subscription, SubscriptionFeature
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.selling import create_subscription
from tests.cast import Cast, new_room
from tests.conftest import BOTH

EMAIL = "eva@demo.example"
ROUNDS = 6
Act = Callable[[Cast, Account, Actor], object]


@pytest.fixture(params=[None, 100], ids=["any number of rooms", "100 rooms"])
def account_id(cast: Cast, app: Flask, request: pytest.FixtureRequest) -> str:
    """The account of Acme, whose owner is Eva, and whose customer has a second subscription."""
    with app.app_context(), transaction():
        account, ada = cast.room().account, actor_of(cast.user("admin"))
        session.execute(sa.update(SubscriptionFeature).values(number=request.param))
        create_user(email=EMAIL, name="Eva")
        add_membership(place=account.customer, email=EMAIL, permissions=[], by=None)
        transfer_ownership(account, eva(), by=ada)
        package = session.scalars(sa.select(ServicePackage)).first()
        assert package is not None
        other = create_subscription(customer=account.customer, package=package, by=ada)
        session.execute(
            sa.update(SubscriptionFeature)
            .where(SubscriptionFeature.subscription_uuid == other.uuid)
            .values(number=request.param)
        )
        return account.id


def eva() -> User:
    return session.scalars(sa.select(User).where(User.email == EMAIL)).unique().one()


def account_with(account_id: str) -> Account:
    return session.scalars(sa.select(Account).where(Account.id == account_id)).one()


def move(_cast: Cast, account: Account, ada: Actor) -> None:
    other = sa.select(Subscription).where(
        Subscription.customer_uuid == account.customer_uuid, Subscription.uuid != account.subscription_uuid
    )
    move_account(account, session.scalars(other).unique().one(), by=ada)


def hand_over_and_delete_the_owner(cast: Cast, account: Account, ada: Actor) -> None:
    former = account.owner
    transfer_ownership(account, cast.user("alice"), by=ada)
    delete_user(former, by=ada)


ACTS: list[Act] = [move, hand_over_and_delete_the_owner]


def require_consistent() -> None:
    """No room has another plan than its account, nor an owner who was deleted."""
    plans = sa.select(Room.id).join(Room.account).where(Room.subscription_uuid != Account.subscription_uuid)
    assert session.scalars(plans).all() == []
    owners = sa.select(User.name).join(Room, Room.owner_uuid == User.uuid)
    assert "Deleted user" not in session.scalars(owners).all()


@BOTH
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_an_account_that_changed_after_it_was_read_makes_no_room(
    cast: Cast, app: Flask, account_id: str, act: Act
) -> None:
    with app.app_context():
        read = room_account(account_with(account_id).uuid)
        session.commit()
        with transaction():
            act(cast, account_with(account_id), actor_of(cast.user("admin")))
        with pytest.raises(Conflict, match="Try again"), transaction():
            create_room(account=read, room_name="Late", by=actor_of(cast.user("admin")))
        require_consistent()
        with transaction():
            create_room(account=room_account(read.uuid), room_name="Now", by=actor_of(cast.user("admin")))
        require_consistent()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
@pytest.mark.parametrize("act", ACTS, ids=lambda act: act.__name__)
def test_of_two_at_once_one_waits_for_the_other(cast: Cast, app: Flask, account_id: str, act: Act) -> None:
    """Whoever comes first, the room has what its account has, or is refused, and nobody who owns a room is deleted."""
    for number in range(ROUNDS if act is move else 1):  # there is one owner to delete
        together = threading.Barrier(2, timeout=20)

        def changes(together: threading.Barrier = together) -> None:
            with app.app_context(), transaction():
                account, ada = account_with(account_id), actor_of(cast.user("admin"))
                session.commit()
                together.wait()
                act(cast, account, ada)

        def makes(together: threading.Barrier = together, name: str = f"Room {number}") -> None:
            with app.app_context(), transaction():
                read, ada = room_account(account_with(account_id).uuid), actor_of(cast.user("admin"))
                session.commit()
                together.wait()
                create_room(account=read, room_name=name, by=ada)

        ended = at_once(changes, makes)
        assert ended[0] == "done"
        assert ended[1] in {"done", "refused"}
        with app.app_context():
            require_consistent()


@BOTH
def test_a_room_comes_out_of_the_trash_only_if_the_plan_of_now_has_room(
    cast: Cast, app: Flask, account_id: str
) -> None:
    with app.app_context(), transaction():
        account, ada = account_with(account_id), actor_of(cast.user("admin"))
        room = new_room(account=account, room_name="Trashed", by=ada)
        trash_room(room, by=ada)
        move(cast, account, ada)
        full = sa.select(sa.func.count()).where(Room.account_uuid == account.uuid, Room.trashed_at.is_(None))
        plan = SubscriptionFeature.subscription_uuid == account_with(account_id).subscription_uuid
        session.execute(
            sa.update(SubscriptionFeature)
            .where(plan, SubscriptionFeature.code == MAX_ROOMS)
            .values(number=session.scalar(full))
        )
        with pytest.raises(Conflict, match="in use"):
            take_from_trash(session.get_one(Room, room.uuid), by=ada)


def enter_as_guest(found: Door) -> Place:
    return enter(room=found.room, visitor=Visitor(device="a phone"), name="Gus", code="", network="192.0.2.7")


def door_of(cast: Cast) -> Door:
    """The door of a public room of the account, as it is now, read by a transaction that has ended."""
    found = find_door(cast.open_house)
    assert found is not None
    session.commit()
    return found


def require_counted_where_the_room_is() -> None:
    """Nobody in a room counts for another plan than the room's."""
    elsewhere = sa.select(Participation.id).join(Room, Room.uuid == Participation.room_uuid)
    assert session.scalars(elsewhere.where(Participation.subscription_uuid != Room.subscription_uuid)).all() == []


@BOTH
def test_whoever_read_a_room_before_it_moved_reads_it_anew_before_he_enters(
    cast: Cast, app: Flask, account_id: str
) -> None:
    with app.app_context():
        found = door_of(cast)
        with transaction():
            move(cast, account_with(account_id), actor_of(cast.user("admin")))
        with pytest.raises(ArrivalOutdated), transaction():
            enter_as_guest(found)
        with transaction():
            arrive(
                room=found.room,
                provider=current_provider(found.room),
                visitor=Visitor(device="a phone"),
                network="192.0.2.7",
                name="Gus",
            )
        assert session.scalar(sa.select(sa.func.count()).select_from(Participation)) == 1
        require_counted_where_the_room_is()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_whoever_waits_at_the_door_while_the_room_moves_is_not_told_that_it_is_gone(
    cast: Cast, app: Flask, account_id: str
) -> None:
    refused: list[Exception] = []
    with app.app_context():
        found = door_of(cast)

    def enters() -> None:
        with app.app_context(), pytest.raises(ArrivalOutdated) as caught, transaction():
            enter_as_guest(found)
        refused.append(caught.value)

    thread = threading.Thread(target=enters)
    with app.app_context():
        with transaction():
            move(cast, account_with(account_id), actor_of(cast.user("admin")))
            thread.start()
            while not session.scalar(sa.text("SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted)")):
                assert thread.is_alive()
        thread.join(30)
        assert len(refused) == 1
        require_counted_where_the_room_is()


def at_once(*acts: Callable[[], None]) -> list[str]:
    """How each of these ended that begin at the same time."""
    ended = [""] * len(acts)

    def run(place: int, act: Callable[[], None]) -> None:
        try:
            act()
            ended[place] = "done"
        except (Conflict, NotFound):
            ended[place] = "refused"

    threads = [threading.Thread(target=run, args=one) for one in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    return ended
