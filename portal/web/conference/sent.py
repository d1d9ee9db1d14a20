"""What a player's script sent: a JSON object, and the ids in it."""

import json
from typing import Any

from flask import request

from portal.conference.refusals import TooLarge
from portal.errors import Invalid, Message

LARGEST = 64_000  # bytes
TAB_LENGTH = 64


def json_body() -> dict[str, Any]:
    """The JSON object that a script sent. Raises `TooLarge` for more than 64 kB, `Invalid` for anything else."""
    sent = request.get_data(cache=True)
    if len(sent) > LARGEST:
        raise TooLarge
    try:
        body = json.loads(sent) if request.is_json else None
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise Invalid(Message("A signal is a JSON object."))
    return body


def word(body: dict[str, Any], name: str) -> str:
    """The id or key `name` of what was sent. Raises `Invalid` on it if it is none."""
    value = body.get(name)
    if not isinstance(value, str) or not 1 <= len(value) <= TAB_LENGTH:
        raise Invalid(**{name: Message("This is missing, or too long.")})
    if not value.isascii() or not value.isprintable():  # ids are; half a character could not even be looked up
        raise Invalid(**{name: Message("This is no id.")})
    return value
