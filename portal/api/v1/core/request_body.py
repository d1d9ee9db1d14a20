"""Parsing request bodies: from the JSON that a program sent to a typed model. Operations judge what the values mean.

Parsing is stricter than JSON libraries are by default: no duplicate names, no NaN or Infinity, no text that a
database could not hold, no deep nesting, and no field that is not in the OpenAPI document.
"""

import json
import math
from datetime import datetime
from typing import Annotated, Any, ClassVar, NoReturn, TypeVar

from flask import request
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, WithJsonSchema
from werkzeug.exceptions import BadRequest, UnsupportedMediaType

from portal.errors import Invalid, Message
from portal.moments import read_moment
from portal.resources.declaring import Resource

DEEPEST = 20
LONGEST_INTEGER = 2**53  # beyond, other languages' numbers are no longer exact

MESSAGES: dict[str, Message] = {
    "missing": Message("This is required."),
    "extra_forbidden": Message("There is no field %(name)s."),
    "string_type": Message("Send text."),
    "literal_error": Message("Send true, or leave it out."),
    "string_too_short": Message("Use at least %(min_length)d characters."),
    "string_too_long": Message("Use at most %(max_length)d characters."),
    "int_type": Message("Send a whole number."),
    "greater_than_equal": Message("Use a number from %(ge)d on."),
    "less_than_equal": Message("Use a number up to %(le)d."),
    "bool_type": Message("Send true or false."),
    "datetime_type": Message("Use a date, or a moment like 2027-01-31T18:30:00Z."),
    "list_type": Message("Send a list."),
    "too_long": Message("Send at most %(max_length)d."),
    "dict_type": Message("Send an object."),
}
"""Type of a Pydantic error → our message. A test finds out which types bodies can have."""

Model = TypeVar("Model", bound="RequestBody")


class RequestBody(BaseModel):
    """The base class of all bodies: strict types, and no field that is not declared."""

    model_config = ConfigDict(strict=True, extra="forbid")

    resource: ClassVar[type[Resource] | None] = None
    """The resource whose fields the body sets. Those that it does not take are read-only."""

    def given(self) -> dict[str, Any]:
        """The fields that were sent, null ones included."""
        return {name: getattr(self, name) for name in self.model_fields_set}


def parse_body(model: type[Model]) -> Model:
    """The request's body as a `model`. Raises HTTP errors 415 and 400, or `Invalid` naming each field."""
    return _validated(model, _read())


def no_body() -> None:
    """Make sure that the body is empty, or an empty object, which some programs cannot leave out. Else raises a 400."""
    sent = request.get_data(cache=True).strip()
    if request.form or request.files or sent not in {b"", b"{}"}:
        raise BadRequest("Send no body here: there is nothing to say.")


def _read() -> bytes:
    raw = request.get_data(cache=True)
    if request.mimetype != "application/json":
        raise UnsupportedMediaType("Send JSON, with the header Content-Type: application/json.")
    return raw


def _validated(model: type[Model], raw: bytes) -> Model:
    sent = _decoded(raw)
    if not isinstance(sent, dict):
        raise Invalid(body=Message("Send a JSON object."))
    _storable(sent, "")
    try:
        return model.model_validate_json(raw)
    except ValidationError as error:
        raise Invalid(**_by_field(model, error)) from None


def _decoded(raw: bytes) -> Any:
    try:
        return json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_not_json, parse_int=_integer)
    except RecursionError:
        raise BadRequest("This is not JSON for us: it is nested too deeply.") from None
    except UnicodeDecodeError:
        raise BadRequest("This is not JSON: it is not UTF-8.") from None
    except json.JSONDecodeError as error:
        raise BadRequest(f"This is not JSON: look at line {error.lineno}, column {error.colno}.") from None
    except ValueError as error:
        raise BadRequest(f"This is not JSON for us: {error}.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("a name stands twice in one object")
    return result


def _not_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no JSON value")


def _integer(digits: str) -> int | float:
    """The whole number; infinity for one that is too large, which `_storable` refuses beside its field."""
    value = int(digits) if len(digits) < 20 else LONGEST_INTEGER + 1  # noqa: PLR2004  (more digits are too many)
    return value if abs(value) <= LONGEST_INTEGER else math.inf


def _storable(value: object, path: str, depth: int = 0) -> None:
    """Raise `Invalid` for what is nested too deep, a number too large, or characters that no database takes."""
    if depth > DEEPEST:
        raise Invalid(**{path or "body": Message("This is nested too deeply.")})
    if isinstance(value, str):
        if "\x00" in value or (not value.isascii() and any("\ud800" <= char <= "\udfff" for char in value)):
            raise Invalid(**{path: Message("Remove the invisible characters.")})
    elif isinstance(value, float):
        if not math.isfinite(value):
            raise Invalid(**{path: Message("This number is too large.")})
    elif isinstance(value, dict):
        for name, inner in value.items():
            _storable(name, path or "body", depth)
            _storable(inner, f"{path}.{name}" if path else name, depth + 1)
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            _storable(inner, f"{path}.{number}", depth + 1)


def _by_field(model: type[RequestBody], error: ValidationError) -> dict[str, Message]:
    found: dict[str, Message] = {}
    for problem in error.errors(include_url=False, include_input=False):
        where = [str(step) for step in problem["loc"]]
        inside, message = ".".join(where[1:]), _field_message(model, problem["type"], where[-1], problem.get("ctx", {}))
        if inside:
            message = Message("%(inside)s: %(said)s", inside=inside, said=message)
        found.setdefault(where[0], message)
    return found


def _field_message(model: type[RequestBody], kind: str, name: str, about: dict[str, Any]) -> Message:
    """Our message for an error of Pydantic, whose own messages are for programmers in Python."""
    if kind == "value_error":
        message: Message = about["error"].args[0]
        return message
    if kind == "extra_forbidden" and model.resource is not None and name in model.resource.model_fields:
        return Message("This is read-only.")
    if kind == "enum":
        return Message(
            "Use one of these: %(allowed)s.", allowed=about["expected"].replace("'", "").replace(" or ", ", ")
        )
    if about.get("min_length") == 1:
        return Message("This cannot be empty.")
    return Message(MESSAGES[kind].msgid, name=name, **about)


def _aware_datetime(value: object) -> object:
    """Parse a date, which means its start in UTC, or a datetime, which must have a time zone."""
    if not isinstance(value, str):
        return value
    try:
        return read_moment(value)
    except Invalid as invalid:
        raise ValueError(invalid.message) from None


def _whole(value: object) -> object:
    """Turn 5.0 into 5: JSON has one kind of number only."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


WHOLE = BeforeValidator(_whole)
"""Accepts 5.0 for an integer field. Put it after the field's bounds, or they are missing in the OpenAPI document."""

AwareDateTime = Annotated[
    datetime,
    BeforeValidator(_aware_datetime),
    WithJsonSchema(
        {
            "description": "A date (its first moment in UTC), or a moment with a time zone.",
            "anyOf": [{"type": "string", "format": "date"}, {"type": "string", "format": "date-time"}],
            "examples": ["2027-01-31", "2027-01-31T18:30:00Z"],
        }
    ),
]

AnId = Annotated[str, Field(max_length=36, description="An id, uuid or ulid.")]
