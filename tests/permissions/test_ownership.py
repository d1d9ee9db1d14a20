"""Owners of customers and accounts: exactly one at any time, and nobody makes himself one."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from portal.accounts.models import Account, AccountMember
from portal.accounts.operations import create_account
from portal.accounts.permission import AccountPermission
from portal.accounts.room_account import room_account
from portal.audit.models import AuditEvent
from portal.clock import now
from portal.customers.models import Customer, CustomerMember
from portal.customers.permission import CustomerPermission
from portal.db import session
from portal.errors import Conflict, Invalid, NotAllowed
from portal.people.actor import Actor, actor_of
from portal.people.models import PlatformRole
from portal.permissions.account_rights import require_account_creation, require_account_deletion
from portal.permissions.members import RoomMember
from portal.permissions.memberships import add_membership, people_of
from portal.permissions.ownership import may_transfer, require_owner_of_new_account, transfer_ownership
from portal.permissions.permission import Permission
from portal.permissions.room_creation import create_room_for_maker
from portal.permissions.rules import can
from portal.rooms.models import Room
from portal.scopes import Scope
from portal.subscriptions.models import SubscriptionFeature
from tests.cast import Cast
from tests.conftest import BOTH

pytestmark = pytest.mark.usefixtures("in_app")


@pytest.fixture
def account(cast: Cast, in_app: None) -> Account:
    return cast.room().account


def member(cast: Cast, name: str, place: Account | Customer, *permissions: str) -> Actor:
    """Somebody who is a member of the place, with these rights, as a door loads him."""
    somebody = actor_of(cast.user(name))
    made: AccountMember | CustomerMember
    if isinstance(place, Account):
        made = AccountMember(account=place, user=cast.user(name), permissions=list(permissions))
    else:
        session.execute(sa.delete(CustomerMember).where(CustomerMember.user_uuid == somebody.uuid))
        made = CustomerMember(customer=place, user=cast.user(name), permissions=list(permissions))
    session.add(made)
    session.flush()
    somebody.memberships[place.uuid] = made
    return somebody


@BOTH
def test_a_customer_changes_hands_with_what_the_owner_had_below_it(cast: Cast, account: Account) -> None:
    acme, alice, bob = account.customer, cast.user("alice"), cast.user("bob")
    add_membership(place=acme, email=bob.email, permissions=[], by=actor_of(alice))
    transfer_ownership(acme, bob, by=actor_of(alice))
    session.commit()
    assert (acme.owner.name, account.owner.name, cast.room().owner.name) == ("Bob Fischer",) * 3
    former = session.scalars(sa.select(CustomerMember).where(CustomerMember.user_uuid == alice.uuid)).one()
    assert set(former.permissions) == set(CustomerPermission)
    assert session.scalars(sa.select(CustomerMember).where(CustomerMember.user_uuid == bob.uuid)).all() == []
    with pytest.raises(NotAllowed):
        transfer_ownership(acme, alice, by=actor_of(alice))


@BOTH
def test_nobody_stays_a_member_of_what_was_handed_down_to_him(cast: Cast, account: Account) -> None:
    """He was listed as owner and member at once, and the next transfer failed on his old membership."""
    acme, alice, bob = account.customer, cast.user("alice"), cast.user("bob")
    add_membership(place=acme, email=bob.email, permissions=[], by=actor_of(alice))
    add_membership(place=account, email=bob.email, permissions=[], by=actor_of(alice))
    assert session.scalars(sa.select(RoomMember).where(RoomMember.user_uuid == bob.uuid)).all()
    transfer_ownership(acme, bob, by=actor_of(alice))
    session.commit()
    assert [user.name for user, _ in session.execute(people_of(account)).unique()] == ["Bob Fischer"]
    assert not session.scalars(sa.select(RoomMember).where(RoomMember.user_uuid == bob.uuid)).all()
    told = sa.select(AuditEvent.action).where(AuditEvent.action.like("%.transferred")).order_by(AuditEvent.uuid)
    assert session.scalars(told).all() == ["customer.transferred", "account.transferred"]
    transfer_ownership(account, alice, by=actor_of(bob))
    session.commit()
    assert account.owner.name == cast.room().owner.name == "Alice Moreau"


def test_who_manages_people_does_not_hand_over(cast: Cast, account: Account) -> None:
    bob = member(cast, "bob", account, *AccountPermission)
    charlie = member(cast, "charlie", account.customer, *CustomerPermission)
    for by in (bob, charlie, actor_of(cast.user("bob"))):
        for place in (account, account.customer):
            with pytest.raises(NotAllowed):
                transfer_ownership(place, cast.user("bob"), by=by)
    assert account.owner.name == account.customer.owner.name == "Alice Moreau"


def test_an_account_is_handed_over_by_the_customers_owner_or_staff_and_rooms_go_along(
    cast: Cast, account: Account
) -> None:
    transfer_ownership(account, cast.user("bob"), by=actor_of(cast.user("admin")))
    assert (account.owner.name, cast.room().owner.name, account.customer.owner.name) == (
        "Bob Fischer",
        "Bob Fischer",
        "Alice Moreau",
    )
    transfer_ownership(account, cast.user("alice"), by=actor_of(cast.user("alice")))
    assert account.owner.name == "Alice Moreau"


CHANGE = ("staff:customers:read", "staff:customers:update", "staff:accounts:read", "staff:accounts:update")
ROOMS = ("staff:rooms:read", "staff:rooms:update", "staff:rooms:delete")


def clerk(cast: Cast, *permissions: str) -> Actor:
    """Charlie as one of the staff with these permissions."""
    cast.user("charlie").platform_roles = [PlatformRole(name="clerks", permissions=["dashboard:access", *permissions])]
    session.flush()
    return actor_of(cast.user("charlie"))


@pytest.mark.parametrize("missing", [*CHANGE[1::2], *ROOMS[1:]])
def test_staff_hand_over_only_with_every_permission_that_an_owner_gets(
    cast: Cast, account: Account, missing: str
) -> None:
    by = clerk(cast, *(one for one in (*CHANGE, *ROOMS) if one != missing))
    places: list[Account | Customer] = [account, account.customer]
    unchanged = {"staff:customers:update": places[1:], "staff:accounts:update": places[:1]}
    for place in unchanged.get(missing, places):
        assert not may_transfer(by, place)
        with pytest.raises(NotAllowed):
            transfer_ownership(place, cast.user("bob"), by=by)


def test_a_program_of_the_staff_hands_over_only_if_it_may_change_rooms(cast: Cast, account: Account) -> None:
    some = {Scope.ADMIN, Scope.CUSTOMERS_READ, Scope.CUSTOMERS_WRITE}
    by = clerk(cast, *CHANGE, *ROOMS)
    assert not may_transfer(replace(by, scopes=frozenset(some)), account)
    assert may_transfer(replace(by, scopes=frozenset(some | {Scope.ROOMS_WRITE})), account)


def test_staff_never_make_themselves_owners(cast: Cast, account: Account) -> None:
    by = clerk(cast, *CHANGE, *ROOMS)
    for place in (account, account.customer):
        with pytest.raises(NotAllowed, match="You cannot make yourself the owner"):
            transfer_ownership(place, cast.user("charlie"), by=by)
        transfer_ownership(place, cast.user("bob"), by=by)
        assert place.owner.name == "Bob Fischer"


def test_only_people_of_allowed_domains_become_owners(cast: Cast, account: Account) -> None:
    account.customer.allowed_domains_registration = ["acme.example"]
    with pytest.raises(Invalid):
        transfer_ownership(account, cast.user("bob"), by=actor_of(cast.user("alice")))


def test_only_the_customers_owner_and_staff_choose_who_owns_a_new_account(cast: Cast, account: Account) -> None:
    acme, alice, bob = account.customer, actor_of(cast.user("alice")), cast.user("bob")
    granted = member(cast, "charlie", acme, *CustomerPermission)
    staff = clerk(cast, "staff:accounts:read", "staff:accounts:create")
    for owner, by in ((cast.user("charlie"), granted), (bob, granted), (cast.user("charlie"), staff)):
        with pytest.raises(NotAllowed, match="Only Alice Moreau chooses another owner"):
            require_owner_of_new_account(owner, acme, by=by)
    for by in (alice, staff):
        require_owner_of_new_account(bob, acme, by=by)
    acme.allowed_domains_registration = ["acme.example"]
    with pytest.raises(Invalid):
        require_owner_of_new_account(bob, acme, by=alice)
    acme.allowed_domains_registration = []
    bob.deactivated_at = now()
    session.flush()
    with pytest.raises(Invalid, match="given data"):
        require_owner_of_new_account(bob, acme, by=alice)


def test_the_owner_cannot_be_missing(account: Account) -> None:
    with pytest.raises(sa.exc.IntegrityError), session.begin_nested():
        session.execute(sa.update(Customer).values(owner_uuid=None))


def grant(account: Account, code: str) -> None:
    account.subscription.features.append(SubscriptionFeature(code=code, switch=True))
    session.flush()


def test_a_customers_people_make_accounts_only_where_their_plan_lets_them(cast: Cast, account: Account) -> None:
    acme, alice, admin = account.customer, actor_of(cast.user("alice")), actor_of(cast.user("admin"))
    charlie = member(cast, "charlie", acme, "accounts:create")
    bob = actor_of(cast.user("bob"))
    require_account_creation(admin, account.subscription)
    require_account_deletion(admin, account)
    for by in (alice, charlie):
        with pytest.raises(Conflict):
            require_account_creation(by, account.subscription)
    grant(account, "allow_create_account")
    grant(account, "allow_delete_account")
    for by in (alice, charlie):
        require_account_creation(by, account.subscription)
    require_account_deletion(alice, account)
    for by, judge in ((charlie, require_account_deletion), (bob, require_account_deletion)):
        with pytest.raises(NotAllowed):
            judge(by, account)
    with pytest.raises(NotAllowed):
        require_account_creation(bob, account.subscription)


@BOTH
def test_a_plan_that_limits_accounts_is_counted(account: Account) -> None:
    subscription = account.subscription
    subscription.features.append(SubscriptionFeature(code="max_accounts", number=2))
    session.flush()
    create_account(subscription=subscription, account_name="Second")
    with pytest.raises(Conflict, match="All 2 accounts"):
        create_account(subscription=subscription, account_name="Third")


@BOTH
def test_who_may_only_make_rooms_has_the_room_in_hand_that_he_makes(cast: Cast, account: Account) -> None:
    for somebody in (
        member(cast, "bob", account, "rooms:create"),
        member(cast, "charlie", account.customer, "rooms:create"),
    ):
        room = create_room_for_maker(account=room_account(account.uuid), room_name="Mine", by=somebody)
        row = session.get_one(Room, room.uuid)
        assert {one for one in Permission if can(somebody, one, row)} == set(Permission)
        assert row.owner.name == "Alice Moreau"


def test_owners_and_staff_become_no_members_of_rooms_that_they_make(cast: Cast, account: Account) -> None:
    for name in ("alice", "admin"):
        room = create_room_for_maker(account=room_account(account.uuid), room_name="New", by=actor_of(cast.user(name)))
        assert actor_of(cast.user(name)).memberships.get(room.uuid) is None
        made = session.get_one(Room, room.uuid)
        assert all(can(actor_of(cast.user("alice")), one, made) for one in Permission)
