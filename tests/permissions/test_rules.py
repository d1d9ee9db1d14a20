"""Who may do what with rooms, accounts, customers and the platform: one table, for the cast, on both databases."""

from datetime import timedelta

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.accounts.models import Account, AccountMember
from portal.accounts.permission import AccountPermission
from portal.accounts.room_account import room_account
from portal.clock import now
from portal.customers.models import Customer, CustomerMember
from portal.customers.permission import CustomerPermission
from portal.db import session
from portal.people.actor import Actor, actor_of
from portal.people.models import PlatformRole
from portal.people.operations import create_user, user_of
from portal.people.staff import StaffPermission
from portal.permissions.account_filter import account_filter_for
from portal.permissions.creatable_accounts import creatable_account, creatable_accounts, only_creatable_account
from portal.permissions.permission import Permission
from portal.permissions.rules import PLATFORM, AnyPermission, Thing, acting_on, can, owners_of, rights
from portal.permissions.visibility import find_room
from portal.rooms.models import Room
from portal.scopes import Scope
from tests.cast import Cast
from tests.conftest import BOTH

pytestmark = pytest.mark.usefixtures("in_app")

KINDS: dict[str, type[AnyPermission]] = {
    "room": Permission,
    "account": AccountPermission,
    "customer": CustomerPermission,
    "platform": StaffPermission,
}


@pytest.fixture
def world(cast: Cast, in_app: None) -> dict[str, Thing]:
    """The board room, its account, which Dora owns, and its customer, which Alice owns."""
    room = cast.room()
    room.account.owner = create_user(email="dora@demo.example", name="Dora Diaz")
    session.flush()
    return {"room": room, "account": room.account, "customer": room.customer, "platform": PLATFORM}


def member(actor: Actor, thing: Account | Customer, *words: str, until: timedelta | None = None) -> Actor:
    """The actor with a membership that a door would have loaded."""
    made: AccountMember | CustomerMember
    ends = now() + until if until is not None else None
    if isinstance(thing, Account):
        made = AccountMember(account=thing, user_uuid=actor.uuid, permissions=list(words), until=ends)
    else:
        made = CustomerMember(customer=thing, user_uuid=actor.uuid, permissions=list(words), until=ends)
    session.add(made)
    session.flush()
    actor.memberships[thing.uuid] = made
    return actor


def as_staff(actor: Actor, *rights: StaffPermission) -> Actor:
    user = user_of(actor)
    user.platform_roles = [PlatformRole(name="Helpers", permissions=[right.value for right in rights])]
    return actor_of(user)


def may(actor: Actor | None, world: dict[str, Thing]) -> dict[str, set[str]]:
    """Everything that somebody may do, by kind of thing; kinds on which that is nothing are left out.

    What he may do with a room is asked both ways: one permission after the other, and all of them together as in lists.
    """
    found = {
        kind: {permission.value for permission in KINDS[kind] if can(actor, permission, thing)}
        for kind, thing in world.items()
    }
    room = world.get("room")
    if actor is not None and isinstance(room, Room):
        assert {one.value for one in rights(actor, room, now())} == found["room"]
    return {kind: words for kind, words in found.items() if words}


def every(kind: str) -> set[str]:
    return {permission.value for permission in KINDS[kind]}


@BOTH
def test_owners_may_do_everything_with_what_is_theirs_and_below(cast: Cast, world: dict[str, Thing]) -> None:
    alice = actor_of(cast.user("alice"))
    dora = actor_of(owner) if (owner := world["account"].owner) else None  # type: ignore[union-attr]
    assert may(alice, world) == {kind: every(kind) for kind in ("room", "account", "customer")}
    assert may(dora, world) == {kind: every(kind) for kind in ("room", "account")}


@BOTH
def test_strangers_and_nobody_may_do_nothing(cast: Cast, world: dict[str, Thing]) -> None:
    assert may(actor_of(cast.user("charlie")), world) == {}
    assert may(None, world) == {}


@BOTH
def test_a_member_of_a_room_may_do_in_it_what_was_granted_and_nothing_above(
    cast: Cast, world: dict[str, Thing]
) -> None:
    bob = actor_of(cast.user("bob"))
    assert find_room(bob, cast.board) is not None  # loads his membership
    assert may(bob, world) == {"room": {"room:view", "status:view"}}


@BOTH
def test_a_member_of_an_account_may_do_there_what_was_granted(cast: Cast, world: dict[str, Thing]) -> None:
    account = world["account"]
    assert isinstance(account, Account)
    bob = member(actor_of(cast.user("bob")), account, "rooms:create", "usage:view", "no such thing", "customer:edit")
    assert may(bob, world) == {"account": {"rooms:create", "usage:view"}}


@BOTH
def test_a_member_at_a_customer_may_do_there_and_in_its_accounts_what_was_granted(
    cast: Cast, world: dict[str, Thing]
) -> None:
    customer = world["customer"]
    assert isinstance(customer, Customer)
    bob = member(actor_of(cast.user("bob")), customer, "rooms:create", "accounts:create", "customer:edit")
    assert may(bob, world) == {
        "account": {"rooms:create"},
        "customer": {"rooms:create", "accounts:create", "customer:edit"},
    }


@BOTH
@pytest.mark.parametrize("kind", ["account", "customer"])
def test_a_membership_above_ends_at_its_time(cast: Cast, world: dict[str, Thing], kind: str) -> None:
    thing, bob = world[kind], actor_of(cast.user("bob"))
    assert isinstance(thing, Account | Customer)
    assert can(member(bob, thing, "usage:view", until=timedelta(hours=1)), KINDS[kind]("usage:view"), thing)
    held = bob.memberships[thing.uuid]
    assert isinstance(held, AccountMember | CustomerMember)
    held.until = now()
    assert may(bob, world) == {}


@BOTH
@pytest.mark.parametrize(
    ("right", "given"),
    [
        (StaffPermission.DASHBOARD_ACCESS, {}),
        (StaffPermission.CUSTOMERS_READ, {"customer": {"usage:view"}}),
        (StaffPermission.CUSTOMERS_UPDATE, {"customer": {"customer:edit", "members:manage"}}),
        (StaffPermission.CUSTOMERS_DELETE, {}),
        (StaffPermission.ACCOUNTS_READ, {"account": {"usage:view"}}),
        (StaffPermission.ACCOUNTS_CREATE, {"customer": {"accounts:create"}}),
        (
            StaffPermission.ACCOUNTS_UPDATE,
            {"account": {"account:edit", "members:manage"}, "customer": {"account:edit"}},
        ),
        (StaffPermission.ACCOUNTS_DELETE, {"customer": {"accounts:delete"}}),
        (StaffPermission.ROOMS_READ, {"room": {"room:view", "status:view", "members:view", "reports:view"}}),
        (StaffPermission.ROOMS_CREATE, {"account": {"rooms:create"}, "customer": {"rooms:create"}}),
        (StaffPermission.ROOMS_UPDATE, {"room": {one.value for one in Permission} - {"room:delete"}}),
        (StaffPermission.ROOMS_DELETE, {"room": {"room:delete"}}),
        (StaffPermission.USERS_UPDATE, {}),
        (StaffPermission.AUDIT_READ, {}),
    ],
)
def test_what_a_right_of_staff_gives(
    cast: Cast, world: dict[str, Thing], right: StaffPermission, given: dict[str, set[str]]
) -> None:
    charlie = as_staff(actor_of(cast.user("charlie")), right)
    assert may(charlie, world) == {**given, "platform": {right.value}}


@BOTH
def test_the_builtin_role_may_do_everything(cast: Cast, world: dict[str, Thing]) -> None:
    ada = may(actor_of(cast.user("admin")), world)
    assert ada["platform"] == every("platform")
    assert ada["room"] == every("room")
    assert ada["account"] == every("account")
    assert ada["customer"] == every("customer")


def test_staff_may_read_create_change_and_delete_each_noun() -> None:
    nouns = ("customers", "accounts", "subscriptions", "packages", "providers", "rooms", "users", "roles")
    verbs = ("read", "create", "update", "delete")
    words = {f"staff:{noun}:{verb}" for noun in nouns for verb in verbs}
    assert every("platform") == words | {"staff:audit:read", "dashboard:access"}


def test_a_permission_that_is_none_of_the_things_is_nobodys(cast: Cast, world: dict[str, Thing]) -> None:
    ada, alice = actor_of(cast.user("admin")), actor_of(cast.user("alice"))
    for kind, thing in world.items():
        strange = [one for other, words in KINDS.items() if other != kind for one in words]
        assert not [one for one in strange if can(ada, one, thing) or can(alice, one, thing)]
    assert not can(ada, Permission.ROOM_VIEW, object())  # type: ignore[arg-type]


def test_scopes_narrow_what_a_program_may_do_above_the_room(cast: Cast, world: dict[str, Thing]) -> None:
    alice = actor_of(cast.user("alice"), scopes=frozenset({Scope.CUSTOMERS_READ, Scope.ROOMS_WRITE}))
    assert may(alice, world)["account"] == {"rooms:create", "usage:view"}
    assert may(alice, world)["customer"] == {"rooms:create", "usage:view"}
    ada = actor_of(cast.user("admin"), scopes=frozenset({Scope.ADMIN, Scope.CUSTOMERS_READ}))
    assert may(ada, world)["customer"] == {"usage:view"}
    assert {"staff:customers:read", "staff:packages:read"} < may(ada, world)["platform"]
    assert not can(ada, StaffPermission.ROOMS_READ, PLATFORM)
    plain = actor_of(cast.user("admin"), scopes=frozenset(Scope) - {Scope.ADMIN})
    assert may(plain, world) == {}


@BOTH
def test_who_may_make_rooms_by_the_rules_finds_the_account(cast: Cast, world: dict[str, Thing]) -> None:
    account, customer = world["account"], world["customer"]
    assert isinstance(account, Account)
    assert isinstance(customer, Customer)
    bob, charlie = actor_of(cast.user("bob")), actor_of(cast.user("charlie"))
    session.execute(sa.delete(CustomerMember))
    assert creatable_accounts(bob) == []
    assert creatable_account(charlie, account.id) is None
    member(bob, account, "rooms:create")
    member(charlie, customer, "usage:view", "rooms:create")
    for name in ("bob", "charlie", "alice", "admin"):
        somebody = actor_of(cast.user(name))
        assert account.uuid in [one.uuid for one in creatable_accounts(somebody)]
        found = creatable_account(somebody, account.id)
        assert found == room_account(account.uuid)
        assert found == creatable_account(somebody, str(account.uuid))
        assert can(somebody, AccountPermission.ROOMS_CREATE, found), name
        assert can(somebody, AccountPermission.ROOMS_CREATE, account), name
        assert account_filter_for(somebody, "").may_create, name
    assert only_creatable_account(actor_of(cast.user("bob"))) == room_account(account.uuid)
    assert only_creatable_account(actor_of(cast.user("charlie"))) is None  # he has one of his own


@BOTH
@pytest.mark.parametrize("words", [["usage:view"], ["rooms:create"]])
def test_a_grant_that_ended_or_is_another_one_finds_no_account(
    cast: Cast, world: dict[str, Thing], words: list[str]
) -> None:
    for thing in (world["account"], world["customer"]):
        assert isinstance(thing, Account | Customer)
        ended = timedelta(seconds=-1) if "rooms:create" in words else None
        member(actor_of(cast.user("bob")), thing, *words, until=ended)
    assert creatable_accounts(actor_of(cast.user("bob"))) == []
    assert not account_filter_for(actor_of(cast.user("bob")), "").may_create


def test_staff_act_on_behalf_of_the_customer_and_others_in_their_own_right(cast: Cast, world: dict[str, Thing]) -> None:
    ada, alice = actor_of(cast.user("admin")), actor_of(cast.user("alice"))
    customer = cast.room().customer.uuid
    wishes: list[tuple[AnyPermission, Thing, object]] = [
        (Permission.ROOM_EDIT, world["room"], customer),
        (AccountPermission.ROOMS_CREATE, world["account"], customer),
        (CustomerPermission.CUSTOMER_EDIT, world["customer"], customer),
        (StaffPermission.AUDIT_READ, PLATFORM, None),
    ]
    for permission, thing, on_behalf_of in wishes:
        assert acting_on(ada, permission, thing).on_behalf_of_uuid == on_behalf_of
        if thing is not PLATFORM:
            assert acting_on(alice, permission, thing).on_behalf_of_uuid is None
    both = as_staff(alice, *StaffPermission)
    assert acting_on(both, Permission.ROOM_EDIT, world["room"]).on_behalf_of_uuid is None


def test_a_room_lies_below_its_account_and_its_customer(world: dict[str, Thing], app: Flask) -> None:
    room = owners_of(world["room"])
    assert room.customer == owners_of(world["account"]).customer == owners_of(world["customer"]).customer
    assert owners_of(world["account"]).room is None
    assert owners_of(PLATFORM) == type(room)()
