"""Addresses, telephones and legal documents on the page of a customer."""

import re

import pytest

from portal.people.staff import StaffPermission
from tests.cast import Cast
from tests.web.admin.staffing import with_role

ADDRESS = {"address_type": "BillingAddress", "address_line1": "Am Ufer", "city": "Bonn", "country": "DE"}


@pytest.fixture
def acme(cast: Cast) -> str:
    """The path of Acme's page."""
    with cast.app.app_context():
        return f"/admin/customers/{cast.room().customer.id}"


def test_staff_add_change_and_remove_what_stands_in_a_profile(cast: Cast, acme: str) -> None:
    ada = cast.sign_in("admin")
    assert ada.send(f"{acme}/addresses/new", **ADDRESS, building_number="7").status_code == 303
    assert ada.send(f"{acme}/addresses/new", **ADDRESS | {"city": "Kiel"}, default="on").status_code == 303
    assert ada.send(f"{acme}/telephones/new", telephone_type="mobile", number="+49 30 901820").status_code == 303
    known = {"type": "eu_vat", "value": "de136695976", "country": "DE", "issued_at": "2020-05-17"}
    assert ada.send(f"{acme}/legal-documents/new", **known).status_code == 303
    page = ada.get(acme).text
    for words in ("Am Ufer 7, Bonn, Germany", "Am Ufer, Kiel, Germany", "+49 30 901820", "DE136695976 · DE"):
        assert f"<bdi>{words}</bdi>" in page
    edits = re.findall(r'href="([^"]+/addresses/\w+/edit)"', page)
    assert len(edits) == 2
    assert 'name="default"' in ada.get(edits[0]).text
    assert 'name="default"' not in ada.get(edits[1]).text
    assert ada.send(edits[0], **ADDRESS, building_number="8", default="on").status_code == 303
    assert 'name="default"' not in ada.get(edits[0]).text
    assert ada.send(edits[0].replace("/edit", "/removal"), edits[0]).status_code == 303
    page = ada.get(acme).text
    assert "The address was removed." in page
    assert "Bonn, Germany" not in page
    assert 'name="default"' not in ada.get(edits[1]).text


@pytest.mark.parametrize(
    ("noun", "sent", "field", "words"),
    [
        ("addresses", ADDRESS | {"city": ""}, "city", "Fill this in."),
        ("addresses", ADDRESS | {"address_line1": ""}, "address_line1", "Fill in the street, or a post-office box."),
        ("telephones", {"telephone_type": "mobile", "number": "12"}, "number", "This is no telephone number."),
        (
            "legal-documents",
            {"type": "br_cpf", "value": "1", "country": "BR"},
            "value",
            "It looks like 390.533.447-05.",
        ),
        (
            "legal-documents",
            {"type": "eu_vat", "value": "FR40303265045", "country": "DE"},
            "country",
            "This number is one of FR.",
        ),
    ],
)
def test_what_is_wrong_is_said_beside_its_field(
    cast: Cast, acme: str, noun: str, sent: dict[str, str], field: str, words: str
) -> None:
    ada = cast.sign_in("admin")
    answer = ada.send(f"{acme}/{noun}/new", **sent)
    assert answer.status_code == 422
    assert words in answer.text.split(f'id="error-{field}"')[1].split("</p>")[0]
    assert "/edit" not in re.sub("^.*h-addresses", "", ada.get(acme).text, flags=re.DOTALL)


def test_whoever_only_reads_customers_sees_it_without_links(cast: Cast, acme: str) -> None:
    assert cast.sign_in("admin").send(f"{acme}/addresses/new", **ADDRESS).status_code == 303
    bob = with_role(cast, "bob", StaffPermission.DASHBOARD_ACCESS, StaffPermission.CUSTOMERS_READ)
    page = bob.get(acme).text
    assert "Am Ufer, Bonn, Germany" in page
    assert "/addresses/" not in page
