"""Forms that change what exists: two people, or two tabs, that edit at once do not overwrite each other unseen.

Such a form carries its version: a digest of each value that it showed. What is sent is compared with what was shown
and with what is stored now. A value that the sender left alone stays as it is stored; one that nobody else changed is
saved; and of one that both changed he sees both, and chooses. Each choice of a list is a value of its own.
"""

import hashlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeVar

from flask import request
from flask_babel import gettext as _
from wtforms import BooleanField, ColorField, Field, HiddenField, PasswordField, SelectField, SelectMultipleField

from portal.db import lock
from portal.edge import errors
from portal.edge.i18n import translated
from portal.errors import Conflict, Message
from portal.identifiers import IdentifierMixin
from portal.web.forms import Form, typed_moment

Thing = TypeVar("Thing", bound=IdentifierMixin)

VERSION = "version"
"""Name of the hidden field with the version that the form showed, as a JSON object: field → digest."""
TAKE_THEIRS = "take_theirs"
"""Name of the button that gives up the sender's values of the fields in its value, which are separated by spaces."""

CONTESTED = Message(
    "This was saved in another tab, or by somebody else, while you were changing it. Nothing of yours is saved yet. "
    "Compare both values of the marked fields, then choose."
)


@dataclass(frozen=True)
class Contest:
    """Both values of a field that two people changed at once, as people read them."""

    theirs: str
    yours: str


class EditForm(Form):
    """The base class of forms that change what exists, which `lock_for_edit` locks before it is filled."""

    def __init__(self, *args: Any, **options: Any) -> None:
        self.contested: dict[str, Contest] = {}
        self._compared = False
        super().__init__(*args, **options)

    @property
    def fixed_choices(self) -> frozenset[Any]:
        """The choices of lists that the reader sees and cannot change, which his browser does not send."""
        return frozenset()

    def version(self) -> str:
        """The version to carry: that of what is stored, or of what was shown if the form was not compared with it."""
        if self.is_submitted() and not self._compared:
            return str(request.form.get(VERSION, ""))
        return json.dumps({name: _digest(text) for name, text in self._stored_values()}, separators=(",", ":"))

    def validate(self, extra_validators: Any = None) -> bool:
        """Merge what was sent with what is stored, and validate it. False, with status 409, if both changed a value."""
        self._merge(_version_sent(), taken=request.form.get(TAKE_THEIRS, "").split())
        good = bool(super().validate(extra_validators))
        for name, contest in self.contested.items():
            self[name].contest = contest
            self[name].errors = [*self[name].errors, _("This was changed meanwhile.")]
        if self.contested:
            errors.on_form(Conflict(CONTESTED))
            self.form_errors.append(translated(CONTESTED))
        return good and not self.contested

    def _merge(self, shown: dict[str, str], *, taken: list[str]) -> None:
        self._compared = True
        for field in self._values():
            if isinstance(field, SelectMultipleField):
                _merge_choices(field, shown, self.fixed_choices)
                continue
            mine, theirs = _sent(field), _text(field, field.object_data)
            if mine == theirs or field.name not in shown:
                continue
            if field.name in taken or _digest(mine) == shown[field.name]:
                _take(field)
            elif _digest(theirs) != shown[field.name]:
                self.contested[field.name] = Contest(theirs=_for_people(field, theirs), yours=_for_people(field, mine))

    def _values(self) -> Iterator[Field]:
        """The fields that show what is stored: not hidden ones, and not those for secrets, which show nothing."""
        yield from (field for field in self if not isinstance(field, (HiddenField, PasswordField)))

    def _stored_values(self) -> Iterator[tuple[str, str]]:
        for field in self._values():
            if isinstance(field, SelectMultipleField):
                yield from _choices(field, field.object_data, self.fixed_choices)
            else:
                yield field.name, _text(field, field.object_data)


def lock_for_edit(thing: Thing, locking: Callable[[Thing], None] | None = None) -> None:
    """Lock what a form is about to change, so that it stays as the form compares it until the change is written.

    Collections of it are read anew as well, because forms compare them, too.

    `locking` is for what has an order in which its rows are locked. Does nothing for a request that only shows the
    form. Raises `NotFound` if it is gone.
    """
    if request.method == "POST":
        (locking or lock)(thing)


def _version_sent() -> dict[str, str]:
    """The version that the form carries; empty if it carries none, or one that we never wrote."""
    try:
        version = json.loads(request.form.get(VERSION, ""))
    except (ValueError, RecursionError):
        return {}
    return version if isinstance(version, dict) else {}


def _merge_choices(field: SelectMultipleField, shown: dict[str, str], fixed: frozenset[Any]) -> None:
    """Of each choice what the sender made of it, or what is stored, if he left it alone.

    A fixed choice that was sent in spite of it stays, for the operation to refuse.
    """
    stored = dict(_choices(field, field.object_data, fixed))
    sent = dict(_choices(field, field.data, fixed))
    merged = {name: stored[name] if shown.get(name) == _digest(text) else text for name, text in sent.items()}
    forged = fixed.intersection(field.data or ())
    field.data = [
        choice.value for choice in field.choices if choice.value in forged or merged.get(_name_of(field, choice.value))
    ]


def _choices(field: SelectMultipleField, chosen: list[Any] | None, fixed: frozenset[Any]) -> Iterator[tuple[str, str]]:
    for choice in field.choices:
        if choice.value not in fixed:
            yield _name_of(field, choice.value), "chosen" if choice.value in (chosen or ()) else ""


def _name_of(field: SelectMultipleField, value: object) -> str:
    return f"{field.name} {value}"


def _take(field: Field) -> None:
    """Give the field the stored value, as if it had been sent."""
    field.process_data(field.object_data)
    field.raw_data, field.process_errors = [_text(field, field.object_data)], []


def _sent(field: Field) -> str:
    return str((field.raw_data or [""])[0]).strip() if field.process_errors else _text(field, field.data)


def _text(field: Field, value: object) -> str:
    """A value as a browser would send it, without what browsers change: line ends and the case of colours."""
    if isinstance(value, datetime):
        return typed_moment(value)
    if isinstance(field, BooleanField):
        return "on" if value else ""
    text = "" if value is None else str(value).replace("\r\n", "\n").strip()
    return text.upper() if isinstance(field, ColorField) else text


def _for_people(field: Field, text: str) -> str:
    if isinstance(field, SelectField):
        return next((str(label) for value, label, *_more in field.iter_choices() if str(value) == text), text)
    return text or _("empty")


def _digest(text: str) -> str:
    return hashlib.blake2s(text.encode(), digest_size=6).hexdigest()
