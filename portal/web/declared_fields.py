"""Form fields of what is declared: one for each kind, filled with what is stored and read back as it is to be stored.

Shape only: what the operation refuses lands on the field. `templates/components/declared.html` draws them.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar

from wtforms import (
    BooleanField,
    ColorField,
    Field,
    IntegerField,
    PasswordField,
    SelectField,
    StringField,
    TextAreaField,
    URLField,
)
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from portal.edge.i18n import translated
from portal.moments import iso_datetime, read_moment
from portal.providers.base import DeclaredField, FieldKind
from portal.subscriptions.declared_values import FieldValue
from portal.web.forms import Form, UTCDateTimeField

ONE_LINE = 200  # characters: a longer text gets a larger field

_Declared = TypeVar("_Declared", bound=DeclaredField)


def for_people(declared: Mapping[str, _Declared]) -> dict[str, _Declared]:
    """The declared values that have a form field: all but files, which have forms of their own."""
    return {name: one for name, one in declared.items() if one.kind is not FieldKind.FILE}


def form_field(declared: DeclaredField) -> Field:
    """The field of a form for this declaration, to be called by its name."""
    label, longest = translated(declared.label), {"maxlength": declared.longest}
    match declared.kind:
        case FieldKind.SWITCH:
            return BooleanField(label)
        case FieldKind.CHOICE:
            return SelectField(label, choices=[SelectChoice(word, translated(text)) for word, text in declared.choices])
        case FieldKind.NUMBER:
            bounds = {"min": declared.least, "max": declared.most, "inputmode": "numeric"}
            return IntegerField(label, [Optional()], render_kw=bounds)
        case FieldKind.COLOR:
            return ColorField(label)  # where browsers know no such field, it is one for text
        case FieldKind.MOMENT:
            return UTCDateTimeField(label)
        case FieldKind.ADDRESS:
            return URLField(label, render_kw=longest | {"placeholder": "https://"})
        case FieldKind.SECRET:
            return PasswordField(label, render_kw=longest | {"autocomplete": "new-password"})
    if declared.longest > ONE_LINE:
        return TextAreaField(label, render_kw=longest | {"rows": 3})
    return StringField(label, render_kw=longest)


def shown_value(declared: DeclaredField, value: FieldValue) -> FieldValue | datetime | None:
    """What the field is filled with for a stored value, or for a default. A secret is never shown again."""
    if declared.kind is FieldKind.SECRET:
        return ""
    if declared.kind is FieldKind.MOMENT:
        return read_moment(str(value)) if value else None
    return None if declared.kind is FieldKind.NUMBER and value == "" else value


def changed_values(form: Form, declared: Mapping[str, DeclaredField], shown: Mapping[str, Any]) -> dict[str, Any]:
    """What the operation takes: what was changed, with None for what is as it would be anyhow.

    A secret whose field was left empty is not among it, so that what is stored stays.
    """
    changes: dict[str, Any] = {}
    for name, one in declared.items():
        sent = _as_stored(one, form[name].data)
        if sent != _as_stored(one, shown[name]):
            changes[name] = None if sent in {"", one.default} else sent
    return changes


def _as_stored(declared: DeclaredField, data: FieldValue | datetime | None) -> FieldValue:
    if data is None:
        return ""
    if isinstance(data, datetime):
        return str(iso_datetime(data))
    return data.upper() if declared.kind is FieldKind.COLOR and isinstance(data, str) else data
