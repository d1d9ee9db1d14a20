"""Memberships above the room: nobody grants what he lacks, nor edits his own."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from portal.accounts.models import Account, AccountMember
from portal.accounts.permission import AccountPermission as In
from portal.audit.models import AuditEvent
from portal.clock import now
from portal.customers.models import Customer, CustomerMember
from portal.customers.permission import CustomerPermission as At
from portal.db import session
from portal.errors import Invalid, NotAllowed
from portal.people.actor import Actor, actor_of
from portal.people.models import PlatformRole
from portal.people.staff import StaffPermission as Staff
from portal.permissions.memberships import add_membership, change_membership, remove_membership
from portal.permissions.places import visible_account, visible_accounts, visible_customer, visible_customers
from tests.cast import Cast
from tests.conftest import BOTH

pytestmark = pytest.mark.usefixtures("in_app")
BOB, CHARLIE = "bob@demo.example", "charlie@demo.example"


@pytest.fixture
def alice(cast: Cast, in_app: None) -> Actor:
    return actor_of(cast.user("alice"))


@pytest.fixture
def account(cast: Cast, in_app: None) -> Account:
    return cast.room().account


@pytest.fixture
def customer(cast: Cast, in_app: None) -> Customer:
    return cast.room().customer


def managing(cast: Cast, account: Account, alice: Actor, *more: In) -> Actor:
    """Bob, who may manage people of the account."""
    bob = actor_of(cast.user("bob"))
    bob.memberships[account.uuid] = add_membership(
        place=account, email=BOB, permissions=[In.MEMBERS_MANAGE, *more], by=alice
    )
    return bob


def actions() -> list[tuple[str, str]]:
    session.commit()
    lines = sa.select(AuditEvent.action, AuditEvent.thing).where(
        AuditEvent.thing.in_(["account_members", "customer_members"])
    )
    return [(action, thing) for action, thing in session.execute(lines.order_by(AuditEvent.uuid))]


@pytest.mark.parametrize("one", Staff)
def test_staff_see_of_customers_and_accounts_what_their_lists_show(
    cast: Cast, account: Account, customer: Customer, one: Staff
) -> None:
    """Nothing is shown to whoever may only make rooms or accounts somewhere."""
    cast.user("bob").platform_roles = [PlatformRole(name="clerks", permissions=[str(one)])]
    session.flush()
    bob = actor_of(cast.user("bob"))
    read: Account | Customer | None
    for read, listed, permission in (
        (visible_customer(bob, customer.id), visible_customers(bob, now()), Staff.CUSTOMERS_READ),
        (visible_account(bob, account.id), visible_accounts(bob, now()), Staff.ACCOUNTS_READ),
    ):
        assert (read is not None) is bool(session.scalars(listed).unique().all()) is (one is permission)


def test_whoever_may_make_accounts_somewhere_finds_the_customer_for_that(cast: Cast, customer: Customer) -> None:
    cast.user("bob").platform_roles = [PlatformRole(name="clerks", permissions=[str(Staff.ACCOUNTS_CREATE)])]
    session.flush()
    bob = actor_of(cast.user("bob"))
    assert visible_customer(bob, customer.id, using=At.ACCOUNTS_CREATE) is customer
    assert visible_customer(bob, customer.id, using=At.ACCOUNTS_DELETE) is None


@BOTH
def test_an_owner_grants_changes_and_ends_a_membership(alice: Actor, account: Account, customer: Customer) -> None:
    until = now() + timedelta(days=1)
    inside = add_membership(place=account, email=BOB, permissions=[In.USAGE_VIEW, In.ROOMS_CREATE], by=alice)
    above = add_membership(place=customer, email=BOB, permissions=[At.ACCOUNTS_CREATE], by=alice, until=until)
    assert isinstance(inside, AccountMember)
    assert isinstance(above, CustomerMember)
    assert inside.permissions == ["rooms:create", "usage:view"]
    change_membership(inside, permissions=[In.ACCOUNT_EDIT], by=alice)
    change_membership(above, permissions=[], by=alice)
    assert inside.granted(now()) == {In.ACCOUNT_EDIT}
    assert (above.permissions, above.until) == ([], None)
    remove_membership(inside, by=alice)
    remove_membership(above, by=alice)
    kinds = ("account_members", "customer_members")
    done = ("member.added", "member.changed", "member.removed")
    assert actions() == [(action, kind) for action in done for kind in kinds]


@BOTH
@pytest.mark.parametrize("email", ["nobody@demo.example", "alice@demo.example", BOB])
def test_members_are_known_no_owners_and_none_twice(
    alice: Actor, account: Account, customer: Customer, email: str
) -> None:
    for place in (account, customer):
        add_membership(place=place, email=BOB, permissions=[], by=alice)
        with pytest.raises(Invalid) as refused:
            add_membership(place=place, email=email, permissions=[], by=alice)
        assert set(refused.value.fields) == {"email"}


def test_nobody_grants_or_takes_what_he_lacks(cast: Cast, alice: Actor, account: Account) -> None:
    bob = managing(cast, account, alice, In.USAGE_VIEW)
    with pytest.raises(NotAllowed):
        add_membership(place=account, email=CHARLIE, permissions=[In.ROOMS_CREATE], by=bob)
    charlie = add_membership(place=account, email=CHARLIE, permissions=[In.USAGE_VIEW], by=bob)
    with pytest.raises(NotAllowed):
        change_membership(charlie, permissions=[In.USAGE_VIEW, In.ROOMS_CREATE], by=bob)
    change_membership(charlie, permissions=[In.ROOMS_CREATE], by=alice)
    with pytest.raises(NotAllowed):
        change_membership(charlie, permissions=[], by=bob)
    with pytest.raises(NotAllowed):
        change_membership(charlie, permissions=[In.ROOMS_CREATE], until=now(), by=bob)
    with pytest.raises(NotAllowed):
        remove_membership(charlie, by=bob)
    change_membership(charlie, permissions=[In.ROOMS_CREATE, In.USAGE_VIEW], by=bob)
    assert charlie.permissions == ["rooms:create", "usage:view"]


def test_nobody_edits_his_own(cast: Cast, alice: Actor, account: Account) -> None:
    bob = managing(cast, account, alice)
    own = bob.memberships[account.uuid]
    assert isinstance(own, AccountMember)
    with pytest.raises(Invalid):
        add_membership(place=account, email=BOB, permissions=[], by=bob)
    with pytest.raises(NotAllowed):
        change_membership(own, permissions=[In.MEMBERS_MANAGE], by=bob)
    with pytest.raises(NotAllowed):
        remove_membership(own, by=bob)


def test_who_manages_people_at_a_customer_grants_in_its_accounts_what_he_has_there(
    cast: Cast, alice: Actor, account: Account, customer: Customer
) -> None:
    bob = actor_of(cast.user("bob"))
    bob.memberships[customer.uuid] = add_membership(
        place=customer, email=BOB, permissions=[At.MEMBERS_MANAGE, At.ROOMS_CREATE], by=alice
    )
    add_membership(place=account, email=CHARLIE, permissions=[In.ROOMS_CREATE], by=bob)
    with pytest.raises(NotAllowed):
        add_membership(place=customer, email=CHARLIE, permissions=[At.CUSTOMER_EDIT], by=bob)
