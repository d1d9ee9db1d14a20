"""A form field for each kind of what adapters declare, in the form of a room's settings and by itself."""

import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask, get_template_attribute

from portal.db import session, transaction
from portal.providers.base import FieldKind
from portal.subscriptions.provider_models import ServiceProvider
from portal.web.declared_fields import changed_values, for_people, form_field, shown_value
from portal.web.forms import Form
from tests.cast import Cast, Client
from tests.providers.declaring import PROPERTIES, SETTINGS, registered

BOARD = {"room_name": "Board meeting", "slug": "board-meeting", "active": "y"}
AS_SHOWN = {"a_choice": "soft", "a_number": "7", "a_color": "#0a0b0c", "guest_policy": "accept"}
SECRET = next(one for one in PROPERTIES if one.kind is FieldKind.SECRET)


@pytest.fixture
def alice(cast: Cast) -> Iterator[Client]:
    """Alice, whose rooms are behind the adapter that declares every kind, in a time zone two hours ahead."""
    with cast.app.app_context(), transaction():
        session.query(ServiceProvider).update({"provider_type": "declaring"})
        cast.user("alice").timezone = "Africa/Harare"
    with registered():
        yield cast.sign_in("alice")


@pytest.fixture
def path(cast: Cast) -> str:
    return f"/manage/rooms/{cast.board}/settings"


def stored(cast: Cast) -> dict[str, Any]:
    with cast.app.app_context():
        return cast.room().room_settings


def drawn(page: str, name: str) -> str:
    found = re.search(rf'<(?:input|select|textarea)[^>]*\sname="{name}"[^>]*>', page)
    assert found, name
    return found[0]


def test_every_kind_that_people_can_fill_in_has_a_field_of_its_own(alice: Client, path: str) -> None:
    page = alice.get(path).text
    for kind, words in {
        "text": 'type="text"',
        "address": 'type="url"',
        "choice": "<select",
        "switch": 'type="checkbox"',
        "number": 'max="60" min="1" name="a_number" type="number" value="7"',
        "color": 'type="color" value="#0A0B0C"',
        "moment": 'type="datetime-local"',
    }.items():
        assert words in drawn(page, f"a_{kind}"), kind
        assert f"Help with a {kind}." in page


def test_a_setting_that_is_a_file_is_not_drawn_until_there_are_uploads(cast: Cast, alice: Client, path: str) -> None:
    assert "a_file" in {one.name for one in SETTINGS}
    assert "a_file" not in alice.get(path).text
    with cast.app.app_context(), transaction():
        cast.room().room_settings = {"a_file": "01JD-logo"}
    assert alice.send(path, **BOARD, **AS_SHOWN, a_text="Hello").status_code == 303
    assert stored(cast) == {"a_file": "01JD-logo", "a_text": "Hello"}


def test_what_is_filled_in_is_stored_shown_again_and_taken_back(cast: Cast, alice: Client, path: str) -> None:
    filled = AS_SHOWN | {
        "a_text": "Hello",
        "a_address": "https://example.org/",
        "a_choice": "loud",
        "a_switch": "y",
        "a_number": "60",
        "a_color": "#ff00aa",
        "a_moment": "2027-01-31T18:30",
    }
    assert alice.send(path, **BOARD, **filled).status_code == 303
    kept = {
        "a_text": "Hello",
        "a_address": "https://example.org/",
        "a_choice": "loud",
        "a_switch": True,
        "a_number": 60,
        "a_color": "#FF00AA",
        "a_moment": "2027-01-31T16:30:00.000000Z",
    }
    assert stored(cast) == kept
    page = alice.get(path).text
    assert 'value="60"' in drawn(page, "a_number")
    assert 'value="#FF00AA"' in drawn(page, "a_color")
    assert 'value="2027-01-31T18:30"' in drawn(page, "a_moment")
    assert alice.send(path, **BOARD, **filled).status_code == 303
    assert stored(cast) == kept, "what was sent as it was shown changes nothing"
    assert alice.send(path, **BOARD, **AS_SHOWN, a_text="", a_address="", a_moment="").status_code == 303
    assert stored(cast) == {}, "what is as it would be anyhow is not stored"


@pytest.mark.parametrize(
    ("name", "value"),
    [("a_number", "0"), ("a_number", "61"), ("a_number", "many"), ("a_number", "1.5"), ("a_color", "red"),
     ("a_moment", "tomorrow"), ("a_address", "javascript:alert(1)"), ("a_choice", "neither")],
)  # fmt: skip
def test_what_does_not_fit_is_refused_beside_its_field(
    cast: Cast, alice: Client, path: str, name: str, value: str
) -> None:
    answer = alice.send(path, **BOARD | AS_SHOWN | {name: value})
    assert answer.status_code == 422
    assert f'id="error-{name}"' in answer.text
    assert stored(cast) == {}


def secret_form() -> Form:
    fields = {SECRET.name: form_field(SECRET)}
    form: type[Form] = type("SecretForm", (Form,), fields)
    return form(data={SECRET.name: shown_value(SECRET, "hunter2")}, meta={"csrf": False})


@pytest.mark.parametrize(("typed", "changes"), [("", {}), ("hunter3", {SECRET.name: "hunter3"})])
def test_a_secret_is_never_shown_again_and_an_empty_field_keeps_it(
    app: Flask, typed: str, changes: dict[str, str]
) -> None:
    with app.test_request_context("/", method="POST", data={SECRET.name: typed}):
        form = secret_form()
        html = get_template_attribute("components/declared.html", "declared_field")(form, SECRET, True)
        assert 'type="password"' in drawn(html, SECRET.name)
        assert "hunter" not in html
        assert "Leave this empty to keep what is stored." in html
        assert changed_values(form, {SECRET.name: SECRET}, {SECRET.name: ""}) == changes


def test_only_files_have_no_field() -> None:
    declared = {one.name: one for one in PROPERTIES}
    assert set(declared) - set(for_people(declared)) == {"my_file"}
