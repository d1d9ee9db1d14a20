"""Adding, changing and removing what a customer has several of: addresses, telephones, legal documents.

Of each kind of address and of telephone one is the default, as soon as there is any: the first one, until another is
made the default. When the default goes, the oldest that is left takes its place.
"""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, TypeVar

import sqlalchemy as sa

from portal.audit.changes import differences, values_of
from portal.audit.operations import record_event
from portal.customers.models import Customer
from portal.customers.profile_fields import FIELDS_OF
from portal.customers.profile_models import CustomerAddress, CustomerTelephone, LegalDocument
from portal.db import lock, session
from portal.errors import Conflict, Invalid, Message, NotFound
from portal.identifiers import matches_identifier
from portal.people.actor import Actor

ProfileEntry = CustomerAddress | CustomerTelephone | LegalDocument
Entry = TypeVar("Entry", bound=ProfileEntry)
MOST_ENTRIES = 50

_NOUNS: dict[type, str] = {CustomerAddress: "address", CustomerTelephone: "telephone", LegalDocument: "document"}
"""What the audit calls them."""
_FIELDS = {"is_default": "default"}
_UNTOLD = {"uuid", "id", "customer_uuid", "created_at", "updated_at"}


def entries_of(customer: Customer, model: type[Entry]) -> Sequence[Entry]:
    """The customer's entries of one sort, oldest first."""
    query = sa.select(model).where(model.customer_uuid == customer.uuid).order_by(model.created_at, model.uuid)
    return session.scalars(query, execution_options={"populate_existing": True}).all()


def find_entry(customer: Customer, model: type[Entry], identifier: str) -> Entry:
    """The customer's entry with this id, uuid or ulid. Raises `NotFound`."""
    query = sa.select(model).where(model.customer_uuid == customer.uuid, matches_identifier(model, identifier))
    found = session.scalar(query)
    if found is None:
        raise NotFound
    return found


def add_entry(customer: Customer, model: type[Entry], *, by: Actor | None = None, **fields: Any) -> Entry:
    """Add an entry with these fields: see `portal.customers.profile_fields`.

    Raises `Invalid`, or `Conflict` for one more than `MOST_ENTRIES`.
    """
    lock(customer)
    columns = FIELDS_OF[model](fields, None, customer)
    others = entries_of(customer, model)
    if len(others) >= MOST_ENTRIES:
        raise Conflict(Message("There are %(most)d already. Remove one that is out of date first.", most=MOST_ENTRIES))
    entry = model(customer_uuid=customer.uuid, **columns)
    if not isinstance(entry, LegalDocument):
        _rank(others, entry, entry.kind, wanted=bool(fields.get("default")))
    session.add(entry)
    session.flush()
    told = differences({}, _told_of(entry))
    record_event(f"customer.{_NOUNS[model]}_added", customer, by=by, entry=entry.id, changes=told)
    return entry


def change_entry(customer: Customer, entry: ProfileEntry, *, by: Actor | None = None, **fields: Any) -> None:
    """Change what is given. Raises `NotFound`, or `Invalid`: on `default` where its kind would be left without one."""
    lock(customer)
    others = _others(customer, entry)
    columns = FIELDS_OF[type(entry)](fields, entry, customer)
    before = _told_of(entry)
    if not isinstance(entry, LegalDocument):
        wanted = fields.get("default")
        if wanted is False and entry.is_default and columns["kind"] is entry.kind:
            raise Invalid(default=Message("This is the default. Make another one the default instead."))
        _rank(others, entry, columns["kind"], wanted=bool(wanted))
    for name, value in columns.items():
        setattr(entry, name, value)
    session.flush()
    if told := differences(before, _told_of(entry)):
        record_event(f"customer.{_NOUNS[type(entry)]}_changed", customer, by=by, entry=entry.id, changes=told)


def remove_entry(customer: Customer, entry: ProfileEntry, *, by: Actor | None = None) -> None:
    """Remove an entry. The oldest of its kind that is left becomes the default, if it was that. Raises `NotFound`."""
    lock(customer)
    others, told = _others(customer, entry), differences(_told_of(entry), {})
    session.delete(entry)
    session.flush()
    if not isinstance(entry, LegalDocument) and entry.is_default:
        _inherit_default(others, entry.kind)
    record_event(f"customer.{_NOUNS[type(entry)]}_removed", customer, by=by, entry=entry.id, changes=told)


def _told_of(entry: ProfileEntry) -> dict[str, Any]:
    """What lines of the audit tell of an entry."""
    values = values_of(entry, [one.name for one in entry.__table__.columns if one.name not in _UNTOLD])
    return {_FIELDS.get(name, name): value for name, value in values.items()}


def _others(customer: Customer, entry: ProfileEntry) -> list[Any]:
    """The other entries of its sort, all read anew under the customer's lock. Raises `NotFound` if it is gone."""
    entries = entries_of(customer, type(entry))
    if entry not in entries:
        raise NotFound
    return [one for one in entries if one is not entry]


def _rank(others: Sequence[Any], entry: CustomerAddress | CustomerTelephone, kind: Any, *, wanted: bool) -> None:
    """Give the entry its kind, and keep exactly one default in each kind that has entries."""
    before = next((one for one in others if one.kind is kind and one.is_default), None)
    left, was_default = entry.kind, entry.is_default
    if before is not None and wanted:
        before.is_default = False
    if kind is not left:
        entry.is_default = False
    session.flush()  # first of the one, then of the other: a constraint allows one default
    entry.kind, entry.is_default = kind, wanted or before is None
    session.flush()
    if kind is not left and was_default:
        _inherit_default(others, left)


def _inherit_default(others: Sequence[Any], kind: StrEnum) -> None:
    heir = next((one for one in others if one.kind is kind), None)
    if heir is not None:
        heir.is_default = True
        session.flush()
