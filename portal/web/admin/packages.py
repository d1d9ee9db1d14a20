"""The pages of packages: their list, and one package with its features, its services and who bought it."""

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

import sqlalchemy as sa
from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy.orm import joinedload

from portal.customers.models import Customer
from portal.db import session
from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.staff_guard import staff
from portal.errors import Conflict, Message
from portal.keyset import Key
from portal.people.models import User
from portal.people.staff import StaffPermission
from portal.plain_values import columns_for
from portal.resources.columns import words_begin
from portal.rooms.kinds import KINDS
from portal.subscriptions.feature_catalog import FEATURES
from portal.subscriptions.models import Subscription
from portal.subscriptions.package_features import offered_features
from portal.subscriptions.package_models import PackageStatus, ServicePackage
from portal.subscriptions.package_providers import addable_providers
from portal.subscriptions.packages import copy_package, delete_package, reason_not_to_sell, reason_to_keep, times_sold
from portal.subscriptions.provider_models import ServiceType
from portal.subscriptions.queries import find_package_by_id
from portal.subscriptions.terms import PeriodUnit, length_of
from portal.web import flash_messages
from portal.web.admin.list_page import csv_answer, list_answer
from portal.web.admin.lists import AdminList, FilterChoice, ListColumn, ListFilter
from portal.web.admin.package_forms import CopyForm, edit_form, new_package_form
from portal.web.admin.terms_form import price_words, terms_rows
from portal.web.forms import refills

bp = Blueprint("admin_packages", __name__, url_prefix="/admin/packages")

BUYERS_SHOWN = 25


@dataclass(frozen=True)
class PackageRow:
    """A package, as the list shows it. `sold` counts its subscriptions."""

    id: str
    name: str
    service_type: ServiceType
    status: PackageStatus
    hidden: bool
    price: Decimal
    currency: str
    periodicity: int | None
    periodicity_type: PeriodUnit | None
    sold: int
    created_at: datetime

    @property
    def price_words(self) -> str:
        """What is paid, and how often."""
        return price_words(self.price, self.currency, length_of(self.periodicity, self.periodicity_type))

    @property
    def kind_word(self) -> str:
        """What its type is called, in the reader's language."""
        return translated(KINDS[self.service_type].label)

    @property
    def status_word(self) -> str:
        """Whether it is sold, in the reader's language."""
        return _("Active") if self.status is PackageStatus.ACTIVE else _("Inactive")


_SOLD = (
    sa.select(sa.func.count())
    .select_from(Subscription)
    .where(Subscription.package_uuid == ServicePackage.uuid)
    .scalar_subquery()
)


def _type_choices() -> list[FilterChoice]:
    return [
        FilterChoice(one, kind.label, lambda one=one: ServicePackage.service_type == one)  # type: ignore[misc]
        for one, kind in KINDS.items()
    ]


PACKAGES = AdminList(
    name="packages",
    rows=sa.select(*columns_for(PackageRow, ServicePackage, sold=_SOLD)),
    row=PackageRow,
    uuid=ServicePackage.uuid,
    columns=(
        ListColumn("name", Message("Package"), lambda row: row.name, Key(ServicePackage.name)),
        ListColumn("type", Message("Type"), lambda row: row.kind_word),
        ListColumn("price", Message("Price"), lambda row: row.price_words, wide=True),
        ListColumn("sold", Message("Sold"), lambda row: row.sold, kind="number"),
        ListColumn("status", Message("Status"), lambda row: row.status_word),
        ListColumn(
            "created", Message("Created"), lambda row: row.created_at, Key(ServicePackage.created_at), kind="moment"
        ),
    ),
    search=lambda text: words_begin(ServicePackage.name, text),
    filters=(
        ListFilter(
            "status",
            Message("Status"),
            Message("Any status"),
            lambda: (
                FilterChoice("active", Message("Active"), lambda: ServicePackage.status == PackageStatus.ACTIVE),
                FilterChoice("inactive", Message("Inactive"), lambda: ServicePackage.status == PackageStatus.INACTIVE),
            ),
        ),
        ListFilter("type", Message("Type"), Message("Any type"), _type_choices),
    ),
)


@bp.get("")
@staff(StaffPermission.PACKAGES_READ)
def index() -> ResponseReturnValue:
    """Show all packages."""
    return list_answer(PACKAGES, "admin/packages/index.html", "admin/packages/_list.html")


@bp.get("/export.csv")
@staff(StaffPermission.PACKAGES_READ)
def download() -> ResponseReturnValue:
    """Download them as a CSV file."""
    return csv_answer(PACKAGES)


@bp.route("/new", methods=["GET", "POST"])
@staff(StaffPermission.PACKAGES_CREATE)
@refills
def create() -> ResponseReturnValue:
    """Make a package: name, price, features. Its type is in the address, because features differ by type."""
    form = new_package_form(request.args.get("type", ""))
    if form is None:
        return render_template("admin/packages/no_service.html")
    if form.validate_on_submit():
        with form.refusals():
            package = form.create(by=actor.someone())
            flash_messages.done(_("The package can be sold now."))
            return _to(package)
    return render_template("admin/packages/new.html", form=form), 422 if form.refused else 200


@bp.get("/<id:package_id>")
@staff(StaffPermission.PACKAGES_READ, package=find_package_by_id)
def show(package: ServicePackage) -> ResponseReturnValue:
    """Show one package."""
    features = offered_features(package.service_type, package.providers)
    return render_template(
        "admin/packages/show.html",
        package=package,
        kind=KINDS[package.service_type],
        terms=terms_rows(package),
        features=features,
        unprovided=[FEATURES[code] for code in package.values if code in FEATURES and FEATURES[code] not in features],
        not_sold=reason_not_to_sell(package),
        kept=reason_to_keep(package),
        sold=times_sold(package),
        addable=addable_providers(package),
        buyers=_buyers(package),
        most=BUYERS_SHOWN,
    )


def _buyers(package: ServicePackage) -> list[Subscription]:
    """The newest subscriptions of it, with their customers."""
    query = (
        sa.select(Subscription)
        .where(Subscription.package_uuid == package.uuid)
        .options(joinedload(Subscription.customer).joinedload(Customer.owner).lazyload(User.platform_roles))
        .order_by(Subscription.uuid.desc())
        .limit(BUYERS_SHOWN)
    )
    return list(session.scalars(query).unique())


@bp.route("/<id:package_id>/edit", methods=["GET", "POST"])
@staff(StaffPermission.PACKAGES_UPDATE, package=find_package_by_id)
@refills
def edit(package: ServicePackage) -> ResponseReturnValue:
    """Change a package and its features. What was sold of it stays as it was."""
    form = edit_form(package)
    if form.validate_on_submit():
        with form.refusals():
            form.change(package, by=actor.someone())
            flash_messages.done(_("Saved. What was sold before stays as it was."))
            return _to(package)
    page = render_template("admin/packages/edit.html", package=package, form=form)
    return page, 422 if form.refused else 200


@bp.route("/<id:package_id>/copy", methods=["GET", "POST"])
@staff(StaffPermission.PACKAGES_CREATE, package=find_package_by_id)
@refills
def copy(package: ServicePackage) -> ResponseReturnValue:
    """Copy a package under another name."""
    form = CopyForm(data={"name": _("%(name)s, copy", name=package.name)})
    if form.validate_on_submit():
        with form.refusals():
            copied = copy_package(package, name=form.name.data or "", by=actor.someone())
            flash_messages.done(_("The copy is inactive. Change it, then set it to active to sell it."))
            return _to(copied)
    return render_template("admin/packages/copy.html", package=package, form=form), 422 if form.refused else 200


@bp.route("/<id:package_id>/deletion", methods=["GET", "POST"])
@staff(StaffPermission.PACKAGES_DELETE, package=find_package_by_id)
def delete(package: ServicePackage) -> ResponseReturnValue:
    """Ask for confirmation, then delete the package."""
    if request.method != "POST":
        return render_template("admin/packages/delete.html", package=package, kept=reason_to_keep(package))
    try:
        delete_package(package, by=actor.someone())
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
        return _to(package)
    flash_messages.done(_("The package was deleted."))
    return redirect(url_for("admin_packages.index"), 303)


def _to(package: ServicePackage) -> ResponseReturnValue:
    return redirect(url_for("admin_packages.show", package_id=package.id), 303)
