"""The README says what the API does of what the pages do. Whoever adds to the pages says here which it is."""

import re
from pathlib import Path

from flask import Flask

from tests.api.test_openapi import document

ROOMS = "/manage/rooms"
ROOM = f"{ROOMS}/<id:room_id>"
VIDEO = f"{ROOM}/videos/<id:video_id>"
HOOK = f"{ROOM}/webhooks/<id:endpoint_id>"
CUSTOMER = "/admin/customers/<id:customer_id>"
ACCOUNT = "/admin/accounts/<id:account_id>"
PACKAGE = "/admin/packages/<id:package_id>"
SOLD = "/admin/subscriptions/<id:subscription_id>"
SERVICE = "/admin/services/<id:service_id>"
STAFF = "/admin/staff/<id:person_id>"
PORTALS = "/admin/webhooks/<id:endpoint_id>"
PLACE = "/manage/<any(customers, accounts):noun>/<id:place_id>/people"
DONE_BY = {  # what is sent on a page → the operation of the API that does it
    f"{ROOMS}/new": "rooms_create",
    f"{ROOM}/settings": "rooms_change",
    f"{ROOM}/settings/presentation": "presentation_save",
    f"{ROOM}/settings/presentation/removal": "presentation_delete",
    f"{ROOM}/deletion": "rooms_delete",
    f"{ROOM}/ending": "live_end",
    f"{ROOM}/codes/new": "access_codes_create",
    f"{ROOM}/codes/<id:code_id>/edit": "access_codes_change",
    f"{ROOM}/codes/<id:code_id>/deletion": "access_codes_delete",
    f"{ROOM}/recordings/<id:recording_id>/edit": "recordings_change",
    f"{ROOM}/recordings/<id:recording_id>/publication": "recordings_change",
    f"{ROOM}/recordings/<id:recording_id>/withdrawal": "recordings_change",
    f"{ROOM}/recordings/<id:recording_id>/deletion": "recordings_delete",
    f"{ROOM}/uploads": "videos_create",
    f"{ROOM}/videos/file": "videos_create",
    f"{VIDEO}": "videos_change",
    f"{VIDEO}/publication": "videos_change",
    f"{VIDEO}/hiding": "videos_change",
    f"{VIDEO}/up": "videos_change",
    f"{VIDEO}/down": "videos_change",
    f"{VIDEO}/cancellation": "videos_cancel",
    f"{VIDEO}/another-try": "videos_retry",
    f"{VIDEO}/deletion": "videos_delete",
    f"{VIDEO}/captions": "video_captions_create",
    f"{VIDEO}/captions/<id:captions_id>/deletion": "video_captions_delete",
    f"{ROOM}/links/new": "tokens_create",
    f"{ROOM}/share": "tokens_create",
    f"{ROOM}/links/<id:token_id>/edit": "tokens_change",
    f"{ROOM}/links/<id:token_id>/pause": "tokens_change",
    f"{ROOM}/links/<id:token_id>/resumption": "tokens_change",
    f"{ROOM}/links/<id:token_id>/revocation": "tokens_delete",
    f"{ROOM}/links/<id:token_id>/rotation": "tokens_rotate",
    f"{ROOM}/people/new": "users_create",
    f"{ROOM}/people/<id:member_id>/edit": "users_change",
    f"{ROOM}/people/<id:member_id>/removal": "users_delete",
    f"{ROOM}/webhooks/new": "webhooks_create",
    f"{HOOK}/edit": "webhooks_change",
    f"{HOOK}/pause": "webhooks_change",
    f"{HOOK}/resumption": "webhooks_change",
    f"{HOOK}/deletion": "webhooks_delete",
    f"{HOOK}/rotation": "webhooks_rotate_secret",
    f"{HOOK}/test": "webhooks_test",
    f"{HOOK}/deliveries/<id:delivery_id>/repetition": "webhooks_retry",
    "/rooms/<id:room_id>/<slug>": "access_join",
    "/rooms/<id:room_id>/-/join-tickets": "access_join",
    "/admin/customers/new": "customers_create",
    f"{CUSTOMER}/edit": "customers_change",
    f"{CUSTOMER}/status": "customers_change",
    f"{CUSTOMER}/deletion": "customers_delete",
    f"{CUSTOMER}/addresses/new": "customer_addresses_create",
    f"{CUSTOMER}/addresses/<id:entry_id>/edit": "customer_addresses_change",
    f"{CUSTOMER}/addresses/<id:entry_id>/removal": "customer_addresses_delete",
    f"{CUSTOMER}/telephones/new": "customer_telephones_create",
    f"{CUSTOMER}/telephones/<id:entry_id>/edit": "customer_telephones_change",
    f"{CUSTOMER}/telephones/<id:entry_id>/removal": "customer_telephones_delete",
    f"{CUSTOMER}/legal-documents/new": "legal_documents_create",
    f"{CUSTOMER}/legal-documents/<id:entry_id>/edit": "legal_documents_change",
    f"{CUSTOMER}/legal-documents/<id:entry_id>/removal": "legal_documents_delete",
    f"{CUSTOMER}/accounts/new": "accounts_create",
    "/manage/customers/<id:customer_id>/accounts/new": "accounts_create",
    f"{ACCOUNT}/edit": "accounts_change",
    f"{ACCOUNT}/status": "accounts_change",
    f"{ACCOUNT}/subscription": "accounts_change",
    f"{ACCOUNT}/deletion": "accounts_delete",
    f"{PLACE}/new": "customer_users_create",
    f"{PLACE}/<id:user_id>/edit": "customer_users_change",
    f"{PLACE}/<id:user_id>/removal": "customer_users_delete",
    f"{PLACE}/owner": "customer_users_change",
    "/manage/accounts/<id:account_id>/deactivation": "accounts_change",
    "/manage/accounts/<id:account_id>/deletion": "accounts_delete",
    "/admin/packages/new": "service_packages_create",
    f"{PACKAGE}/copy": "service_packages_create",
    f"{PACKAGE}/edit": "service_packages_change",
    f"{PACKAGE}/deletion": "service_packages_delete",
    f"{PACKAGE}/services": "package_parts_add_provider",
    f"{PACKAGE}/services/<id:one_id>/activation": "package_parts_change_provider",
    f"{PACKAGE}/services/<id:one_id>/deactivation": "package_parts_change_provider",
    f"{PACKAGE}/services/<id:one_id>/default": "package_parts_change_provider",
    f"{PACKAGE}/services/<id:one_id>/removal": "package_parts_remove_provider",
    "/admin/subscriptions/new": "subscriptions_create",
    f"{SOLD}/edit": "subscriptions_change",
    f"{SOLD}/suspension": "subscriptions_change",
    f"{SOLD}/resumption": "subscriptions_change",
    f"{SOLD}/termination": "subscriptions_change",
    f"{SOLD}/renewal": "subscriptions_renew",
    f"{SOLD}/uncancellation": "subscriptions_change",
    f"{SOLD}/cancellation": "subscriptions_cancel",
    f"{SOLD}/deletion": "subscriptions_delete",
    f"{SOLD}/features": "subscription_parts_add_feature",
    f"{SOLD}/features/sync": "subscription_parts_sync",
    f"{SOLD}/service": "subscription_parts_change_provider",
    "/admin/services/new": "service_providers_create",
    f"{SERVICE}/edit": "service_providers_change",
    f"{SERVICE}/activation": "service_providers_change",
    f"{SERVICE}/deactivation": "service_providers_change",
    f"{SERVICE}/drain": "service_providers_change",
    f"{SERVICE}/undrain": "service_providers_change",
    f"{SERVICE}/deletion": "service_providers_delete",
    f"{SERVICE}/test": "service_providers_test",
    "/admin/staff/new": "admins_create",
    f"{STAFF}/activation": "admins_change",
    f"{STAFF}/deactivation": "admins_change",
    f"{STAFF}/roles": "roles_sync",
    f"{STAFF}/deletion": "admins_delete",
    "/admin/webhooks/new": "webhooks_create",
    f"{PORTALS}/edit": "webhooks_change",
    f"{PORTALS}/pause": "webhooks_change",
    f"{PORTALS}/resumption": "webhooks_change",
    f"{PORTALS}/deletion": "webhooks_delete",
    f"{PORTALS}/rotation": "webhooks_rotate_secret",
    f"{PORTALS}/test": "webhooks_test",
    f"{PORTALS}/deliveries/<id:delivery_id>/repetition": "webhooks_retry",
    "/admin/roles/new": "roles_create",
    "/admin/roles/<id:role_id>": "roles_change",
    "/admin/roles/<id:role_id>/deletion": "roles_delete",
}
UNDOING = re.compile(r"/(restoration|reinstatement|readmission)$")
FOR_PEOPLE = re.compile(
    r"^/(me|sign-in|sign-out|set-password)(/|$)|/-/(conference/|watch/|live/|entry$)|/password-link$|/lobby/"
    r"|/poster$|/uploads/.*/(end|arrival)$"
)


def test_what_the_readme_says_of_the_api_is_true(app: Flask) -> None:
    sent = {
        rule.rule
        for rule in app.url_map.iter_rules()
        if "POST" in (rule.methods or set()) and not rule.rule.startswith(("/api/", "/oauth/", "/hooks/"))
    }
    left = {rule for rule in sent if not UNDOING.search(rule) and not FOR_PEOPLE.search(rule)}
    assert left == set(DONE_BY)
    operations = {about["operationId"] for methods in document(app)["paths"].values() for about in methods.values()}
    assert set(DONE_BY.values()) <= operations
    said = " ".join((Path(__file__).parents[2] / "README.md").read_text().split())
    assert "what the pages do, except for undoing," in said
    assert "A person's profile and credentials, another link to set a password, and the conference itself" in said
