"""Creating customers with their owners, changing and finding them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Unpack

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from portal.audit.changes import changes_since, values_of
from portal.audit.operations import record_event
from portal.customers.fields import (
    CustomerFields,
    checked_columns,
    require_a_name,
    require_allowed_domain,
    subdomain_of,
)
from portal.customers.models import SUBDOMAIN_LENGTH, Customer, CustomerType, display_name
from portal.db import lock, session
from portal.errors import Conflict, Invalid, Message, NotFound
from portal.identifiers import matches_identifier, new_id
from portal.people.actor import Actor
from portal.people.emails import canonical_email
from portal.people.models import User
from portal.people.operations import create_user, find_by_email
from portal.people.password_links import end_password_link
from portal.people.passwords import Hash

_OWNERS = {"email": "owner_email", "name": "owner_name"}
"""Field of a user → of the customer that he is made for."""
_UNIQUE = {
    "email": Message("“%(name)s” has this e-mail address and is a customer already."),
    "hostname": Message("“%(name)s” has this host name."),
    "subdomain": Message("“%(name)s” has this subdomain."),
}


def create_customer(
    *,
    by: Actor | None = None,
    owner: User | None = None,
    password_hash: Hash | None = None,
    **fields: Unpack[CustomerFields],
) -> Customer:
    """A customer with these fields. A company unless the type is told, with the `owner`'s e-mail address.

    Without an `owner` it is the user with that address, who is made if there is none, with this password, if any.
    A subdomain is made from the name if none is told. `by` is None for the portal itself. Raises `Invalid`.
    """
    columns = checked_columns(fields)
    columns.setdefault("customer_type", CustomerType.BUSINESS)
    if owner is not None:
        _lock_owner(owner)
        columns.setdefault("email", owner.email)
    if "email" not in columns:
        raise Invalid(email=Message("Fill this in."))
    require_a_name(columns)
    require_allowed_domain(columns["email"], columns.get("allowed_domains_registration", ()))
    if not columns.get("subdomain"):
        company, first, last = (columns.get(one) for one in ("company_name", "first_name", "last_name"))
        columns["subdomain"] = _free_subdomain(display_name(company, first, last, columns["email"]))
    with _unless_taken(columns):
        customer = Customer(**columns, owner=owner or _owner_of(columns, password_hash, by))
        session.add(customer)
    record_event("customer.created", customer, by=by)
    return customer


def _owner_of(columns: dict[str, Any], password_hash: Hash | None, by: Actor | None) -> User:
    """The user with the customer's e-mail address, who is made if there is none."""
    owner = find_by_email(columns["email"])
    if owner is None:
        person = " ".join(filter(None, (columns.get("first_name"), columns.get("last_name"))))
        name = person or columns.get("company_name") or columns["email"].partition("@")[0]
        return create_user(email=columns["email"], name=name, password_hash=password_hash, by=by)
    _lock_owner(owner)
    if password_hash is not None:
        raise Invalid(password=Message("%(name)s, who has this e-mail address, is a user already.", name=owner.name))
    return owner


def _lock_owner(owner: User) -> None:
    """Let nobody delete this user meanwhile, having counted that he owns nothing. Raises `Invalid` if he is off.

    A link to set his first password ends: whoever issued it has no right to what he owns from now.
    """
    end_password_link(owner)
    if owner.deactivated_at is not None:
        raise Invalid(email=Message("%(name)s, who has this e-mail address, is deactivated.", name=owner.name))


def change_customer(customer: Customer, *, by: Actor | None = None, **fields: Unpack[CustomerFields]) -> None:
    """Change what is given; lists, settings and metadata are replaced. The owner keeps his own e-mail address.

    Its status is another matter: see `portal.status.customer_lifecycle`. Raises `Invalid` or `NotFound`.
    """
    columns = checked_columns(fields)
    lock(customer)
    changed = {name: value for name, value in columns.items() if getattr(customer, name) != value}
    if not changed:
        return
    before = values_of(customer, changed)
    names = "customer_type", "company_name"
    require_a_name({name: columns.get(name, getattr(customer, name)) for name in names})
    with _unless_taken(changed, but=customer):
        for name, value in changed.items():
            setattr(customer, name, value)
    record_event("customer.updated", customer, by=by, changes=changes_since(before, customer))


def find_customer(named: str) -> Customer:
    """The customer with this id, or whose owner has this e-mail address.

    Raises `NotFound` if there is none, or `Conflict` if the owner has several.
    """
    owned = User.email == canonical_email(named) if "@" in named else matches_identifier(Customer, named)
    found = (
        session.scalars(sa.select(Customer).join(User, User.uuid == Customer.owner_uuid).where(owned)).unique().all()
    )
    if not found:
        raise NotFound(Message("There is no customer %(named)s.", named=named))
    if len(found) > 1:
        ids = ", ".join(sorted(customer.id for customer in found))
        raise Conflict(Message("%(named)s owns several customers. Name one by its id: %(ids)s.", named=named, ids=ids))
    return found[0]


def create_customer_with_owner(
    *, company_name: str, owner_email: str, owner_name: str, by: Actor | None = None
) -> Customer:
    """A business customer of the user with this e-mail, who is made if there is none. A user keeps the own name.

    `by` is None for the portal itself. Raises `Invalid` on `company_name`, `owner_email` or `owner_name`.
    """
    try:
        owner = find_by_email(owner_email) or create_user(email=owner_email, name=owner_name, by=by)
        return create_customer(company_name=company_name, owner=owner, by=by)
    except Invalid as invalid:
        raise Invalid(**{_OWNERS.get(field, field): message for field, message in invalid.fields.items()}) from None


def _free_subdomain(name: str) -> str:
    """A subdomain made from the name, with a random end if somebody has the plain one."""
    plain = subdomain_of(name)
    taken = session.scalar(sa.select(sa.exists().where(Customer.subdomain == plain)))
    end = f"-{new_id()[:6].lower()}"
    return f"{plain[: SUBDOMAIN_LENGTH - len(end)]}{end}" if taken else plain


@contextmanager
def _unless_taken(columns: dict[str, Any], *, but: Customer | None = None) -> Iterator[None]:
    """Write within a savepoint. Raises `Invalid` on what another customer has already."""
    try:
        with session.begin_nested():
            yield
            session.flush()
    except IntegrityError:
        wrong = {}
        for field, message in _UNIQUE.items():
            if columns.get(field) is None:
                continue
            query = sa.select(Customer).where(getattr(Customer, field) == columns[field])
            other = session.scalars(query if but is None else query.where(Customer.uuid != but.uuid)).first()
            if other is not None:
                wrong[field] = Message(message.msgid, name=other.display_name)
        if not wrong:
            raise
        raise Invalid(**wrong) from None
