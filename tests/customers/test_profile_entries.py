"""Addresses, telephones and legal documents: one default of each kind, and the forms of numbers."""

from datetime import date, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from portal.audit.models import AuditEvent
from portal.clock import now
from portal.customers.models import Customer
from portal.customers.profile_entries import (
    MOST_ENTRIES,
    add_entry,
    change_entry,
    entries_of,
    find_entry,
    remove_entry,
)
from portal.customers.profile_models import (
    AddressType,
    CustomerAddress,
    CustomerTelephone,
    DocumentType,
    LegalDocument,
    TelephoneType,
)
from portal.db import session
from portal.errors import Conflict, Invalid, NotFound
from tests.conftest import BOTH

pytestmark = pytest.mark.usefixtures("in_app")


def acme() -> Customer:
    return session.scalars(sa.select(Customer).where(Customer.company_name == "Acme")).unique().one()


def address(kind: AddressType = AddressType.POSTAL, city: str = "Berlin", **more: Any) -> CustomerAddress:
    return add_entry(acme(), CustomerAddress, address_type=kind, city=city, address_line1="Am Ufer 1", **more)


def defaults() -> dict[str, list[str]]:
    """Kind → the cities of its defaults."""
    found: dict[str, list[str]] = {}
    for one in entries_of(acme(), CustomerAddress):
        found.setdefault(one.kind.value, []).extend([one.city] if one.is_default else [])
    return found


def test_lines_of_the_audit_tell_what_was_added_changed_and_removed() -> None:
    customer = acme()
    telephone = add_entry(customer, CustomerTelephone, telephone_type=TelephoneType.MOBILE, number="+49 30 901820")
    change_entry(customer, telephone, telephone_type=TelephoneType.LANDLINE)
    change_entry(customer, telephone, number="+49 30 901820")
    remove_entry(customer, telephone)
    session.commit()
    ours = AuditEvent.action.startswith("customer.telephone")
    lines = session.scalars(sa.select(AuditEvent).where(ours).order_by(AuditEvent.uuid)).all()
    stored = {"number": "+4930901820", "default": True}
    assert [line.details["changes"] for line in lines] == [
        {name: [None, value] for name, value in ({"kind": "mobile"} | stored).items()},
        {"kind": ["mobile", "landline"]},
        {name: [value, None] for name, value in ({"kind": "landline"} | stored).items()},
    ]


@BOTH
def test_each_kind_has_exactly_one_default_as_soon_as_it_has_any() -> None:
    first = address(default=False)
    second = address(city="Bonn")
    bill = address(AddressType.BILLING, "Rome")
    assert defaults() == {"PostalAddress": ["Berlin"], "BillingAddress": ["Rome"]}
    change_entry(acme(), second, default=True)
    assert defaults()["PostalAddress"] == ["Bonn"]
    with pytest.raises(Invalid) as refused:
        change_entry(acme(), second, default=False)
    assert set(refused.value.fields) == {"default"}
    address(city="Kiel", default=True)
    assert defaults()["PostalAddress"] == ["Kiel"]
    change_entry(acme(), second, default=True, address_type=AddressType.BILLING)
    assert defaults() == {"PostalAddress": ["Kiel"], "BillingAddress": ["Bonn"]}
    change_entry(acme(), second, address_type=AddressType.POSTAL)
    assert defaults() == {"PostalAddress": ["Kiel"], "BillingAddress": ["Rome"]}
    remove_entry(acme(), find_kiel())
    assert defaults()["PostalAddress"] == ["Berlin"]
    remove_entry(acme(), bill)
    remove_entry(acme(), first)
    assert defaults() == {"PostalAddress": ["Bonn"]}
    with pytest.raises(NotFound):
        change_entry(acme(), first, city="Hamburg")
    session.commit()


def find_kiel() -> CustomerAddress:
    return next(one for one in entries_of(acme(), CustomerAddress) if one.city == "Kiel")


@BOTH
def test_the_database_holds_that_there_are_no_two_defaults() -> None:
    address()
    other = address(city="Bonn")
    other.is_default = True
    with pytest.raises(sa.exc.IntegrityError):
        session.flush()


@BOTH
def test_entries_go_with_the_customer_and_belong_to_it_alone() -> None:
    made = address()
    globex = session.scalars(sa.select(Customer).where(Customer.company_name == "Globex")).unique().one()
    with pytest.raises(NotFound):
        find_entry(globex, CustomerAddress, made.id)
    with pytest.raises(NotFound):
        remove_entry(globex, made)
    assert entries_of(globex, CustomerAddress) == []


def test_there_is_an_end_of_them() -> None:
    for number in range(MOST_ENTRIES):
        address(city=f"City {number}")
    with pytest.raises(Conflict):
        address()


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"city": " "}, {"city"}),
        ({"country": "ZZ"}, {"country"}),
        ({"address_line1": "", "po_box": None}, {"address_line1"}),
        ({"postal_code": "1" * 21, "state": "x" * 101}, {"postal_code", "state"}),
        ({"address_line2": "\u202egnirts"}, {"address_line2"}),
    ],
)
def test_an_address_without_its_parts_is_refused_by_field(fields: dict[str, Any], wrong: set[str]) -> None:
    made = address()
    with pytest.raises(Invalid) as refused:
        change_entry(acme(), made, **fields)
    assert set(refused.value.fields) == wrong
    assert made.city == "Berlin"


def test_an_address_is_in_the_country_of_its_customer_unless_it_says_another() -> None:
    assert address().country == acme().country
    assert address(country="de", address_line2="", po_box=" 10 20 ").country == "DE"


def telephone(number: str, **more: Any) -> str:
    kind = TelephoneType.LANDLINE
    return add_entry(acme(), CustomerTelephone, telephone_type=kind, number=number, **more).number


def test_telephones_are_kept_as_e164_with_the_customers_country_understood() -> None:
    acme().country = "DE"
    assert telephone("030 / 90 18 20") == telephone("0049 30 901820") == telephone("+49 (0)30 901820") == "+4930901820"
    assert telephone("+1 (212) 555-0100", telephone_extension="012") == "+12125550100"


@pytest.mark.parametrize("number", ["", "12", "call me", "+999 30 901820", "+49 30 901820 ext. 5", "+1" + "0" * 200])
def test_what_is_no_telephone_number_is_refused(number: str) -> None:
    with pytest.raises(Invalid) as refused:
        telephone(number)
    assert set(refused.value.fields) == {"number"}


def test_an_extension_is_digits() -> None:
    for extension in ("12a", "1" * 11):
        with pytest.raises(Invalid) as refused:
            telephone("+49 30 901820", telephone_extension=extension)
        assert set(refused.value.fields) == {"telephone_extension"}


def document(kind: DocumentType, value: str, **more: Any) -> tuple[str, str]:
    made = add_entry(acme(), LegalDocument, type=kind, value=value, **more)
    return made.country, made.value


@pytest.mark.parametrize(
    ("kind", "value", "country", "kept"),
    [
        (DocumentType.EU_VAT, "de 136 695 976", None, ("DE", "DE136695976")),
        (DocumentType.EU_VAT, "136695976", "DE", ("DE", "DE136695976")),
        (DocumentType.EU_VAT, "094259216", "GR", ("GR", "EL094259216")),
        (DocumentType.EU_VAT, "GR094259216", None, ("GR", "EL094259216")),
        (DocumentType.EU_VAT, "XI434031494", "GB", ("GB", "XI434031494")),
        (DocumentType.BR_CPF, "390.533.447-05", None, ("BR", "39053344705")),
        (DocumentType.BR_CNPJ, "16.727.230/0001-97", "BR", ("BR", "16727230000197")),
        (DocumentType.OTHER, " HRB  123 B ", "DE", ("DE", "HRB 123 B")),
    ],
)
def test_numbers_are_kept_in_the_form_of_their_register(
    kind: DocumentType, value: str, country: str | None, kept: tuple[str, str]
) -> None:
    assert document(kind, value, country=country) == kept


@pytest.mark.parametrize(
    ("kind", "value", "country", "wrong"),
    [
        (DocumentType.EU_VAT, "DE136695975", None, {"value"}),
        (DocumentType.EU_VAT, "US123456789", None, {"value"}),
        (DocumentType.EU_VAT, "FR40303265045", "DE", {"country"}),
        (DocumentType.BR_CPF, "390.533.447-06", None, {"value"}),
        (DocumentType.BR_CPF, "390.533.447-05", "US", {"country"}),
        (DocumentType.BR_CNPJ, "390.533.447-05", None, {"value"}),
        (DocumentType.OTHER, "", None, {"value"}),
        (DocumentType.OTHER, "1", "EU", {"country"}),
    ],
)
def test_numbers_of_another_form_or_country_are_refused(
    kind: DocumentType, value: str, country: str | None, wrong: set[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        document(kind, value, country=country)
    assert set(refused.value.fields) == wrong


def test_another_number_brings_its_country_along() -> None:
    document(DocumentType.EU_VAT, "DE136695976", issued_at=date(2020, 5, 17))
    [made] = entries_of(acme(), LegalDocument)
    change_entry(acme(), made, value="FR40303265045")
    assert (made.country, made.issued_at) == ("FR", date(2020, 5, 17))
    with pytest.raises(Invalid):
        change_entry(acme(), made, country="DE")


def test_a_document_is_not_issued_in_the_future() -> None:
    for day in (now().date() + timedelta(days=2), date(1066, 10, 14)):
        with pytest.raises(Invalid) as refused:
            document(DocumentType.OTHER, "1", issued_at=day)
        assert set(refused.value.fields) == {"issued_at"}
