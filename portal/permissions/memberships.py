"""Granting rights in an account or at a customer, changing and ending them.

Whether somebody may manage people there at all is judged by the door; here it is judged what he may hand out.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.accounts.models import Account, AccountMember
from portal.accounts.permission import AccountPermission
from portal.audit.changes import changes_since, differences, values_of
from portal.audit.operations import record_event
from portal.customers.creating import lock_for_creating
from portal.customers.fields import require_allowed_domain
from portal.customers.models import Customer, CustomerMember
from portal.customers.permission import CustomerPermission
from portal.db import lock, session
from portal.errors import Invalid, Message, NotAllowed, NotFound
from portal.identifiers import matches_identifier
from portal.people.actor import Actor
from portal.people.memberships import GRANTED
from portal.people.models import User
from portal.people.operations import create_user, find_by_email
from portal.people.staff import StaffPermission
from portal.permissions.colleagues import find_colleague, no_colleague
from portal.permissions.first_passwords import end_link_of_member
from portal.permissions.rules import can, require_end_within

Member = AccountMember | CustomerMember
Grants = Collection[AccountPermission] | Collection[CustomerPermission]


def people_of(place: Account | Customer) -> sa.Select[User, Any]:
    """A SELECT of the owner, and of each member with his membership; that of the owner is None."""
    kind: type[AccountMember | CustomerMember]
    if isinstance(place, Account):
        kind, here = AccountMember, AccountMember.account_uuid == place.uuid
    else:
        kind, here = CustomerMember, CustomerMember.customer_uuid == place.uuid
    query = sa.select(User, kind).outerjoin(kind, sa.and_(kind.user_uuid == User.uuid, here))
    return query.where(sa.or_(User.uuid == place.owner_uuid, kind.uuid.is_not(None)))


def find_membership(place: Account | Customer, user_id: str) -> Member:
    """The membership there of the user with this id, uuid or ulid. Raises `NotFound`, also for the owner."""
    row = session.execute(people_of(place).where(matches_identifier(User, user_id))).unique().one_or_none()
    if row is None or row[1] is None:
        raise NotFound
    member: Member = row[1]
    return member


def may_add_new_people(by: Actor) -> bool:
    """Whether `by` may add somebody who is new to the portal: staff who may make users."""
    return StaffPermission.USERS_CREATE in by.staff


def add_person(
    *,
    place: Account | Customer,
    email: str,
    name: str,
    permissions: Grants,
    by: Actor,
    until: datetime | None = None,
) -> Member:
    """Make a user a member, as `add_membership` does, and the user before if nobody has this address.

    Only for whom `may_add_new_people`; for others the `name` does not count. Raises as both do.
    """
    if may_add_new_people(by) and find_by_email(email) is None:
        lock_for_creating(_customer_of(place))
        if not name.strip():
            raise Invalid(name=Message("Nobody has this address yet. Fill in the name to add somebody new."))
        create_user(email=email, name=name, by=by)
    return add_membership(place=place, email=email, permissions=permissions, until=until, by=by)


def add_membership(
    *, place: Account | Customer, email: str, permissions: Grants, by: Actor | None, until: datetime | None = None
) -> Member:
    """Make a user a member of the account or customer. `by` is None for the portal itself, which may add anybody.

    So may staff who read all users. Everybody else adds only people who belong to the customer already. Raises
    `Invalid` on `email`, with one answer for all others; on `until` if that is later than the rights of `by` end;
    `NotAllowed`; or `Conflict` if nothing new may be made for the customer.
    """
    customer = _customer_of(place)
    lock_for_creating(customer)
    everybody = by is None or StaffPermission.USERS_READ in by.staff
    user = find_by_email(email) if everybody else find_colleague(customer, email=email)
    if user is None:
        raise Invalid(email=no_colleague(customer))
    if user.uuid == place.owner_uuid:
        raise Invalid(email=Message("%(name)s is the owner and may do everything.", name=user.name))
    require_allowed_domain(user.email, customer.allowed_domains_registration)
    if by is not None:
        if user.uuid == by.uuid:
            raise Invalid(email=Message("You cannot grant rights to yourself."))
        _require_grantable(by, place, permissions)
        require_end_within(by, place, permissions, until)
    member: Member
    if isinstance(place, Account):
        member = AccountMember(account=place, user=user, permissions=sorted(permissions), until=until)
    else:
        member = CustomerMember(customer=place, user=user, permissions=sorted(permissions), until=until)
    try:
        with session.begin_nested():
            session.add(member)
    except IntegrityError:
        raise Invalid(
            email=Message("%(name)s is a member already: change the rights in the list.", name=user.name)
        ) from None
    end_link_of_member(user, customer, by=by)
    record_event("member.added", member, by=by, changes=differences({}, values_of(member, GRANTED)))
    return member


def change_membership(member: Member, *, permissions: Grants, by: Actor, until: datetime | None = None) -> None:
    """Replace what is granted. Rights that the granter lacks can neither be given nor taken away.

    Another end gives or takes all that the member has. Raises `NotAllowed`, `NotFound`, or `Invalid` on `until` if
    what is given would outlive the rights of `by`.
    """
    lock(member)
    if member.user_uuid == by.uuid:
        raise NotAllowed(Message("You cannot change your own rights."))
    before, stored = _known(member), values_of(member, GRANTED)
    after: set[AccountPermission | CustomerPermission] = {*permissions}
    place = _place_of(member)
    _require_grantable(by, place, before ^ after if until == member.until else before | after)
    longer = member.until is not None and (until is None or until > member.until)
    require_end_within(by, place, after if longer else after - before, until)
    if longer or not after <= before:
        end_link_of_member(member.user, _customer_of(place), by=by)
    member.permissions, member.until = sorted(permissions), until
    session.flush()
    record_event("member.changed", member, by=by, changes=changes_since(stored, member))


def remove_membership(member: Member, *, by: Actor) -> None:
    """End the membership. Raises `NotAllowed`, also for a member with rights that the remover lacks, or `NotFound`."""
    lock(member)
    if member.user_uuid == by.uuid:
        raise NotAllowed(Message("You cannot remove yourself. Ask the owner."))
    place = _place_of(member)
    if not all(can(by, permission, place) for permission in _known(member)):
        raise NotAllowed(Message("You cannot remove somebody who has rights that you do not have yourself."))
    name, granted = member.user.name, differences(values_of(member, GRANTED), {})
    session.delete(member)
    session.flush()
    record_event("member.removed", member, by=by, name=name, changes=granted)


def _place_of(member: Member) -> Account | Customer:
    return member.account if isinstance(member, AccountMember) else member.customer


def _customer_of(place: Account | Customer) -> Customer:
    return place if isinstance(place, Customer) else place.customer


def _known(member: Member) -> set[AccountPermission | CustomerPermission]:
    """What was granted, whatever its end; unknown words grant nothing."""
    known: type[AccountPermission | CustomerPermission]
    known = AccountPermission if isinstance(member, AccountMember) else CustomerPermission
    return {known(word) for word in member.permissions if word in set(known)}


def _require_grantable(
    by: Actor, place: Account | Customer, permissions: Collection[AccountPermission | CustomerPermission]
) -> None:
    lacking = [permission for permission in permissions if not can(by, permission, place)]
    if lacking:
        raise NotAllowed(
            Message("You cannot grant “%(right)s”, because you do not have it yourself.", right=lacking[0].label)
        )
