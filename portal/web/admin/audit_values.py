"""What lines of the audit say about fields and their values, in words: the lines keep what is stored."""

import re
from enum import StrEnum
from typing import Any, Protocol

from portal.accounts.permission import AccountPermission
from portal.audit.field_words import field_words
from portal.customers.models import CustomerStatus, CustomerType
from portal.customers.permission import CustomerPermission
from portal.customers.profile_models import AddressType, DocumentType, TelephoneType
from portal.edge.i18n import ending_label, exactly, role_label, translated
from portal.edge.i18n import gettext as _
from portal.errors import Message
from portal.metadata import written
from portal.moments import parse_iso
from portal.people.staff import StaffPermission
from portal.permissions.permission import Permission
from portal.rooms.models import Role
from portal.status.models import Ending
from portal.subscriptions.feature_catalog import FEATURES
from portal.subscriptions.phases import Phase
from portal.subscriptions.terms import PeriodUnit
from portal.webhooks.models import PauseReason


class _Labelled(Protocol):
    @property
    def value(self) -> str: ...
    @property
    def label(self) -> Message: ...


def _labels(*of: _Labelled) -> dict[str, Message]:
    return {one.value: one.label for one in of}


_STATUSES = _labels(*CustomerStatus, Phase.CANCELED)
_UNITS = _labels(*PeriodUnit)
_PERMISSIONS = _labels(*AccountPermission, *CustomerPermission, *Permission, *StaffPermission)
_WORDS: dict[str, dict[str, Message]] = {
    "status": _STATUSES,
    "customer_type": _labels(*CustomerType),
    "kind": _labels(*AddressType, *TelephoneType, *DocumentType),
    "periodicity_type": _UNITS,
    "trial_interval": _UNITS,
    "grace_interval": _UNITS,
    "why": {one.value: one.words for one in PauseReason},
}
"""Field → stored word → what people read."""

_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z", re.ASCII)
"""As `portal.audit.changes` writes them."""


def field_label(name: str) -> str:
    """The name of a field or feature as people read it; of settings of services, which only they know, their key."""
    feature = FEATURES.get(name)
    words = feature.label if feature is not None else field_words(name)
    return translated(words) if words is not None else name.replace("_", " ")


def shown_value(name: str, value: Any) -> str:
    """A value of the field `name` as people read it; moments to the second, with their zone."""
    if value is None or value in ("", [], {}):
        return _("nothing")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if isinstance(value, list):
        return ", ".join(shown_value(name, one) for one in value)
    if isinstance(value, dict):
        return written(value)
    return _said(name, str(value))


def _said(name: str, text: str) -> str:
    if name == "permissions":  # one, or several with spaces between them
        labels = (_PERMISSIONS.get(word) or Message("%(word)s", word=word) for word in text.split())
        return ", ".join(map(translated, labels))
    if (words := _WORDS.get(name, {}).get(text)) is not None:
        return translated(words)
    if name == "role" and text in _values(Role):
        return role_label(Role(text))
    if name == "ending" and text in _values(Ending):
        return ending_label(Ending(text))
    return exactly(parse_iso(text)) if _MOMENT.fullmatch(text) else text


def _values(words: type[StrEnum]) -> set[str]:
    return {one.value for one in words}
