"""The README says what the API does of what the pages do. Whoever adds to the pages says here which it is."""

import re
from pathlib import Path

from flask import Flask

from tests.api.test_openapi import document

ROOMS = "/manage/rooms"
ROOM = f"{ROOMS}/<id:room_id>"
HOOK = f"{ROOM}/webhooks/<id:endpoint_id>"
DONE_BY = {  # what is sent on a page → the operation of the API that does it
    f"{ROOMS}/new": "rooms_create",
    f"{ROOM}/settings": "rooms_change",
    f"{ROOM}/deletion": "rooms_delete",
    f"{ROOM}/ending": "live_end",
    f"{ROOM}/codes/new": "access_codes_create",
    f"{ROOM}/codes/<id:code_id>/edit": "access_codes_change",
    f"{ROOM}/codes/<id:code_id>/deletion": "access_codes_delete",
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
}
UNDOING = re.compile(r"/(restoration|reinstatement|readmission)$")
FOR_PEOPLE = re.compile(r"^/(me|sign-in|sign-out|set-password)(/|$)|/-/(conference/|entry$)")


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
    assert "A person's profile and credentials, and the conference itself, are for people." in said
