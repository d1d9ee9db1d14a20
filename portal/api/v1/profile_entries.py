"""What the API's routes for the addresses, telephones and legal documents of a customer have in common."""

from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Response

from portal.api.v1.core import pagination, query_params, responses
from portal.api.v1.core.query_params import Listing
from portal.api.v1.core.request_body import RequestBody
from portal.customers.models import Customer
from portal.customers.profile_entries import ProfileEntry, add_entry, change_entry, find_entry, remove_entry
from portal.db import lock
from portal.edge import actor
from portal.resources.profile_entries import serialize_profile_entry

TAG = "Profiles of customers"
Entry = TypeVar("Entry", bound=ProfileEntry)


def list_entries(customer: Customer, model: type[Entry], listing: Listing) -> Response:
    """The customer's entries of one sort."""
    asked = query_params.list_query(listing)
    rows, page = pagination.rows_of(asked, sa.select(model).where(model.customer_uuid == customer.uuid))
    return responses.listing([serialize_profile_entry(customer, row[0]) for row in rows], asked.selection, page)


def add(customer: Customer, model: type[Entry], listing: Listing, given: dict[str, Any], *, at: str) -> Response:
    """Add an entry. `at` is the last part of the path of the list."""
    selection = query_params.field_selection(listing)
    entry = add_entry(customer, model, by=actor.someone(), **given)
    return responses.created(
        serialize_profile_entry(customer, entry),
        selection,
        at=f"/api/v1/customers/{customer.id}/{at}/{entry.id}",
        tag=responses.etag_of(entry),
    )


def show(customer: Customer, model: type[Entry], listing: Listing, entry_id: str) -> Response:
    """Read an entry."""
    return _answer(customer, find_entry(customer, model, entry_id), listing)


def change(customer: Customer, model: type[Entry], listing: Listing, entry_id: str, given: dict[str, Any]) -> Response:
    """Change what was sent of an entry."""
    lock(customer)  # before its entries, as all that changes them
    entry = find_entry(customer, model, entry_id)
    responses.check_if_match(entry)
    change_entry(customer, entry, by=actor.someone(), **given)
    return _answer(customer, entry, listing)


def remove(customer: Customer, model: type[Entry], entry_id: str) -> Response:
    """Remove an entry."""
    lock(customer)
    entry = find_entry(customer, model, entry_id)
    responses.check_if_match(entry)
    remove_entry(customer, entry, by=actor.someone())
    return responses.no_content()


def _answer(customer: Customer, entry: ProfileEntry, listing: Listing) -> Response:
    selection = query_params.field_selection(listing)
    return responses.single(serialize_profile_entry(customer, entry), selection, tag=responses.etag_of(entry))


class EntryBody(RequestBody):
    """What can be said of an entry. Null means none where there can be none, else what is left out."""

    def fields(self) -> dict[str, Any]:
        """What was sent, for the operations."""
        required = {"address_type", "telephone_type", "type", "default", "number", "city", "value"}
        return {name: value for name, value in self.given().items() if value is not None or name not in required}
