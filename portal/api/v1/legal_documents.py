"""The API's routes for the legal documents of a customer."""

from datetime import date
from typing import Annotated

from flask import Blueprint, Response
from pydantic import BeforeValidator, Field, WithJsonSchema

from portal.api.v1 import profile_entries
from portal.api.v1.core.endpoint import endpoint, takes
from portal.api.v1.core.query_params import listing_of
from portal.api.v1.profile_entries import TAG, EntryBody
from portal.customers.models import COUNTRY_LENGTH, Customer
from portal.customers.permission import CustomerPermission
from portal.customers.profile_models import NUMBER_LENGTH, DocumentType, LegalDocument
from portal.edge.place_guard import at_customer, sees_profile_of_customer
from portal.errors import Message
from portal.moments import parse_iso
from portal.resources.profile_entries import LegalDocumentSchema
from portal.scopes import Scope

bp = Blueprint("legal_documents", __name__, url_prefix="/customers/<anyid:customer_id>/legal-documents")

LISTING = listing_of(LegalDocumentSchema, LegalDocument)


def _day(value: object) -> date:
    try:
        if isinstance(value, str) and len(value) == len("2020-05-17"):
            return parse_iso(value).date()
    except ValueError:
        pass
    raise ValueError(Message("Use a date, like 2020-05-17."))


Day = Annotated[date, BeforeValidator(_day), WithJsonSchema({"type": "string", "format": "date"})]
Value = Annotated[str, Field(max_length=NUMBER_LENGTH)]


class LegalDocumentBody(EntryBody):
    """The fields of a legal document. Without a country it is of the number's, or else of the customer's."""

    resource = LegalDocumentSchema

    type: Annotated[DocumentType | None, Field(strict=False)] = None
    country: Annotated[str, Field(max_length=COUNTRY_LENGTH)] | None = None
    value: Value | None = None
    issued_at: Day | None = None


class NewLegalDocument(LegalDocumentBody):
    """A new legal document."""

    type: Annotated[DocumentType, Field(strict=False)]
    value: Value


@bp.get("")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=LegalDocumentSchema, many=True, listing=LISTING)
@sees_profile_of_customer
def index(customer: Customer) -> Response:
    """List the legal documents of a customer. For whoever changes the customer, and staff."""
    return profile_entries.list_entries(customer, LegalDocument, LISTING)


@bp.post("")
@endpoint(
    TAG, scope=Scope.CUSTOMERS_WRITE, returns=LegalDocumentSchema, status=201, listing=LISTING, refusals=(403, 409)
)
@at_customer(CustomerPermission.CUSTOMER_EDIT)
@takes(NewLegalDocument, example={"type": "eu_vat", "country": "DE", "value": "DE136695976", "issued_at": "2020-05-17"})
def create(customer: Customer, body: NewLegalDocument) -> Response:
    """Add a legal document. The form of its number is checked, not whose it is; of an `other` one nothing."""
    return profile_entries.add(customer, LegalDocument, LISTING, body.fields(), at="legal-documents")


@bp.get("/<anyid:document_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_READ, returns=LegalDocumentSchema, listing=LISTING)
@sees_profile_of_customer
def show_one(customer: Customer, document_id: str) -> Response:
    """Read a legal document."""
    return profile_entries.show(customer, LegalDocument, LISTING, document_id)


@bp.patch("/<anyid:document_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, returns=LegalDocumentSchema, listing=LISTING, refusals=(403,))
@at_customer(CustomerPermission.CUSTOMER_EDIT)
@takes(LegalDocumentBody, example={"issued_at": "2021-01-31"})
def change(customer: Customer, document_id: str, body: LegalDocumentBody) -> Response:
    """Change a legal document."""
    return profile_entries.change(customer, LegalDocument, LISTING, document_id, body.fields())


@bp.delete("/<anyid:document_id>")
@endpoint(TAG, scope=Scope.CUSTOMERS_WRITE, status=204, refusals=(403,))
@at_customer(CustomerPermission.CUSTOMER_EDIT)
@takes(None)
def delete(customer: Customer, document_id: str) -> Response:
    """Remove a legal document."""
    return profile_entries.remove(customer, LegalDocument, document_id)
