"""The features of a package or a subscription as fields of a form: one for each that it can have."""

from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, IntegerField
from wtforms.validators import NumberRange, Optional

from portal.edge.i18n import translated
from portal.subscriptions.feature_catalog import LARGEST, Feature, Value
from portal.web.forms import Form

FormT = TypeVar("FormT", bound=Form)


def with_features(base: type[FormT], features: Sequence[Feature]) -> type[FormT]:
    """The form with a field for each feature, named by its code. An empty number is an unlimited one."""
    return type(base.__name__, (base,), {feature.code: _field(feature) for feature in features})


def _field(feature: Feature) -> Any:
    label = translated(feature.label)
    if not feature.numeric:
        return BooleanField(label)
    label = f"{label} ({feature.unit})" if feature.unit else label
    sentence = _l("Use a whole number, 0 or more. Empty means unlimited.")
    judged = [Optional(), NumberRange(min=0, max=LARGEST, message=sentence)]
    return IntegerField(label, judged, render_kw={"min": 0, "max": LARGEST, "inputmode": "numeric"})


def shown_features(features: Sequence[Feature], values: Mapping[str, Value]) -> dict[str, Value]:
    """What the fields are filled with: what is not granted is 0 or off, and what is not limited is empty."""
    return {one.code: values.get(one.code, _missing(one)) for one in features}


def sent_features(form: Form, features: Sequence[Feature], granted: Mapping[str, Value]) -> dict[str, Value]:
    """The features to grant. One that is not granted, and was left as `shown_features` filled it, stays so."""
    return {
        one.code: value for one in features if (value := form[one.code].data) != _missing(one) or one.code in granted
    }


def _missing(feature: Feature) -> Value:
    """The value that means as much as none."""
    return None if feature.unlimited_if_missing else 0 if feature.numeric else False
