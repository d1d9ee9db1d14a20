"""What is wrong with a field is said in our words, whatever was sent."""

import importlib
import inspect
import json
import pkgutil
from collections.abc import Iterator

import pytest
from flask import Flask
from pydantic import ValidationError

from portal.api import v1 as api
from portal.api.v1.core import request_body
from portal.api.v1.core.request_body import MESSAGES, RequestBody
from portal.errors import Invalid, Message
from tests.api.conftest import NewProgram
from tests.cast import Cast

MODELS = list(
    {
        model: None
        for module in pkgutil.iter_modules(api.__path__, f"{api.__name__}.")
        for model in vars(importlib.import_module(module.name)).values()
        if inspect.isclass(model) and issubclass(model, RequestBody) and model is not RequestBody
    }
)
"""The bodies of all operations, in the order of their modules."""
ODD: list[object] = [
    None, True, 5, 5.5, -1, 10**9, "", "x", "x" * 5000, "2027-01-31T18:30", "2027-02-31", "1999-01-01",
    [], [None], [5], ["x"], ["room:view"] * 60, ["room.ended"] * 60, {}, {"a": {"b": {}}},
]  # fmt: skip


def requests() -> Iterator[tuple[type[RequestBody], str]]:
    """Every field of every body with every odd value, beside nothing else and beside a field that there is not."""
    for model in MODELS:
        yield model, json.dumps({"colour": "red", "created_at": "2027-01-01"})
        yield model, "{}"
        for name in model.model_fields:
            for value in ODD:
                yield model, json.dumps({name: value})


def test_every_error_that_a_body_can_meet_with_has_our_words(app: Flask) -> None:
    met: set[str] = set()
    for model, raw in requests():
        try:
            model.model_validate_json(raw)
        except ValidationError as error:
            found = error.errors(include_url=False)
        else:
            continue
        met |= {problem["type"] for problem in found}
        sent = app.test_request_context(method="POST", data=raw, content_type="application/json")
        with sent, pytest.raises(Invalid) as refused:
            request_body.parse_body(model)
        assert set(refused.value.fields) == {str(problem["loc"][0]) for problem in found}
        for words in refused.value.fields.values():
            assert isinstance(words, Message)
            assert not any(problem["msg"] in words for problem in found), words
            assert "%" not in words
            assert words.endswith("."), words
    assert met == {*MESSAGES, "enum", "value_error"} | {"too_short"}


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"role": 5}, {"role": "Use one of these: moderator, attendee, guest."}),
        ({}, {"role": "This is required."}),
        ({"role": "guest", "label": 5}, {"label": "Send text."}),
        ({"role": "guest", "label": "x" * 500}, {"label": "Use at most 80 characters."}),
        ({"role": "guest", "max_uses": 0}, {"max_uses": "Use a number from 1 on."}),
        ({"role": "guest", "max_uses": "1"}, {"max_uses": "Send a whole number."}),
        ({"role": "guest", "paused": "yes"}, {"paused": "Send true or false."}),
        (
            {"role": "guest", "expires_at": 5},
            {"expires_at": "Use a date, or a moment like 2027-01-31T18:30:00Z."},
        ),
        (
            {"role": "guest", "expires_at": "2027-01-31T18:30"},
            {"expires_at": "Say the time zone: end it with Z, or with an offset like +01:00."},
        ),
        ({"role": "guest", "token": "rt_"}, {"token": "This is read-only."}),
        ({"role": "guest", "colour": "red"}, {"colour": "There is no field colour."}),
    ],
)
def test_words_for_fields(cast: Cast, program: NewProgram, body: dict[str, object], words: dict[str, str]) -> None:
    answer = program("alice").post(f"/rooms/{cast.board}/tokens", body)
    assert answer.status_code == 422
    assert answer.json["errors"] == {name: [said] for name, said in words.items()}


def test_a_thing_in_a_list_is_named_by_its_place(cast: Cast, program: NewProgram) -> None:
    body = {"email": "charlie@demo.example", "permissions": ["room:view", 5]}
    [said] = program("alice").post(f"/rooms/{cast.board}/users", body).json["errors"]["permissions"]
    assert said.startswith("1: Use one of these: room:view, room:edit,")


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        (b'{"role": guest}', "This is not JSON: look at line 1, column 10."),
        (b'{"role": "\xff"}', "This is not JSON: it is not UTF-8."),
        (b'{"role": "guest", "role": "guest"}', "This is not JSON for us: a name stands twice in one object."),
        (b'{"max_uses": NaN}', "This is not JSON for us: NaN is no JSON value."),
    ],
)
def test_what_is_no_json_is_said_so(cast: Cast, program: NewProgram, raw: bytes, words: str) -> None:
    alice = program("alice")
    answer = alice.app.test_client().post(
        f"/api/v1/rooms/{cast.board}/tokens",
        data=raw,
        content_type="application/json",
        headers={"Authorization": f"Bearer {alice.token}"},
    )
    assert (answer.status_code, answer.get_json()) == (400, {"message": words})


@pytest.mark.parametrize(
    ("raw", "kind", "status"),
    [
        (b"", "text/plain", 200),
        (b" {} ", "application/json", 200),
        (b'{"a": 1}', "application/json", 400),
        (b"{", "application/json", 400),
        (b"a=1", "application/x-www-form-urlencoded", 400),
    ],
)
def test_where_there_is_nothing_to_say_a_body_is_refused_in_one_way(
    cast: Cast, program: NewProgram, raw: bytes, kind: str, status: int
) -> None:
    alice = program("alice")
    answer = alice.app.test_client().post(
        f"/api/v1/rooms/{cast.board}/start",
        data=raw,
        content_type=kind,
        headers={"Authorization": f"Bearer {alice.token}"},
    )
    assert answer.status_code == status
    assert status == 200 or answer.get_json() == {"message": "Send no body here: there is nothing to say."}
