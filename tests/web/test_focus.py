"""Who opens a form can type at once: one field has the focus, the first, or after a refusal the first wrong one."""

import re

import pytest

from portal.rooms.models import Role
from tests.cast import Cast

FORMS = {
    "/manage/rooms/new": "room_name",
    "{room}/settings": "room_name",
    "{room}/links/new": "role",
    "{room}/links/{link}/edit": "role",
    "{room}/links/{link}/rotation": "grace",
    "{room}/codes/new": "role",
    "{room}/people/new": "email",
    "{room}/webhooks/new": "url",
    "/me": "name",
    "/me/credentials/new": "name",
}


def focused(html: str) -> list[str]:
    """The names of the fields that have the focus."""
    found = [tag for tag in re.findall(r"<(?:input|select|textarea)[^>]*>", html) if re.search(r"\sautofocus\b", tag)]
    return [re.search(r'\sname="([^"]+)"', tag)[1] for tag in found]  # type: ignore[index]


@pytest.mark.parametrize("path", FORMS)
def test_the_first_field_of_a_form_has_the_focus(cast: Cast, path: str) -> None:
    address = path.format(room=f"/manage/rooms/{cast.board}", link=cast.link_ids[Role.GUEST])
    page = cast.sign_in("alice").get(address)
    assert page.status_code == 200
    assert focused(page.text) == [FORMS[path]]


def test_who_signs_in_types_at_once(cast: Cast) -> None:
    assert focused(cast.browser().get("/sign-in").text) == ["email"]
    refused = cast.browser().send("/sign-in", email="alice@demo.example", password="")
    assert focused(refused.text) == ["password"]


@pytest.mark.parametrize(
    ("path", "fields", "wrong"),
    [
        ("links/new", {"role": "guest", "max_uses": "0"}, "max_uses"),
        ("codes/new", {"role": "guest", "code": "x", "expires_at": "2020-01-01T10:00"}, "expires_at"),
        ("codes/new", {"role": "guest", "code": "x"}, "code"),
        ("settings", {"room_name": "Board", "slug": "board", "logout_url": "ftp://", "room_metadata": "{"}, "any"),
        ("people/new", {"email": ""}, "email"),
        ("webhooks/new", {"url": "https://example.org/", "events": "nothing"}, "events"),
    ],
)
def test_after_a_refusal_the_first_wrong_field_has_the_focus(
    cast: Cast, path: str, fields: dict[str, str], wrong: str
) -> None:
    refused = cast.sign_in("alice").send(f"/manage/rooms/{cast.board}/{path}", **fields)
    assert refused.status_code == 422
    first = re.search(r'id="error-([^"]+)"', refused.text)
    assert first
    assert wrong in {first[1], "any"}
    assert focused(refused.text) == [first[1]]


def test_who_changes_rights_begins_with_the_first_that_he_may_give(cast: Cast) -> None:
    alice = cast.sign_in("alice")
    people = alice.get(f"/manage/rooms/{cast.board}/people").text
    edit = re.search(r'href="([^"]+/people/[^"]+/edit)"', people)
    assert edit
    assert focused(alice.get(edit[1]).text) == ["permissions"]
