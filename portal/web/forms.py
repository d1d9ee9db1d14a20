"""What forms share: refusals land on their field, moments are read in the writer's zone, nothing typed is lost."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from flask import g, request
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import ValidationError

from portal.db import session
from portal.edge.words import translated, zone
from portal.errors import Conflict, Invalid, Message, NotAllowed, Throttled
from portal.rooms.models import Role

KEPT = "kept_form"
"""Name of the hidden field that says: these are fields of a form to be shown again, not a wish to be granted."""
REFILLS = "refills"
YEARS = range(2000, 2201)

ROLE_CHOICES = [
    SelectChoice(Role.MODERATOR.value, _l("Moderator")),
    SelectChoice(Role.ATTENDEE.value, _l("Attendee")),
    SelectChoice(Role.GUEST.value, _l("Guest")),
]


def refills(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that may be called again with a lapsed session's fields: it acts only on a valid form."""
    setattr(view, REFILLS, True)
    return view


class Form(FlaskForm):  # type: ignore[misc]
    """A form whose fields are shaped here and whose meaning is judged by the operation."""

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Whether it was sent to be acted upon, and has the right shape."""
        if self.is_submitted() and (KEPT in request.form or g.get("lapsed")):
            self.form_errors.append(
                translated(Message("Your session had ended. Everything you typed is still here: send it again."))
            )
            return False
        return bool(super().validate_on_submit(extra_validators))

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Put what the operation refuses beside the field concerned, and undo what it changed."""
        try:
            yield
        except Invalid as invalid:
            session.rollback()
            if not invalid.fields:
                self.form_errors.append(translated(invalid.message))
            for name, message in invalid.fields.items():
                if name in self:
                    self[name].errors = [*self[name].errors, translated(message)]
                else:
                    self.form_errors.append(translated(message))
        except Throttled as throttled:
            session.rollback()
            self.form_errors.append(
                translated(
                    Message("Too many tries. Wait %(seconds)d seconds, then try again.", seconds=throttled.retry_after)
                )
            )
        except (Conflict, NotAllowed) as refused:
            session.rollback()
            self.form_errors.append(translated(refused.message))

    @property
    def refused(self) -> bool:
        """Whether anything is wrong with it."""
        return bool(self.form_errors or self.errors)


class MomentField(DateTimeLocalField):  # type: ignore[misc]
    """A date and time in the writer's zone; `data` is in UTC."""

    def __init__(self, label: Any, **options: Any) -> None:
        super().__init__(label, format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        text = (valuelist or [""])[0].strip()
        if not text:
            return
        try:
            naive = datetime.fromisoformat(text)
        except ValueError:
            raise ValidationError(
                translated(Message("There is no such date. Write it like 2027-01-31 18:30."))
            ) from None
        if naive.tzinfo is not None or naive.year not in YEARS:
            raise ValidationError(translated(Message("There is no such date. Write it like 2027-01-31 18:30.")))
        moment = naive.replace(tzinfo=zone()).astimezone(UTC)
        if moment.astimezone(zone()).replace(tzinfo=None) != naive:
            raise ValidationError(translated(Message("Clocks skip this time on that day. Choose one an hour later.")))
        self.data = moment

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return self.data.astimezone(zone()).strftime("%Y-%m-%dT%H:%M") if self.data else ""


class RoleField(SelectField):  # type: ignore[misc]
    """One of the three roles; `data` is a `Role`."""

    def __init__(self, label: Any, **options: Any) -> None:
        super().__init__(label, choices=ROLE_CHOICES, coerce=_role, **options)


def _role(value: object) -> Role:
    return Role(str(value))


def stripped(text: str | None) -> str:
    """Form text as a string without white space at its ends."""
    return (text or "").strip()


def fields_to_keep() -> dict[str, list[str]]:
    """What was sent, without what must not be kept: for showing the form again after signing in."""
    dropped = {"csrf_token", "password", KEPT}
    return {name: values for name, values in request.form.lists() if name not in dropped}
