"""The page that describes the API: nothing on it leads nowhere, and its figures are those that count."""

import re
from datetime import timedelta
from html import unescape

import pytest
import time_machine
from flask import Flask
from standardwebhooks.webhooks import Webhook, WebhookVerificationError

from portal.api.v1 import webhook_docs
from portal.api.v1.setting_docs import takes
from portal.credentials.models import GrantType
from portal.providers import registry
from portal.providers.base import FieldKind
from portal.providers.bigbluebutton.settings import READ_BY
from portal.resources.sessions import SessionParticipationSchema
from portal.rooms.settings import declared
from portal.scopes import Scope
from portal.subscriptions.provider_models import ServiceType
from portal.webhooks.events import Event
from tests.api.test_openapi import document
from tests.providers.declaring import PROPERTIES, SETTINGS, registered


@pytest.fixture
def page(app: Flask) -> str:
    return str(app.test_client().get("/api/v1/docs").text)


def detail(page: str, name: str) -> str:
    """What opens under the name of a shape."""
    found = re.search(rf'<div class="api-detail" id="{name}">(.*?)</div>', page, re.S)
    assert found, name
    return found[1]


def test_every_link_on_the_page_leads_to_something_on_it(page: str) -> None:
    anchors = re.findall(r'\sid="([^"]+)"', page)
    assert len(anchors) == len(set(anchors))
    assert set(re.findall(r'href="#([^"]+)"', page)) <= set(anchors)


def test_every_shape_shows_its_fields_or_its_values(app: Flask, page: str) -> None:
    for name, schema in document(app)["components"]["schemas"].items():
        if not schema["title"].startswith("Included["):
            shown = re.findall(r"<dt><code>([^<]+)</code></dt>", detail(page, name))
            assert sorted(shown) == sorted([*schema.get("properties", ()), *schema.get("enum", ())]), name
            assert shown, name


def test_what_is_sent_says_what_must_be_in_it_and_how_much(page: str) -> None:
    sent = re.sub(r"<[^>]+>", "", detail(page, "NewToken"))
    assert re.search(r"role\s*Role, required", sent)
    assert re.search(r"label\s*string, up to 80 characters", sent)
    assert re.search(r"max_uses\s*integer, 1–\d+ \| null", sent)
    assert "required" not in detail(page, "RoomToken")


def test_an_included_relation_is_written_out_where_it_stands(page: str) -> None:
    assert "Included" not in page
    assert '<code>data</code>: list of <a href="#RoomToken">RoomToken</a>' in detail(page, "Room")


def test_events_and_rights_say_what_they_mean(page: str) -> None:
    assert "<dd>Somebody came in by a link.</dd>" in detail(page, "Event")
    assert "<dd>Moderate</dd>" in detail(page, "Permission")


def test_the_page_says_how_to_sign_in(app: Flask, page: str) -> None:
    section = page[page.index('id="signing-in"') : page.index('id="language"')]
    metadata = app.test_client().get("/.well-known/oauth-authorization-server").get_json()
    for address in ("authorization_endpoint", "token_endpoint", "revocation_endpoint", "introspection_endpoint"):
        assert metadata[address] in section
    for grant in GrantType:
        assert f"<code>grant_type={grant.value}</code>" in section
    for scope in Scope:
        assert f"<dt><code>{scope.value}</code></dt><dd>{scope.label}</dd>" in unescape(section)
    assert "Access tokens live for 1 day, refresh tokens for 180 hours." in section


def test_a_way_in_that_is_switched_off_is_not_offered(app: Flask) -> None:
    app.config.update(OAUTH_PASSWORD_GRANT=False, ACCESS_TOKEN_LIFE=timedelta(minutes=90))
    page = app.test_client().get("/api/v1/docs").text
    assert "grant_type=password" not in page
    assert "password" not in document(app)["components"]["securitySchemes"]["oauth"]["flows"]
    assert "Access tokens live for 90 minutes" in page


def test_the_page_says_how_often_one_may_ask(app: Flask) -> None:
    app.config["API_RATE"] = "5 per second;1000 per hour"
    page = app.test_client().get("/api/v1/docs").text
    assert "One token may ask 5 times in 1 second." in page
    assert "One token may ask 1000 times in 1 hour." in page
    assert all(f"<dt><code>{name}</code></dt>" in page for name in ("X-RateLimit-Limit", "Retry-After"))


def test_the_document_tells_receivers_of_every_event(app: Flask, page: str) -> None:
    told = document(app)["webhooks"]
    assert set(told) == {*(event.value for event in Event), "webhook.test"}
    section = page[page.index('id="messages"') : page.index('id="schemas"')]
    for kind, item in told.items():
        assert f"<code>{kind}</code>" in section
        assert {"2XX", "410"} <= set(item["post"]["responses"])
        assert item["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"]["data"]["$ref"]
    assert "after 5 seconds, 30 seconds, 2 minutes" in section
    assert "tried again for about 24 hours" in section


def test_the_example_can_be_verified_as_it_stands_on_the_page(page: str) -> None:
    SessionParticipationSchema.model_validate(webhook_docs.EXAMPLE)
    section = unescape(page[page.index('id="messages"') : page.index('id="schemas"')])
    found = re.search(r"<pre[^>]*><code>(.*?)\n\n(.*?)</code>", section, re.S)
    assert found
    headers = dict(line.split(": ", 1) for line in found[1].splitlines())
    secret = re.search(r"whsec_[\w+/=]+", section)
    assert secret
    with time_machine.travel(webhook_docs.EXAMPLE_AT):
        assert Webhook(secret[0]).verify(found[2], headers)["type"] == "participant.joined"
        with pytest.raises(WebhookVerificationError):
            Webhook(secret[0]).verify(found[2].replace("Jun", "Jan"), headers)


def settings_shown(app: Flask) -> dict[str, list[str]]:
    """Setting → what it takes, its default, the rooms that have it, and who reads it."""
    page = app.test_client().get("/api/v1/docs").text
    section = page[page.index('id="room-settings"') : page.index("</section>", page.index('id="room-settings"'))]
    rows = [re.sub(r"<[^>]+>", "\n", row).split("\n") for row in section.split('<tr role="row">')[2:]]
    cells = [[unescape(cell) for cell in row if cell.strip()] for row in rows]
    return {row[0]: row[2:] for row in cells}


def test_every_declared_setting_has_a_row_that_says_what_it_takes(app: Flask) -> None:
    shown = settings_shown(app)
    assert set(shown) == {
        name
        for key in registry.known()
        for kind in registry.adapter(key).kinds
        for name in declared(ServiceType(kind), key)
    }
    assert shown["user_camera_cap"] == ["a whole number from 0 to 100", "3", "BigBlueButton, Scalelite", READ_BY]
    assert shown["description"] == ["a text of up to 2000 characters", "–", "all rooms", "join page, room page"]
    assert shown["guest_policy"] == ["one of: accept, ask, refuse", '"accept"', "Conference", "admission"]
    assert shown["mute_on_start"] == ["true or false", "false", "Conference", "player"]


def test_settings_of_an_adapter_are_described_with_their_bounds_each_kind_in_its_own_words(app: Flask) -> None:
    with registered():
        shown = settings_shown(app)
    assert {one.name for one in SETTINGS} <= set(shown)
    assert shown["a_number"] == ["a whole number from 1 to 60", "7", "Declaring", "tests"]
    assert shown["a_color"][:2] == ["a colour like #1A2B3C", '"#0A0B0C"']
    assert len({str(takes(one)) for one in PROPERTIES if one.name.startswith("my_")}) == len(FieldKind)
