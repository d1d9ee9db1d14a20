"""Addresses of one mailbox have one form; addresses of two people never have the same."""

import pytest

from portal.db import transaction
from portal.errors import Invalid, Throttled
from portal.people.emails import canonical_email
from portal.people.operations import authenticate, change_email, create_user, find_by_email
from portal.people.passwords import checked_hash

PASSWORD = "a-long-password"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("eva@köln.example", "eva@xn--kln-sna.example"),
        ("eva@köln.example", "EVA@KÖLN.EXAMPLE"),
        ("eva@köln.example", "eva@ko\u0308ln.example"),
        ("eva@köln.example", " eva@XN--KLN-SNA.example "),
        ("josé@demo.example", "jose\u0301@demo.example"),
        ("a@straße.example", "a@xn--strae-oqa.example"),
        ("a@demo.example", "a@demo。example"),
    ],
)
def test_every_spelling_of_an_address_has_one_form(one: str, other: str) -> None:
    assert canonical_email(one) == canonical_email(other) == one
    assert canonical_email(one) == canonical_email(canonical_email(one) or "")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("weiß@demo.example", "weiss@demo.example"),
        ("a@straße.example", "a@strasse.example"),
        ("ﬁnn@demo.example", "finn@demo.example"),
        ("σ@demo.example", "ς@demo.example"),
        ("ı@demo.example", "i@demo.example"),
    ],
)
def test_two_addresses_stay_two(one: str, other: str) -> None:
    assert canonical_email(one) != canonical_email(other)
    assert None not in {canonical_email(one), canonical_email(other)}


@pytest.mark.parametrize(
    "text",
    [
        "", "@", "eva@", "@demo.example", "eva", "e va@demo.example", "e\u200dva@demo.example",
        "eva@xn--zzzzzz99.example", "eva@-é.example", "bad@@x.example", "a@b@x.example", "eva@bar..", "eva@.example", "eva@a_b.example", "eva@" + "é" * 300 + ".example", "e" * 255 + "@demo.example",
    ],
)  # fmt: skip
def test_what_is_no_address(text: str) -> None:
    assert canonical_email(text) is None


@pytest.mark.usefixtures("in_app")
def test_two_people_with_similar_addresses_are_two_users() -> None:
    with transaction():
        weiss, sharp = (create_user(email=f"{name}@demo.example", name=name) for name in ("weiss", "weiß"))
        assert (find_by_email("weiss@demo.example"), find_by_email("weiß@demo.example")) == (weiss, sharp)
        create_user(email="josé@demo.example", name="José")
        with pytest.raises(Invalid, match="given data"):
            create_user(email="jose\u0301@demo.example", name="José")
        with pytest.raises(Invalid):
            change_email(sharp, email="jose\u0301@DEMO.example")
        change_email(sharp, email="weiß@xn--kln-sna.example")
        assert sharp.email == "weiß@köln.example"


@pytest.mark.usefixtures("in_app")
def test_signing_in_counts_all_spellings_as_one_account() -> None:
    with transaction():
        create_user(email="eva@köln.example", name="Eva", password_hash=checked_hash(PASSWORD))
    assert authenticate(email="eva@xn--kln-sna.example", password=PASSWORD, network="192.0.2.1").name == "Eva"
    for _ in range(10):
        with pytest.raises(Invalid):
            authenticate(email="eva@köln.example", password="wrong-wrong", network="192.0.2.99")
    with pytest.raises(Throttled):
        authenticate(email="eva@XN--KLN-SNA.example", password=PASSWORD, network="192.0.2.99")
