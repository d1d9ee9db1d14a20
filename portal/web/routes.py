"""Registers the blueprints of all pages, and what every template may use."""

from flask import Flask, redirect, url_for
from flask.typing import ResponseReturnValue

from portal.accounts.permission import AccountPermission
from portal.admission.sharing import default_role
from portal.customers.creating import why_nothing_new
from portal.customers.permission import CustomerPermission
from portal.edge import actor
from portal.edge.guard import PROVEN_BY_ADMISSION, STAMP, open_to_all
from portal.edge.staff_guard import staff_can
from portal.edge.uploads import STREAMS
from portal.people.staff import StaffPermission
from portal.permissions.permission import Permission
from portal.permissions.rules import can
from portal.rooms.kinds import kind_of
from portal.web import health, help, room_images
from portal.web.admin import account as admin_account
from portal.web.admin import account_move as admin_account_move
from portal.web.admin import accounts as admin_accounts
from portal.web.admin import audit as admin_audit
from portal.web.admin import customer as admin_customer
from portal.web.admin import (
    customer_profile,
    sales,
    subscription,
    subscription_acts,
    subscription_deletion,
    subscription_edit,
    subscriptions,
)
from portal.web.admin import customers as admin_customers
from portal.web.admin import home as admin_home
from portal.web.admin import package_services as admin_package_services
from portal.web.admin import packages as admin_packages
from portal.web.admin import roles as admin_roles
from portal.web.admin import rooms as admin_rooms
from portal.web.admin import services as admin_services
from portal.web.admin import staff as admin_staff
from portal.web.admin import staff_members as admin_staff_members
from portal.web.admin.audit_things import path_of_thing
from portal.web.admin.navigation import home_endpoint
from portal.web.broadcast import connections as live_connections
from portal.web.broadcast import media as live_media
from portal.web.broadcast import pages as live_pages
from portal.web.broadcast import presence as live_presence
from portal.web.conference import chat, reactions, returning
from portal.web.conference import pages as conference_pages
from portal.web.conference import signals as conference_signals
from portal.web.join import join_tickets
from portal.web.join import pages as join_pages
from portal.web.join import recordings as shared_recordings
from portal.web.manage import (
    codes,
    links,
    lobby,
    member_entrance,
    own_accounts,
    people,
    place_people,
    presentation,
    recordings,
    room_rows,
    room_settings,
    rooms,
    sessions,
    sharing,
    status,
    trash,
    uploads,
    usage,
    video,
    video_figures,
    videos,
)
from portal.web.manage.room_tabs import room_tabs
from portal.web.reader import reader
from portal.web.session import applications, credentials, passwords
from portal.web.session import pages as session_pages
from portal.web.watch import media as watched_media
from portal.web.watch import pages as watch_pages
from portal.web.watch import presence as watch_presence
from portal.web.watch import reports as watch_reports
from portal.web.webhooks import of_portal as webhooks_of_portal
from portal.web.webhooks import of_rooms as webhooks_of_rooms


def install(app: Flask) -> None:
    """Register every blueprint, and the globals of all templates."""
    for blueprint in (
        rooms.bp,
        trash.bp,
        room_settings.bp,
        presentation.bp,
        videos.bp,
        video.bp,
        video_figures.bp,
        uploads.bp,
        links.bp,
        sharing.bp,
        codes.bp,
        people.bp,
        place_people.places,
        place_people.bp,
        own_accounts.bp,
        usage.bp,
        sessions.bp,
        recordings.bp,
        lobby.bp,
        webhooks_of_rooms.bp,
        webhooks_of_portal.bp,
        status.bp,
        member_entrance.bp,
        join_tickets.bp,
        join_pages.bp,
        shared_recordings.bp,
        room_images.bp,
        conference_pages.bp,
        conference_signals.bp,
        watch_pages.bp,
        watch_presence.bp,
        watch_reports.bp,
        watched_media.bp,
        live_pages.bp,
        live_connections.bp,
        live_presence.bp,
        live_media.bp,
        chat.bp,
        reactions.bp,
        returning.bp,
        session_pages.bp,
        passwords.bp,
        credentials.bp,
        applications.bp,
        admin_home.bp,
        admin_packages.bp,
        admin_package_services.bp,
        admin_services.bp,
        admin_customers.bp,
        admin_customer.bp,
        customer_profile.bp,
        admin_accounts.bp,
        admin_account.bp,
        admin_account_move.bp,
        admin_rooms.bp,
        sales.bp,
        subscriptions.bp,
        subscription.bp,
        subscription_acts.bp,
        subscription_deletion.bp,
        subscription_edit.bp,
        admin_audit.bp,
        admin_staff.bp,
        admin_staff_members.bp,
        admin_roles.bp,
        health.bp,
        help.bp,
    ):
        app.register_blueprint(blueprint)
    app.add_url_rule("/", "home", home)
    for view in app.view_functions.values():
        if getattr(view, STAMP, None) in PROVEN_BY_ADMISSION or hasattr(view, STREAMS):
            app.extensions["csrf"].exempt(view)  # these doors ask for the admission's own proof, or read the form
    app.add_template_global(can, "can")
    app.add_template_global(default_role, "default_role")
    app.add_template_global(Permission, "Permission")
    app.add_template_global(place_people.address_of, "people_of_place")
    app.add_template_global(StaffPermission, "StaffPermission")
    app.add_template_global(CustomerPermission, "CustomerPermission")
    app.add_template_global(AccountPermission, "AccountPermission")
    app.add_template_global(staff_can, "staff_can")
    app.add_template_global(why_nothing_new, "why_nothing_new")
    app.add_template_global(status.snapshot_of, "snapshot_of")
    app.add_template_global(kind_of, "kind_of")
    app.add_template_global(path_of_thing, "path_of_thing")
    app.add_template_global(room_rows.row_gap)
    app.add_template_global(room_tabs, "room_tabs")
    app.context_processor(lambda: {"actor": actor.current(), "reader": reader()})
    session_pages.install(app)


@open_to_all
def home() -> ResponseReturnValue:
    """Redirect from `/` to the page with which the reader begins."""
    return redirect(url_for(home_endpoint(actor.current())), 303)
