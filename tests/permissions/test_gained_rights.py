"""A link for a first password, which its issuer knows, never opens what its person was given after it was issued."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from portal.accounts.models import Account, AccountMember
from portal.accounts.operations import create_account
from portal.accounts.permission import AccountPermission
from portal.customers.models import Customer, CustomerMember
from portal.customers.operations import create_customer
from portal.db import session
from portal.errors import NotFound
from portal.people.actor import Actor, actor_of
from portal.people.models import User
from portal.people.operations import create_user
from portal.people.password_links import find_password_link, issue_password_link, use_password_link
from portal.people.role_holders import change_roles
from portal.people.roles import change_role, create_role
from portal.people.staff import StaffPermission
from portal.permissions.memberships import add_membership, change_membership
from portal.permissions.operations import add_member, change_member, remove_member, restore_member
from portal.permissions.ownership import transfer_ownership
from portal.permissions.permission import Permission
from portal.subscriptions.models import SubscriptionFeature
from tests.cast import Cast
from tests.conftest import BOTH

pytestmark = pytest.mark.usefixtures("in_app")
EMAIL = "eva@demo.example"
Gain = Callable[[Cast, User, Actor], object]


@pytest.fixture
def eva(cast: Cast, in_app: None) -> User:
    """Somebody without a password who belongs to Acme, and may nothing there."""
    user = create_user(email=EMAIL, name="Eva")
    session.add(CustomerMember(customer=cast.room().customer, user=user))
    session.flush()
    return user


@pytest.fixture
def clerk(cast: Cast, in_app: None) -> Actor:
    """Who issues the link: staff, with a password of their own."""
    return actor_of(cast.user("charlie"))


def issued(eva: User, by: Actor | None) -> str:
    return issue_password_link(eva, by=by).path.partition("token=")[2]


def gets_role(_cast: Cast, eva: User, ada: Actor) -> None:
    change_roles(eva, by=ada, give=[create_role(name="helpers", permissions=[StaffPermission.ROOMS_READ], by=ada)])


def becomes_customers_owner(cast: Cast, eva: User, ada: Actor) -> None:
    transfer_ownership(cast.room().customer, eva, by=ada)


def becomes_accounts_owner(cast: Cast, eva: User, ada: Actor) -> None:
    transfer_ownership(cast.room().account, eva, by=ada)


def gets_new_account(cast: Cast, eva: User, ada: Actor) -> None:
    session.execute(sa.delete(SubscriptionFeature).where(SubscriptionFeature.code == "max_accounts"))
    create_account(subscription=cast.room().subscription, account_name="More", owner=eva, by=ada)


def gets_new_customer(_cast: Cast, eva: User, ada: Actor) -> None:
    create_customer(company_name="Evas", email=eva.email, by=ada)


def joins_account(cast: Cast, eva: User, ada: Actor) -> None:
    add_membership(place=cast.room().account, email=EMAIL, permissions=[AccountPermission.ROOMS_CREATE], by=ada)


def joins_other_customer(_cast: Cast, eva: User, ada: Actor) -> None:
    globex = session.scalars(sa.select(Customer).where(Customer.company_name == "Globex")).one()
    add_membership(place=globex, email=EMAIL, permissions=[], by=ada)


def joins_room(cast: Cast, eva: User, ada: Actor) -> None:
    add_member(room=cast.room(), permissions=[Permission.ROOM_MODERATE], email=EMAIL, by=ada)


GAINS: list[Gain] = [
    gets_role, becomes_customers_owner, becomes_accounts_owner, gets_new_account, gets_new_customer, joins_account,
    joins_other_customer, joins_room,
]  # fmt: skip
GRANTS: list[Gain] = [joins_account, joins_other_customer, joins_room]


@BOTH
@pytest.mark.parametrize("gain", GAINS, ids=lambda gain: gain.__name__)
def test_whatever_somebody_gains_ends_the_link_of_somebody_else(
    cast: Cast, eva: User, clerk: Actor, gain: Gain
) -> None:
    token = issued(eva, clerk)
    gain(cast, eva, actor_of(cast.user("admin")))
    session.commit()
    with pytest.raises(NotFound):
        use_password_link(token=token, password="taken-over-by-the-clerk", network="192.0.2.1")
    assert eva.password_hash is None


@pytest.mark.parametrize("gain", GAINS, ids=lambda gain: gain.__name__)
def test_only_what_the_issuer_has_himself_he_gives_without_ending_his_link(cast: Cast, eva: User, gain: Gain) -> None:
    ada = actor_of(cast.user("admin"))
    token = issued(eva, ada)
    gain(cast, eva, ada)
    if gain in GRANTS:
        assert find_password_link(token).user_uuid == eva.uuid
    else:
        with pytest.raises(NotFound):
            find_password_link(token)


@pytest.mark.parametrize("gain", GRANTS, ids=lambda gain: gain.__name__)
def test_a_link_of_which_nobody_knows_the_issuer_ends_with_any_right(cast: Cast, eva: User, gain: Gain) -> None:
    token = issued(eva, None)
    gain(cast, eva, actor_of(cast.user("admin")))
    with pytest.raises(NotFound):
        find_password_link(token)


def test_more_rights_end_it_and_fewer_do_not(cast: Cast, eva: User, clerk: Actor) -> None:
    ada, room = actor_of(cast.user("admin")), cast.room()
    member = add_member(room=room, permissions=[Permission.ROOM_MODERATE, Permission.STATUS_VIEW], email=EMAIL, by=ada)
    token = issued(eva, clerk)
    change_member(member, room=room, permissions=[Permission.STATUS_VIEW], by=ada)
    assert find_password_link(token)
    change_member(member, room=room, permissions=[Permission.ROOM_EDIT], by=ada)
    with pytest.raises(NotFound):
        find_password_link(token)
    kept = remove_member(member, room=room, by=ada)
    token = issued(eva, clerk)
    restore_member(room=room, kept=kept, by=ada)
    with pytest.raises(NotFound):
        find_password_link(token)


def test_more_rights_above_the_room_end_it_and_fewer_do_not(cast: Cast, eva: User, clerk: Actor) -> None:
    joins_account(cast, eva, ada := actor_of(cast.user("admin")))
    member = session.scalars(sa.select(AccountMember)).one()
    token = issued(eva, clerk)
    change_membership(member, permissions=frozenset[AccountPermission](), by=ada)
    assert find_password_link(token)
    change_membership(member, permissions=[AccountPermission.ACCOUNT_EDIT], by=ada)
    with pytest.raises(NotFound):
        find_password_link(token)


def test_more_permissions_of_a_role_end_the_links_of_its_holders(cast: Cast, eva: User, clerk: Actor) -> None:
    ada = actor_of(cast.user("admin"))
    role = create_role(name="helpers", permissions=[StaffPermission.ROOMS_READ], by=ada)
    change_roles(eva, by=ada, give=[role])
    token = issued(eva, clerk)
    change_role(role, by=ada, display_name="Who helps")
    assert find_password_link(token)
    change_role(role, by=ada, permissions=[StaffPermission.ROOMS_READ, StaffPermission.ROOMS_UPDATE])
    with pytest.raises(NotFound):
        find_password_link(token)


def test_an_owner_gains_nothing_below_the_own_customer(cast: Cast, clerk: Actor) -> None:
    ada = actor_of(cast.user("admin"))
    eva = create_user(email=EMAIL, name="Eva")
    customer = cast.room().customer
    transfer_ownership(customer, eva, by=ada)
    account = session.scalars(sa.select(Account).where(Account.customer_uuid == customer.uuid)).one()
    transfer_ownership(account, cast.user("alice"), by=ada)
    token = issued(eva, clerk)
    transfer_ownership(account, eva, by=ada)
    assert find_password_link(token)
