"""What forms share: refusals land on their field, moments are read in the writer's zone, nothing typed is lost,
and a form that makes something makes it once, however often it is sent.
"""

import secrets
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from flask import Flask, Response, current_app, g, make_response, redirect, request
from flask_babel import lazy_gettext as _l
from flask_wtf import FlaskForm
from sqlalchemy.exc import SQLAlchemyError
from wtforms import DateTimeLocalField, SelectField
from wtforms.fields.choices import SelectChoice
from wtforms.form import BaseForm
from wtforms.validators import ValidationError

from portal.clock import now
from portal.db import session
from portal.edge import actor, errors
from portal.edge.i18n import here_at, translated, zone
from portal.errors import Conflict, Invalid, Message, NotAllowed, Throttled, Unavailable
from portal.idempotency import forms
from portal.moments import YEARS
from portal.permissions.rules import grantable_roles
from portal.rooms.models import Role, Room

REFILL_FIELD = "kept_form"
"""Name of the hidden field that says: these are fields of a form to be shown again, not a wish to be granted."""
REFILLS = "refills"
ONCE = "once"
"""Name of the hidden field that tells one sending of a form from another: see `once()` in components/forms.html."""
LONGEST_FIELD = 20_000
AS_SENT = object()
JUDGED = {HTTPStatus.SEE_OTHER, HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
"""Answers to a form that was read and judged; what could not be read must not be read again."""

ROLE_CHOICES = [
    SelectChoice(Role.MODERATOR.value, _l("Moderator")),
    SelectChoice(Role.ATTENDEE.value, _l("Attendee")),
    SelectChoice(Role.GUEST.value, _l("Guest")),
]


def install(app: Flask) -> None:
    """Act once on a form sent twice. Last of all: it is asked before the commit."""
    app.after_request(_once)
    app.add_template_global(lambda: secrets.token_urlsafe(16), "one_time_word")


def _once(response: Response) -> Response:
    """A second sending leads where the first one led, whether it would have been acted upon again or refused."""
    if request.method != "POST" or response.status_code not in JUDGED or not request.form.get(ONCE):
        return response
    somebody = actor.current()
    if somebody is None or REFILL_FIELD in request.form:
        return response
    said = [f"{name}={value}" for name, value in request.form.items(multi=True) if name != "csrf_token"]
    try:
        key = forms.submission_key(str(somebody.uuid), request.path, *said)
        if response.status_code == HTTPStatus.SEE_OTHER and forms.record_submission(key, response.location or ""):
            return response
        session.rollback()
        before = forms.redirect_of(key)
    except SQLAlchemyError as error:
        return make_response(current_app.handle_user_exception(error))
    return make_response(redirect(before, 303)) if before else response


def query_word(name: str, *, longest: int = 200) -> str:
    """A word of the address's query, without what no database takes; "" if it is not there or far too long."""
    text = request.args.get(name, "")
    return text if len(text) <= longest and not has_control(text) else ""


def has_control(text: str) -> bool:
    """Whether there are characters in it that are not for reading, other than the end of a line and a tab."""
    return any(unicodedata.category(char) == "Cc" and char not in "\r\n\t" for char in text)


def refills(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view that may be called again with a lapsed session's fields: it acts only on a valid form."""
    setattr(view, REFILLS, True)
    return view


class Form(FlaskForm):  # type: ignore[misc]
    """A form whose fields are shaped here and whose meaning is judged by the operation."""

    def __init__(self, formdata: Any = AS_SENT, **options: Any) -> None:
        if formdata is AS_SENT:  # as a form: a JSON body holds things that no field expects
            formdata = request.form if self.is_submitted() else None
        super().__init__(formdata=formdata, **options)

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Whether it was sent to be acted upon, and has the right shape."""
        if self.is_submitted() and (REFILL_FIELD in request.form or g.get("lapsed")):
            self.form_errors.append(
                translated(Message("Your session had ended. Everything you typed is still here: send it again."))
            )
            return False
        return bool(super().validate_on_submit(extra_validators))

    def validate(self, extra_validators: Any = None) -> bool:
        """Judge the fields, and refuse in all of them what no database takes and nobody can read."""
        good = bool(super().validate(extra_validators))
        if request.is_json:
            self.form_errors.append(translated(Message("Send this as a form.")))
            good = False
        for field in self:
            texts = [text for text in field.raw_data or () if isinstance(text, str)]
            if any(len(text) > LONGEST_FIELD for text in texts):
                field.errors = [translated(Message("This is too long."))]
            elif any(has_control(text) for text in texts):
                field.errors = [translated(Message("Remove the invisible characters; they could mislead readers."))]
            else:
                continue
            good = False
        return good

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """Put what the operation refuses beside the field concerned, and undo what it changed."""
        try:
            yield
        except Invalid as invalid:
            session.rollback()
            if not invalid.fields:
                self.form_errors.append(translated(invalid.message))
            for path, message in invalid.fields.items():
                name = path.rpartition(".")[2]  # a form's fields are called like the keys within settings and features
                if name in self:
                    self[name].errors = [*self[name].errors, translated(message)]
                else:
                    self.form_errors.append(translated(message))
        except Throttled as throttled:
            session.rollback()
            errors.on_form(throttled)
            self.form_errors.append(
                translated(
                    Message.plural(
                        "Too many tries. Wait %(n)d second, then try again.",
                        "Too many tries. Wait %(n)d seconds, then try again.",
                        n=throttled.retry_after,
                    )
                )
            )
        except (Conflict, NotAllowed, Unavailable) as refused:
            session.rollback()
            errors.on_form(refused)
            self.form_errors.append(translated(refused.message))

    @property
    def refused(self) -> bool:
        """Whether anything is wrong with it."""
        return bool(self.form_errors or self.errors)


class UTCDateTimeField(DateTimeLocalField):  # type: ignore[misc]
    """A date and time in the writer's zone; `data` is in UTC.

    `ahead`: a moment that has passed is refused, unless it was there before. Programs may say it, because the
    operations take it; a person who types it has made a mistake.
    """

    def __init__(self, label: Any, *, ahead: bool = False, **options: Any) -> None:
        self._ahead = ahead
        super().__init__(label, format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"], **options)

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = None
        text = (valuelist or [""])[0].strip()
        if not text:
            return
        before: datetime | None = self.object_data
        if before and text == _typed(before):
            self.data = before
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
        self.data = before if before and before.replace(second=0, microsecond=0) == moment else moment

    def pre_validate(self, form: BaseForm) -> None:
        """Refuse what is over before it begins."""
        if self._ahead and self.data and self.data <= now() and self.data != self.object_data:
            raise ValidationError(translated(Message("This has passed. Choose a later time, or leave it empty.")))

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return _typed(self.data) if self.data else ""


def _typed(moment: datetime) -> str:
    """As the browser spells it in a field for date and time."""
    return here_at(moment).replace(tzinfo=None).isoformat(timespec="minutes")


class RoleField(SelectField):  # type: ignore[misc]
    """One of the three roles; `data` is a `Role`."""

    def __init__(self, label: Any, **options: Any) -> None:
        super().__init__(label, choices=ROLE_CHOICES, coerce=_role, **options)

    def offer(self, room: Room) -> None:
        """Only roles that the reader may hand out."""
        grantable = grantable_roles(actor.current(), room)
        self.choices = [choice for choice in ROLE_CHOICES if Role(choice.value) in grantable]


def _role(value: object) -> Role:
    return Role(str(value))


def stripped(text: str | None) -> str:
    """Form text as a string without white space at its ends."""
    return (text or "").strip()


def fields_to_keep() -> dict[str, list[str]]:
    """What was sent, without what must not be kept: for showing the form again after signing in."""
    dropped = {"csrf_token", "password", REFILL_FIELD, ONCE}
    return {name: values for name, values in request.form.lists() if name not in dropped}
