"""Handing a customer or an account over to another owner. Each has exactly one, always: the column is not null."""

import sqlalchemy as sa

from portal.accounts.models import Account, AccountMember
from portal.accounts.permission import AccountPermission
from portal.audit.operations import record_event
from portal.channels import channels
from portal.customers.fields import require_allowed_domain
from portal.customers.models import Customer, CustomerMember
from portal.customers.permission import CustomerPermission
from portal.db import lock, on_commit, session
from portal.errors import Invalid, Message, NotAllowed
from portal.people.actor import Actor
from portal.people.models import User
from portal.people.password_links import end_password_link
from portal.people.staff import StaffPermission
from portal.permissions.members import RoomMember
from portal.permissions.rules import PLATFORM, can, owners_of, owns_above
from portal.rooms.models import Room
from portal.scopes import Scope


def may_transfer(by: Actor, place: Account | Customer) -> bool:
    """Whether `by` may hand it over: its owner, the owner of the customer above it, or staff.

    Staff need, besides the permission to change it, what an owner may do with its rooms: nobody gives what he lacks.
    """
    if owns_above(by, owners_of(place)):
        return by.within(Scope.CUSTOMERS_WRITE)
    change = StaffPermission.CUSTOMERS_UPDATE if isinstance(place, Customer) else StaffPermission.ACCOUNTS_UPDATE
    needed = change, StaffPermission.ROOMS_UPDATE, StaffPermission.ROOMS_DELETE
    return all(can(by, one, PLATFORM) for one in needed)


def transfer_ownership(place: Account | Customer, to: User, *, by: Actor) -> None:
    """Make `to`, who belongs to the customer, the owner. The former owner becomes a member with every right there.

    What the former owner owns below it goes along: else he would keep every right on it. Raises `NotAllowed`, also for
    staff who would make themselves the owner, `Invalid` on `email`, or `NotFound`.
    """
    customer = place if isinstance(place, Customer) else place.customer
    lock(customer)
    lock(place)
    if not may_transfer(by, place):
        raise NotAllowed(Message("Only the owner hands this over. Ask %(owner)s.", owner=place.owner.name))
    if to.uuid == place.owner_uuid:
        return
    if to.uuid == by.uuid and not owns_above(by, owners_of(place)):
        raise NotAllowed(Message("You cannot make yourself the owner. Ask %(owner)s.", owner=place.owner.name))
    _require_possible_owner(to, customer)
    former = place.owner
    if to.uuid != customer.owner_uuid:
        end_password_link(to)
    _make_owner(place, former, to, by=by)
    if isinstance(place, Customer):
        for account in _owned_accounts(place, former):
            _make_owner(account, former, to, by=by)
    _hand_rooms_down(place, former, to)
    session.add(_membership_of_all(place, former))
    session.flush()
    topics = [f"user:{former.uuid}", f"user:{to.uuid}"]
    on_commit(lambda: channels().nudge(*topics))


def require_owner_of_new_account(owner: User, customer: Customer, *, by: Actor) -> None:
    """Raise `NotAllowed` unless `by` may make an account of the customer that `owner` owns; or `Invalid` on `email`.

    An owner has every right there. So whoever was only granted to make accounts does not choose one, nor do staff
    choose themselves.
    """
    if customer.owner_uuid != by.uuid and (StaffPermission.ACCOUNTS_CREATE not in by.staff or owner.uuid == by.uuid):
        raise NotAllowed(Message("Only %(owner)s chooses another owner for it.", owner=customer.owner.name))
    _require_possible_owner(owner, customer)


def _require_possible_owner(user: User, customer: Customer) -> None:
    lock(user)  # nobody deletes him meanwhile, having counted that he owns nothing
    if user.deactivated_at is not None:
        raise Invalid(email=Message("%(name)s is deactivated.", name=user.name))
    require_allowed_domain(user.email, customer.allowed_domains_registration)


def _membership_of_all(place: Account | Customer, user: User) -> AccountMember | CustomerMember:
    if isinstance(place, Account):
        return AccountMember(account=place, user=user, permissions=sorted(AccountPermission))
    return CustomerMember(customer=place, user=user, permissions=sorted(CustomerPermission))


def _make_owner(place: Account | Customer, former: User, to: User, *, by: Actor) -> None:
    """Let `to` own this one thing, of which nobody is the owner and a member at once."""
    if isinstance(place, Account):
        found = sa.delete(AccountMember).where(AccountMember.account_uuid == place.uuid, AccountMember.user == to)
    else:
        found = sa.delete(CustomerMember).where(CustomerMember.customer_uuid == place.uuid, CustomerMember.user == to)
    session.execute(found)
    place.owner = to
    session.flush()
    action = "customer.transferred" if isinstance(place, Customer) else "account.transferred"
    record_event(action, place, by=by, owner_before=former.id, owner_after=to.id)


def _owned_accounts(customer: Customer, owner: User) -> list[Account]:
    """The accounts of the customer that this user owns, each locked."""
    theirs = sa.select(Account).where(Account.customer_uuid == customer.uuid, Account.owner_uuid == owner.uuid)
    accounts = session.scalars(theirs.order_by(Account.uuid)).all()
    for account in accounts:
        lock(account)
    return [account for account in accounts if account.owner_uuid == owner.uuid]


def _hand_rooms_down(place: Account | Customer, former: User, to: User) -> None:
    """Let `to` own the rooms below `place` that `former` owns, also those in the trash, and be no member of them."""
    below = Room.customer_uuid == place.uuid if isinstance(place, Customer) else Room.account_uuid == place.uuid
    rooms = below, Room.owner_uuid == former.uuid
    for statement in (
        sa.delete(RoomMember).where(
            RoomMember.user_uuid == to.uuid, RoomMember.room_uuid.in_(sa.select(Room.uuid).where(*rooms))
        ),
        sa.update(Room).where(*rooms).values(owner_uuid=to.uuid),
    ):
        session.execute(statement, execution_options={"synchronize_session": False})
    session.expire_all()
