"""The base class and the fields of all forms.

Refusals of an operation are shown beside their field; dates are in the reader's time zone; nothing typed is lost when
the session has ended; and a form that creates something creates it once, however often it is sent.
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
from wtforms import DateTimeLocalField, Field, HiddenField, SelectField, StringField
from wtforms.csrf.core import CSRFTokenField
from wtforms.fields.choices import SelectChoice
from wtforms.form import BaseForm
from wtforms.validators import ValidationError
from wtforms.widgets import HiddenInput

from portal.clock import now
from portal.db import session
from portal.edge import actor, errors
from portal.edge.i18n import here_at, translated, zone
from portal.errors import Conflict, Invalid, Message, NotAllowed, Throttled, Unavailable
from portal.idempotency import forms
from portal.moments import YEARS, parse_iso
from portal.permissions.rules import grantable_roles
from portal.rooms.models import Role
from portal.rooms.room_read import AnyRoom
from portal.web.form_words import FORM_WORDS, FormWords

REFILL_FIELD = "kept_form"
"""Name of the hidden field that says: show this form again with these values, and do not act on it."""
REFILLS = "refills"
ONCE = "once"
"""Name of the hidden field with a nonce, which differs with each rendering of a form. See components/forms.html."""
LONGEST_FIELD = 20_000
AS_SENT = object()
JUDGED = {HTTPStatus.SEE_OTHER, HTTPStatus.FORBIDDEN, HTTPStatus.CONFLICT, HTTPStatus.UNPROCESSABLE_ENTITY}
"""Statuses of answers to a form that was parsed and judged."""

ROLE_CHOICES = [
    SelectChoice(Role.MODERATOR.value, _l("Moderator")),
    SelectChoice(Role.ATTENDEE.value, _l("Attendee")),
    SelectChoice(Role.GUEST.value, _l("Guest")),
]


def install(app: Flask) -> None:
    """Make forms idempotent. Install this after `transaction.install_end`, so that it runs before the commit."""
    app.after_request(_once)
    app.add_template_global(lambda: secrets.token_urlsafe(16), "one_time_word")


def _once(response: Response) -> Response:
    """Roll back a form that was submitted before, and redirect to where the first submission redirected."""
    if request.method != "POST" or response.status_code not in JUDGED or not request.form.get(ONCE):
        return response
    if not (response.location or "/").startswith("/"):  # good for this one person, and not to be stored
        return response
    somebody = actor.current()
    if somebody is None or REFILL_FIELD in request.form:
        return response
    fields = [f"{name}={value}" for name, value in request.form.items(multi=True) if name != "csrf_token"]
    try:
        key = forms.submission_key(str(somebody.uuid), request.path, *fields)
        if response.status_code == HTTPStatus.SEE_OTHER and forms.record_submission(key, response.location or ""):
            return response
        session.rollback()
        before = forms.redirect_of(key)
    except SQLAlchemyError as error:
        return make_response(current_app.handle_user_exception(error))
    return make_response(redirect(before, 303)) if before else response


def query_word(name: str, *, longest: int = 200) -> str:
    """A query parameter; "" if it is absent, longer than `longest`, or holds control characters."""
    text = request.args.get(name, "")
    return text if len(text) <= longest and not has_control(text) else ""


def has_control(text: str) -> bool:
    """Whether `text` holds control characters other than line breaks and tabs."""
    return any(unicodedata.category(char) == "Cc" and char not in "\r\n\t" for char in text)


def refills(view: Callable[..., Any]) -> Callable[..., Any]:
    """Mark a view whose form may be shown again, filled, after the session has ended: it acts only on a valid form."""
    setattr(view, REFILLS, True)
    return view


class _UnshownTokenField(CSRFTokenField):  # type: ignore[misc]
    """The field of a CSRF token. It signs none, because pages write theirs themselves, and most forms are not shown."""

    def process(self, *args: Any, **options: Any) -> None:
        HiddenField.process(self, *args, **options)


class _CSRF(FlaskForm.Meta.csrf_class):  # type: ignore[misc]
    field_class = _UnshownTokenField


class Form(FlaskForm):  # type: ignore[misc]
    """The base class of forms. They check the types of fields; operations judge what the values mean."""

    class Meta:
        """How WTForms renders fields: one of the page has the focus, unless the template says which."""

        form: "Form"
        csrf_class = _CSRF

        def get_translations(self, form: "Form") -> FormWords:
            """Our sentences instead of WTForms' own."""
            return FORM_WORDS

        def render_field(self, field: Field, render_kw: dict[str, Any]) -> Any:
            """Render a field; see `Form.takes_focus`. Text runs in the direction of what is typed."""
            if isinstance(field, StringField):
                render_kw.setdefault("dir", "auto")
            if not isinstance(field.widget, HiddenInput) and "autofocus" not in render_kw:
                render_kw["autofocus"] = self.form.takes_focus(field)
            return super().render_field(field, render_kw)  # type: ignore[misc]

    def __init__(self, formdata: Any = AS_SENT, **options: Any) -> None:
        if formdata is AS_SENT:  # as a form: a JSON body holds things that no field expects
            formdata = request.form if self.is_submitted() else None
        super().__init__(formdata=formdata, **options)
        self.meta.form = self
        self._focus_taken = False

    def takes_focus(self, field: Field) -> bool:
        """Whether this field, which the page is about to show, has the focus: the first wrong one, or else the first.

        It is asked for each field in the order of the page, and true once. Templates ask it for fields that they
        render themselves.
        """
        if self._focus_taken or (not field.errors and any(other.errors for other in self)):
            return False
        self._focus_taken = True
        return True

    def leave_focus(self) -> None:
        """Take no focus: another form of the page has it."""
        self._focus_taken = True

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Whether the form was submitted, is valid, and is not only to be shown again."""
        if self.is_submitted() and (REFILL_FIELD in request.form or g.get("lapsed")):
            self.form_errors.append(
                translated(Message("Your session had ended. Everything you typed is still here: send it again."))
            )
            return False
        return bool(super().validate_on_submit(extra_validators))

    def validate(self, extra_validators: Any = None) -> bool:
        """Validate the fields, and refuse in all of them control characters and overlong texts."""
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
        """Run the operation in the block; if it refuses, roll back and put the messages beside the fields concerned."""
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
        """Whether the form has errors."""
        return bool(self.form_errors or self.errors)


class UTCDateTimeField(DateTimeLocalField):  # type: ignore[misc]
    """A date and time, shown and typed in the reader's time zone; `data` is in UTC.

    `ahead`: a time in the past is refused, unless it is the stored value. Operations accept it, so that programs
    may send it; a person who types it has made a mistake.
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
        if before and text == typed_moment(before):
            self.data = before
            return
        try:
            naive = parse_iso(text)
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
        """Refuse a time in the past, if the field is `ahead`."""
        if self._ahead and self.data and self.data <= now() and self.data != self.object_data:
            raise ValidationError(translated(Message("This has passed. Choose a later time, or leave it empty.")))

    def _value(self) -> str:
        if self.raw_data:
            return str(self.raw_data[0])
        return typed_moment(self.data) if self.data else ""


def typed_moment(moment: datetime) -> str:
    """A datetime in the format of a browser's field for date and time, in the reader's time zone."""
    return here_at(moment).replace(tzinfo=None).isoformat(timespec="minutes")


class RoleField(SelectField):  # type: ignore[misc]
    """One of the three roles; `data` is a `Role`."""

    def __init__(self, label: Any, **options: Any) -> None:
        super().__init__(label, choices=ROLE_CHOICES, coerce=_role, **options)

    def offer(self, room: AnyRoom) -> None:
        """Offer only the roles that the reader may hand out in this room."""
        grantable = grantable_roles(actor.current(), room)
        self.choices = [choice for choice in ROLE_CHOICES if Role(choice.value) in grantable]


def _role(value: object) -> Role:
    return Role(str(value))


def stripped(text: str | None) -> str:
    """Form text as a string without white space at its ends."""
    return (text or "").strip()


def fields_to_keep() -> dict[str, list[str]]:
    """The submitted fields, for showing the form again after signing in, without passwords and CSRF tokens."""
    dropped = {"csrf_token", "password", REFILL_FIELD, ONCE}
    return {name: values for name, values in request.form.lists() if name not in dropped}
