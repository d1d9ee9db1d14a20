"""What a package grants: features of the catalogue that fit its rooms and that one of its services can provide."""

from collections.abc import Iterable, Mapping
from typing import Any

from portal.audit.changes import differences
from portal.audit.operations import record_event
from portal.clock import now
from portal.db import lock, session
from portal.errors import Invalid, InvalidFields, Message, NotFound
from portal.people.actor import Actor
from portal.subscriptions.feature_catalog import FEATURES, Feature, Value, api_value, stored_value
from portal.subscriptions.package_models import PackageFeature, PackageProvider, ServicePackage
from portal.subscriptions.provider_models import ServiceType
from portal.subscriptions.services import adapter_of

CODE_SHOWN = 32  # characters: of a code that is made up, no more is said again


def offered_features(service_type: ServiceType, providers: Iterable[PackageProvider]) -> list[Feature]:
    """The features that can be sold with these: those of the type that the portal or one of the services provides."""
    provided = frozenset[str]().union(*(adapter_of(one.provider).features for one in providers))
    return [
        feature
        for feature in FEATURES.values()
        if service_type in feature.fits and (not feature.by_service or feature.code in provided)
    ]


def checked_features(package: ServicePackage, values: Mapping[str, Value]) -> list[PackageFeature]:
    """The rows of these features. Raises one `Invalid` for all that are bad, each on its code or on `features`."""
    wrong = InvalidFields()
    rows = []
    for code, value in values.items():
        with wrong.gathered():
            rows.append(_row(package, code, value))
    wrong.raise_if_any()
    return rows


def _row(package: ServicePackage, code: str, value: Value) -> PackageFeature:
    number, switch = feature_columns(package.service_type, code, value)
    if FEATURES[code] not in offered_features(package.service_type, package.providers):
        raise Invalid(**{code: Message("None of the package's services provides this.")})
    return PackageFeature(code=code, number=number, switch=switch)


def feature_columns(service_type: ServiceType, code: str, value: object) -> tuple[int | None, bool | None]:
    """The columns `number` and `switch` of this value. Raises `Invalid` on `features` or on the feature's code."""
    feature = FEATURES.get(code)
    if feature is None:
        raise Invalid(features=Message("There is no feature %(code)s.", code=code[:CODE_SHOWN]))
    if service_type not in feature.fits:
        raise Invalid(**{code: Message("Rooms of this type have no such feature.")})
    stored = stored_value(feature, value)
    if feature.numeric:
        return (None if stored is None else int(stored)), None
    return None, bool(stored)


def find_package_feature(package: ServicePackage, code: str) -> PackageFeature:
    """The package's feature with this code. Raises `NotFound`."""
    found = next((one for one in package.features if one.code == code), None)
    if found is None:
        raise NotFound
    return found


def set_package_feature(package: ServicePackage, *, code: str, value: Value, by: Actor | None) -> PackageFeature:
    """Grant the feature, or grant it with another value. What was sold already stays as it was.

    Raises `Invalid` on `features` for an unknown code, else on the code.
    """
    lock(package)
    before = shown(package)
    row = _row(package, code, value)
    kept = next((one for one in package.features if one.code == code), None)
    if kept is None:
        package.features.append(row)
    else:
        kept.number, kept.switch = row.number, row.switch
    _changed(package, before, by=by)
    return kept or row


def set_package_features(package: ServicePackage, *, values: Mapping[str, Value], by: Actor | None) -> None:
    """Grant exactly these features. Raises one `Invalid` for all that are bad, as `checked_features` does."""
    lock(package)
    before = shown(package)
    wanted = {row.code: row for row in checked_features(package, values)}
    for kept in [*package.features]:
        row = wanted.pop(kept.code, None)
        if row is None:
            package.features.remove(kept)
        else:
            kept.number, kept.switch = row.number, row.switch
    package.features.extend(wanted.values())
    _changed(package, before, by=by)


def remove_package_feature(package: ServicePackage, *, code: str, by: Actor | None) -> None:
    """Grant the feature no more to whoever buys from now on. Raises `NotFound` if the package has no such feature."""
    lock(package)
    before = shown(package)
    package.features.remove(find_package_feature(package, code))
    _changed(package, before, by=by)


def shown(thing: Any) -> dict[str, int | bool]:
    """Code → value of what a subscription or a package grants, as people and programs read it."""
    values: dict[str, Value] = thing.values
    return {code: api_value(FEATURES[code], value) for code, value in values.items()}


def _changed(package: ServicePackage, before: dict[str, int | bool], *, by: Actor | None) -> None:
    package.updated_at = now()
    session.flush()
    record_event("package.features_changed", package, by=by, changes=differences(before, shown(package)))
