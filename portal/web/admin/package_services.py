"""The services of a package, as forms on its page: adding one, making it the default, switching it off, removing it."""

from flask import Blueprint, redirect, request, url_for
from flask.typing import ResponseReturnValue

from portal.edge import actor
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.edge.staff_guard import staff
from portal.errors import Conflict, Invalid
from portal.people.staff import StaffPermission
from portal.subscriptions import package_providers as operations
from portal.subscriptions.package_models import ServicePackage
from portal.subscriptions.package_providers import PackageProviderChanges, find_package_provider
from portal.subscriptions.queries import find_package_by_id, find_provider
from portal.web import flash_messages

bp = Blueprint("admin_package_services", __name__, url_prefix="/admin/packages/<id:package_id>/services")


@bp.post("")
@staff(StaffPermission.PACKAGES_UPDATE, package=find_package_by_id)
def add(package: ServicePackage) -> ResponseReturnValue:
    """Let a service serve the package."""
    provider = find_provider(request.form.get("service_id", ""))
    if provider is None:
        flash_messages.failed(_("There is no such service any more."))
        return _back(package)
    try:
        operations.add_package_provider(package, provider=provider, by=actor.someone())
    except Invalid as invalid:
        return _refused(package, invalid)
    flash_messages.done(_("“%(name)s” can serve this package now.", name=provider.provider_name))
    return _back(package)


@bp.post("/<id:one_id>/default")
@staff(StaffPermission.PACKAGES_UPDATE, package=find_package_by_id)
def make_default(package: ServicePackage, one_id: str) -> ResponseReturnValue:
    """Make a service the default: what is sold from now on runs on it."""
    return _change(package, one_id, {"default": True}, _("What is sold from now on runs on this service."))


@bp.post("/<id:one_id>/activation")
@staff(StaffPermission.PACKAGES_UPDATE, package=find_package_by_id)
def activate(package: ServicePackage, one_id: str) -> ResponseReturnValue:
    """Let subscriptions choose a service again."""
    return _change(package, one_id, {"active": True}, _("Subscriptions can choose this service again."))


@bp.post("/<id:one_id>/deactivation")
@staff(StaffPermission.PACKAGES_UPDATE, package=find_package_by_id)
def deactivate(package: ServicePackage, one_id: str) -> ResponseReturnValue:
    """Keep subscriptions from choosing a service. Those that have it keep it."""
    words = _("Subscriptions cannot choose this service any more. Those that have it keep it.")
    return _change(package, one_id, {"active": False}, words)


@bp.post("/<id:one_id>/removal")
@staff(StaffPermission.PACKAGES_UPDATE, package=find_package_by_id)
def remove(package: ServicePackage, one_id: str) -> ResponseReturnValue:
    """Remove a service from the package."""
    try:
        operations.remove_package_provider(package, find_package_provider(package, one_id), by=actor.someone())
    except Conflict as conflict:
        flash_messages.failed(translated(conflict.message))
    else:
        flash_messages.done(_("The service was removed from this package."))
    return _back(package)


def _change(package: ServicePackage, one_id: str, changes: PackageProviderChanges, words: str) -> ResponseReturnValue:
    one = find_package_provider(package, one_id)
    try:
        operations.change_package_provider(package, one, by=actor.someone(), **changes)
    except Invalid as invalid:
        return _refused(package, invalid)
    flash_messages.done(words)
    return _back(package)


def _refused(package: ServicePackage, invalid: Invalid) -> ResponseReturnValue:
    flash_messages.failed(" ".join(translated(message) for message in invalid.fields.values()))
    return _back(package)


def _back(package: ServicePackage) -> ResponseReturnValue:
    return redirect(url_for("admin_packages.show", package_id=package.id, _anchor="h-services"), 303)
