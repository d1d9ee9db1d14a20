"""Addresses, telephones and legal documents of a customer over the API."""

from typing import Any

import pytest

from tests.api.conftest import NewProgram, Program

BERLIN = {"address_type": "BillingAddress", "country": "DE", "city": "Berlin", "address_line1": "Am Ufer 1"}
NOUNS = ("addresses", "telephones", "legal-documents")


@pytest.fixture
def alice(program: NewProgram) -> Program:
    return program("alice")


def data(answer: Any, status: int = 200) -> Any:
    assert answer.status_code == status, answer.text
    return answer.json["data"]


def refused(answer: Any) -> set[str]:
    assert answer.status_code == 422, answer.text
    return set(answer.json["errors"])


def own(alice: Program) -> str:
    return f"/customers/{data(alice.get('/customers?search=company_name:Acme'))[0]['id']}"


def test_an_address_is_added_read_changed_and_removed(alice: Program) -> None:
    path = f"{own(alice)}/addresses"
    answer = alice.post(path, BERLIN, Idempotency_Key="once")
    made = data(answer, 201)
    assert answer.headers["Location"].endswith(f"/api/v1{path}/{made['id']}")
    assert (made["object"], made["address_type"], made["default"]) == ("Address", "BillingAddress", True)
    assert f"/customers/{made['customer_id']}" == own(alice)
    assert data(alice.post(path, BERLIN, Idempotency_Key="once"), 201) == made
    assert data(alice.get(path)) == [made]
    read = alice.get(f"{path}/{made['ulid']}")
    assert alice.get(f"{path}/{made['id']}", If_None_Match=read.headers["ETag"]).status_code == 304
    changed = data(alice.patch(f"{path}/{made['id']}", {"address_line1": None, "po_box": "10 20", "city": None}))
    assert (changed["address_line1"], changed["po_box"], changed["city"]) == (None, "10 20", "Berlin")
    stale = {"If_Match": read.headers["ETag"]}
    assert alice.patch(f"{path}/{made['id']}", {"city": "Bonn"}, **stale).status_code == 412
    assert alice.delete(f"{path}/{made['id']}", **stale).status_code == 412
    other = data(alice.post(path, BERLIN | {"city": "Kiel", "default": True}), 201)
    assert [one["default"] for one in data(alice.get(f"{path}?orderBy=created_at&filter=default"))] == [False, True]
    assert [one["city"] for one in data(alice.get(f"{path}?search=city:Ki"))] == ["Kiel"]
    assert alice.delete(f"{path}/{other['id']}").status_code == 204
    assert alice.delete(f"{path}/{other['id']}").status_code == 404
    assert data(alice.get(f"{path}/{made['id']}"))["default"] is True


def test_a_telephone_and_a_document_are_answered_in_their_normal_form(alice: Program) -> None:
    telephone = data(
        alice.post(f"{own(alice)}/telephones", {"telephone_type": "mobile", "number": "+49 (0)30 901820"}), 201
    )
    assert (telephone["object"], telephone["number"]) == ("Telephone", "+4930901820")
    written = {"type": "eu_vat", "value": "DE 136 695 976", "issued_at": "2020-05-17"}
    document = data(alice.post(f"{own(alice)}/legal-documents", written), 201)
    assert (document["object"], document["type"], document["country"]) == ("LegalDocument", "eu_vat", "DE")
    assert (document["value"], document["issued_at"]) == ("DE136695976", "2020-05-17")


@pytest.mark.parametrize(
    ("noun", "body", "fields"),
    [
        ("addresses", BERLIN | {"address_type": "Home"}, {"address_type"}),
        ("addresses", {"city": "Berlin"}, {"address_type"}),
        ("addresses", BERLIN | {"country": "ZZ", "city": ""}, {"country", "city"}),
        ("addresses", BERLIN | {"customer_id": "1"}, {"customer_id"}),
        ("telephones", {"telephone_type": "fax", "number": "+49 30 901820"}, {"telephone_type"}),
        ("telephones", {"telephone_type": "mobile", "number": "12"}, {"number"}),
        ("telephones", {"telephone_type": "mobile", "number": "+49 30 901820", "default": None}, set()),
        ("legal-documents", {"type": "eu_vat", "value": "DE1"}, {"value"}),
        ("legal-documents", {"type": "other", "value": "1", "issued_at": "2020-W01-1"}, {"issued_at"}),
        ("legal-documents", {"type": "other", "value": "1", "issued_at": 20200517}, {"issued_at"}),
    ],
)
def test_what_is_wrong_is_named_by_its_field(alice: Program, noun: str, body: Any, fields: set[str]) -> None:
    answer = alice.post(f"{own(alice)}/{noun}", body)
    assert (set() if answer.status_code == 201 else refused(answer)) == fields
    assert len(data(alice.get(f"{own(alice)}/{noun}"))) == (not fields)


def test_staff_act_on_the_customers_behalf(program: NewProgram) -> None:
    ada = program("admin")
    path = own(ada)
    for noun, body in zip(
        NOUNS,
        (BERLIN, {"telephone_type": "mobile", "number": "+1 212 555 0100"}, {"type": "other", "value": "1"}),
        strict=True,
    ):
        made = data(ada.post(f"{path}/{noun}", body), 201)
        assert ada.delete(f"{path}/{noun}/{made['id']}").status_code == 204
