"""The forms of packages: making one, changing one, copying one."""

from typing import Any, cast

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Optional

from portal.customers.defaults import defaults
from portal.db import session
from portal.errors import InvalidFields
from portal.metadata import read_metadata, written
from portal.people.actor import Actor
from portal.rooms.kinds import KINDS, RoomKind
from portal.subscriptions.feature_catalog import Feature
from portal.subscriptions.package_features import offered_features, set_package_features
from portal.subscriptions.package_models import PackageProvider, PackageStatus, ServicePackage
from portal.subscriptions.packages import PackageChanges, change_package, create_package
from portal.subscriptions.presets import FIRST_OF_A_TYPE
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.terms import PeriodUnit
from portal.web.admin.features_form import sent_features, shown_features, with_features
from portal.web.admin.terms_form import AMOUNT, PriceForm, TermsForm, read_amount, stored_terms, typed_amount
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import Form


class PackageForm(PriceForm):
    """What every form of a package has: its name and its price. `with_features` adds the features."""

    name = StringField(_l("Name"), [InputRequired(_l("Give the package a name."))])
    features: list[Feature]

    def about(self) -> PackageChanges:
        """What was sent, for `create_package`. Raises `Invalid` on `price`."""
        return cast(PackageChanges, {"name": self.name.data or "", **self.terms()})


class NewPackageForm(PackageForm):
    """A new package, on a service of its type."""

    service_id = SelectField(_l("Service"))
    service_type: ServiceType
    services: list[ServiceProvider]

    @property
    def kinds(self) -> dict[ServiceType, RoomKind]:
        """The types of which there is a service."""
        return {one: KINDS[one] for one in _served_types()}

    def create(self, *, by: Actor) -> ServicePackage:
        """Make the package. Raises `Invalid` on the fields of this form."""
        return create_package(
            service_type=self.service_type,
            provider=next((one for one in self.services if one.id == self.service_id.data), None),
            features=sent_features(self, self.features, {}),
            by=by,
            **self.about(),
        )


class PackageEditForm(TermsForm, PackageForm, EditForm):
    """Everything of a package that can be changed, but its services."""

    short_description = StringField(_l("In one line"))
    description = TextAreaField(_l("Description"), render_kw={"rows": 4})
    active = BooleanField(_l("Active: it is sold"))
    hidden = BooleanField(_l("Hidden: only staff sell it"))
    signup_fee = StringField(_l("Signup fee, once"), render_kw=AMOUNT)
    tier = IntegerField(_l("Rank among packages"), [Optional()], render_kw={"min": 0, "inputmode": "numeric"})
    has_stock = BooleanField(_l("Limit how many are sold"))
    stock_qty = IntegerField(_l("How many are left"), [Optional()], render_kw={"min": 0, "inputmode": "numeric"})
    package_metadata = TextAreaField(_l("Metadata"), render_kw={"rows": 4, "spellcheck": "false", "dir": "ltr"})

    def change(self, package: ServicePackage, *, by: Actor) -> None:
        """Change the package as it was sent. Raises `Invalid` on the fields of this form, all at once."""
        wrong = InvalidFields()
        with wrong.gathered():
            change_package(package, by=by, **self.about())
        with wrong.gathered():
            sent = sent_features(self, self.features, package.values)
            unprovided = {code: value for code, value in package.values.items() if code not in self}
            if sent | unprovided != package.values:
                set_package_features(package, values=sent, by=by)
        wrong.raise_if_any()

    def about(self) -> PackageChanges:
        """What was sent, for `change_package`. Raises `Invalid` on `signup_fee` or `package_metadata`."""
        typed = self.package_metadata.data or ""
        return {
            **super().about(),
            "package_metadata": read_metadata(typed, field="package_metadata"),
            "short_description": self.short_description.data or "",
            "description": self.description.data or "",
            "status": PackageStatus.ACTIVE if self.active.data else PackageStatus.INACTIVE,
            "hidden": self.hidden.data,
            "signup_fee": read_amount(self.signup_fee.data, field="signup_fee"),
            "tier": self.tier.data or 0,
            "has_stock": self.has_stock.data,
            "stock_qty": self.stock_qty.data or 0,
        }


class CopyForm(Form):
    """The name of a copy."""

    name = StringField(_l("Name of the copy"), [InputRequired(_l("Give the package a name."))])


def new_package_form(service_type: str) -> NewPackageForm | None:
    """The form for a package of this type, or of the first of which there is a service; None if there is none.

    It offers what any of the services provides, because one of them is chosen on the form itself; what the chosen one
    does not provide is refused beside its field. It is filled with the features of a small package of that type, of
    which few need another value.
    """
    types = _served_types()
    if not types:
        return None
    chosen = next((one for one in types if one == service_type), types[0])
    services = _active_services(chosen)
    features = offered_features(chosen, [PackageProvider(provider=one) for one in services])
    terms = {"currency": defaults().currency, "periodicity": 1, "periodicity_type": PeriodUnit.MONTH.value}
    usual = FIRST_OF_A_TYPE[chosen].features if chosen in FIRST_OF_A_TYPE else {}
    form = with_features(NewPackageForm, features)(data=terms | shown_features(features, usual))
    form.service_type, form.services, form.features = chosen, services, features
    form.service_id.choices = [SelectChoice(one.id, one.provider_name) for one in services]
    form.offer()
    return form


def edit_form(package: ServicePackage) -> PackageEditForm:
    """The form for this package, which is locked if the form was sent."""
    lock_for_edit(package)
    features = offered_features(package.service_type, package.providers)
    form = with_features(PackageEditForm, features)(data=_stored(package) | shown_features(features, package.values))
    form.features = features
    form.offer()
    return form


def _stored(package: ServicePackage) -> dict[str, Any]:
    same = "name", "short_description", "description", "hidden", "tier", "has_stock", "stock_qty"
    return {
        **{name: getattr(package, name) for name in same},
        **stored_terms(package),
        "signup_fee": typed_amount(package.signup_fee, package.currency),
        "active": package.status is PackageStatus.ACTIVE,
        "package_metadata": written(package.package_metadata, indent=2) if package.package_metadata else "",
    }


def _served_types() -> list[ServiceType]:
    """The types of which there is an active service, conferences first."""
    query = sa.select(ServiceProvider.service_type).where(ServiceProvider.active).distinct()
    found = set(session.scalars(query))
    return [one for one in KINDS if one in found]


def _active_services(service_type: ServiceType) -> list[ServiceProvider]:
    query = sa.select(ServiceProvider).where(ServiceProvider.active, ServiceProvider.service_type == service_type)
    return list(session.scalars(query.order_by(ServiceProvider.uuid)))
