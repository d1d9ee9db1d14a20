"""The pages of services (service providers): their list, and one with its properties, its health and who uses it."""

from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from portal.clock import now
from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.staff_guard import staff
from portal.errors import Conflict, Invalid, Message
from portal.keyset import Key
from portal.people.staff import StaffPermission
from portal.plain_values import columns_for
from portal.providers import registry
from portal.providers.base import FieldKind
from portal.resources.columns import words_begin
from portal.resources.packages import provider_properties
from portal.rooms.kinds import KINDS
from portal.subscriptions.models import Subscription
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.provider_uses import (
    default_of_subscriptions,
    packages_with,
    reason_to_keep,
    reason_to_keep_active,
)
from portal.subscriptions.queries import find_provider
from portal.subscriptions.service_providers import (
    ProviderChanges,
    change_provider,
    create_provider,
    delete_provider,
    try_connection,
)
from portal.subscriptions.services import adapter_of
from portal.videos.service_videos import count_public
from portal.web import flash_messages
from portal.web.admin.list_page import csv_answer, list_answer
from portal.web.admin.lists import AdminList, FilterChoice, ListColumn, ListFilter
from portal.web.admin.service_forms import NewServiceForm, ServiceEditForm, edit_service_form, new_service_form
from portal.web.forms import refills

bp = Blueprint("admin_services", __name__, url_prefix="/admin/services")

TEST = "test"
"""Name of the button that tests what was typed, without saving it."""


@dataclass(frozen=True)
class ServiceRow:
    """A service, as the list shows it. `used` counts the subscriptions whose rooms run on it."""

    id: str
    provider_name: str
    provider_type: str
    service_type: ServiceType
    active: bool
    draining: bool
    last_answer_at: datetime | None
    down_since: datetime | None
    used: int

    @property
    def type_word(self) -> str:
        """What its type of service is called."""
        return registry.adapter(self.provider_type).label

    @property
    def kind_word(self) -> str:
        """What the type of its rooms is called, in the reader's language."""
        return translated(KINDS[self.service_type].label)

    @property
    def status_word(self) -> str:
        """Whether runs start on it, in the reader's language."""
        return _("Draining") if self.active and self.draining else _("Active") if self.active else _("Inactive")


_USED = (
    sa.select(sa.func.count())
    .select_from(Subscription)
    .where(Subscription.provider_uuid == ServiceProvider.uuid)
    .scalar_subquery()
)

SERVICES = AdminList(
    name="services",
    rows=sa.select(*columns_for(ServiceRow, ServiceProvider, used=_USED)),
    row=ServiceRow,
    uuid=ServiceProvider.uuid,
    columns=(
        ListColumn("name", Message("Service"), lambda row: row.provider_name, Key(ServiceProvider.provider_name)),
        ListColumn("kind", Message("Kind"), lambda row: row.type_word),
        ListColumn("type", Message("Rooms"), lambda row: row.kind_word),
        ListColumn("status", Message("Status"), lambda row: row.status_word),
        ListColumn("answer", Message("Last answer"), lambda row: row.last_answer_at, kind="moment"),
        ListColumn("down", Message("Down since"), lambda row: row.down_since, kind="moment"),
        ListColumn("used", Message("Subscriptions"), lambda row: row.used, kind="number"),
    ),
    search=lambda text: words_begin(ServiceProvider.provider_name, text),
    filters=(
        ListFilter(
            "status",
            Message("Status"),
            Message("Any status"),
            lambda: (
                FilterChoice("active", Message("Active"), lambda: ServiceProvider.active.is_(True)),
                FilterChoice("inactive", Message("Inactive"), lambda: ServiceProvider.active.is_(False)),
                FilterChoice("draining", Message("Draining"), lambda: ServiceProvider.draining.is_(True)),
                FilterChoice("down", Message("Down"), lambda: ServiceProvider.down_since.is_not(None)),
            ),
        ),
    ),
)


@bp.get("")
@staff(StaffPermission.PROVIDERS_READ)
def index() -> ResponseReturnValue:
    """Show all services."""
    return list_answer(SERVICES, "admin/services/index.html", "admin/services/_list.html")


@bp.get("/export.csv")
@staff(StaffPermission.PROVIDERS_READ)
def download() -> ResponseReturnValue:
    """Download them as a CSV file."""
    return csv_answer(SERVICES)


@bp.route("/new", methods=["GET", "POST"])
@staff(StaffPermission.PROVIDERS_CREATE)
@refills
def create() -> ResponseReturnValue:
    """Connect a service. Its kind is in the address, because properties differ by kind."""
    form = new_service_form(request.args.get("kind", ""))
    if form.validate_on_submit():
        with form.refusals():
            if TEST in request.form:
                form.connection = try_connection(provider_type=form.adapter.key, properties=form.properties())
                return _form(form)
            provider = create_provider(
                provider_type=form.adapter.key,
                service_type=ServiceType(form.service_type.data),
                provider_name=form.provider_name.data or "",
                properties=form.properties(),
                by=actor.someone(),
            )
            flash_messages.done(_("The service is saved. Test the connection, then sell packages with it."))
            return _to(provider)
    return _form(form)


@bp.get("/<id:service_id>")
@staff(StaffPermission.PROVIDERS_READ, service=find_provider)
def show(service: ServiceProvider) -> ResponseReturnValue:
    """Show one service: its properties, its health, and who uses it."""
    adapter = adapter_of(service)
    return render_template(
        "admin/services/show.html",
        service=service,
        adapter=adapter,
        kind=KINDS[service.service_type],
        shown=provider_properties(service),
        counts=[(Message(service.labels.get(key, key)), value) for key, value in service.counts.items()],
        stale=service.counts_are_stale(now()),
        secret=FieldKind.SECRET,
        public_videos=count_public(service),
        packages=packages_with(service),
        subscriptions=default_of_subscriptions(service),
        kept=reason_to_keep(service),
        kept_active=reason_to_keep_active(service) if service.active else None,
    )


@bp.route("/<id:service_id>/edit", methods=["GET", "POST"])
@staff(StaffPermission.PROVIDERS_UPDATE, service=find_provider)
@refills
def edit(service: ServiceProvider) -> ResponseReturnValue:
    """Change name and properties, or test what was typed without saving it."""
    form = edit_service_form(service)
    if form.validate_on_submit():
        with form.refusals():
            if TEST in request.form:
                form.connection = try_connection(
                    provider_type=service.provider_type, properties=form.properties(), stored=service
                )
                return _form(form, service)
            change_provider(
                service, provider_name=form.provider_name.data or "", properties=form.properties(), by=actor.someone()
            )
            flash_messages.done(_("Saved."))
            return _to(service)
    return _form(form, service)


@bp.post("/<id:service_id>/test")
@staff(StaffPermission.PROVIDERS_READ, service=find_provider)
def test(service: ServiceProvider) -> ResponseReturnValue:
    """Test the connection with what is stored."""
    try:
        found = try_connection(provider_type=service.provider_type, properties={}, stored=service)
    except Invalid as invalid:
        flash_messages.failed(" ".join(translated(message) for message in invalid.fields.values()))
        return _to(service)
    if not found.tested:
        flash_messages.done(_("This service is built in: there is nothing to test."))
    else:
        told = ", ".join(f"{name} {value}" for name, value in found.told.items())
        flash_messages.done(_("The service answers: %(told)s.", told=told) if told else _("The service answers."))
    return _to(service)


@bp.post("/<id:service_id>/activation")
@staff(StaffPermission.PROVIDERS_UPDATE, service=find_provider)
def activate(service: ServiceProvider) -> ResponseReturnValue:
    """Switch the service on."""
    return _change(service, {"active": True}, _("The service is active."))


@bp.post("/<id:service_id>/deactivation")
@staff(StaffPermission.PROVIDERS_UPDATE, service=find_provider)
def deactivate(service: ServiceProvider) -> ResponseReturnValue:
    """Switch the service off, unless it is the default of something."""
    return _change(service, {"active": False}, _("The service is inactive."))


@bp.post("/<id:service_id>/drain")
@staff(StaffPermission.PROVIDERS_UPDATE, service=find_provider)
def drain(service: ServiceProvider) -> ResponseReturnValue:
    """Start nothing new on the service."""
    return _change(service, {"draining": True}, _("Nothing new starts on this service. What goes on goes on."))


@bp.post("/<id:service_id>/undrain")
@staff(StaffPermission.PROVIDERS_UPDATE, service=find_provider)
def undrain(service: ServiceProvider) -> ResponseReturnValue:
    """Let runs start on the service again."""
    return _change(service, {"draining": False}, _("Rooms open on this service again."))


@bp.route("/<id:service_id>/deletion", methods=["GET", "POST"])
@staff(StaffPermission.PROVIDERS_DELETE, service=find_provider)
def delete(service: ServiceProvider) -> ResponseReturnValue:
    """Ask for confirmation, then delete the service."""
    if request.method != "POST":
        return render_template("admin/services/delete.html", service=service, kept=reason_to_keep(service))
    try:
        delete_provider(service, by=actor.someone())
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
        return _to(service)
    flash_messages.done(_("The service was deleted."))
    return redirect(url_for("admin_services.index"), 303)


def _change(service: ServiceProvider, changes: ProviderChanges, words: str) -> ResponseReturnValue:
    try:
        change_provider(service, by=actor.someone(), **changes)
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
    else:
        flash_messages.done(words)
    return _to(service)


def _form(form: NewServiceForm | ServiceEditForm, service: ServiceProvider | None = None) -> ResponseReturnValue:
    page = render_template(
        "admin/services/form.html",
        form=form,
        service=service,
        adapter=form.adapter,
        kinds=[registry.adapter(key) for key in sorted(registry.known())],
    )
    return page, 422 if form.refused else 200


def _to(service: ServiceProvider) -> ResponseReturnValue:
    return redirect(url_for("admin_services.show", service_id=service.id), 303)
