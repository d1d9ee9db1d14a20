"""The same as `test_looks` for what owners of programs see: credentials, the API's page, webhooks."""

import json
import re
import socket
from collections.abc import Callable
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.people import Person, follow
from tests.e2e.test_doors import change_messages, change_webhooks
from tests.oauth.programs import CHALLENGE, VERIFIER
from tests.servers import Portal

OPEN_SOME = """() => {
  for (const part of document.querySelectorAll(".api-body section")) {
    const kept = part.id === "schemas" ? 15 : 3;
    [...part.querySelectorAll("details")].forEach((one, n) => n < kept ? one.open = true : one.remove());
  }
}"""
"""Opens some entries of each part of the API's documentation and takes the others away: all are made by one template,
and axe needs minutes for thousands of lines."""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(480)]

THIS_MACHINE = f"https://{socket.gethostname()}:9999"
"""A name that leads into a private network, which is found out when it is looked up."""


def test_pages_about_programs(portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]) -> None:
    back = f"{portal.address}/livez"
    made = portal.run(
        *("client", "create", "--name", "Timetable of the music school", "--user", "charlie@demo.example"),
        *("--kind", "third_party", "--redirect-uri", back, "--json"),
    )
    said = json.loads(made)
    asked = {
        "response_type": "code",
        "client_id": said["client_id"],
        "redirect_uri": back,
        "scope": "rooms.read rooms.write access.read status.read",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    alice = person("Alice")
    alice.sign_in()
    page = alice.go("/me/credentials")
    seen(page, "credentials-none")
    seen(alice.go("/api/v1/docs"), "api-docs")
    page.evaluate(OPEN_SOME)
    seen(page, "api-docs-open")
    alice.go("/me")
    page = alice.go("/api/v1/docs#Event")  # opens by itself
    expect(page.get_by_text("participant.refused", exact=True).last).to_be_in_viewport()
    alice.go("/me/credentials")
    page.get_by_role("link", name="New credential").click()
    page.get_by_role("button", name="Create credential").click()
    expect(page.get_by_text("Choose at least one")).to_be_visible()
    seen(page, "credential-new-refused")
    page.get_by_label("Name").fill("Timetable")
    page.get_by_label("Description").fill("Makes a room for each lesson and sends the links")
    for words in ("See your rooms", "Create, change", "See links", "Make, change"):
        page.get_by_role("checkbox", name=words).check()
    page.get_by_role("button", name="Create credential").click()
    expect(page.get_by_label("Client secret", exact=True)).to_have_value(re.compile("^fs_"))
    seen(page, "credential-made")
    follow(page.get_by_role("link", name="I have copied it"))
    seen(page, "credentials")
    follow(page.get_by_role("link", name="Revoke Timetable"))
    seen(page, "credential-revoke")
    page.get_by_role("button", name="Revoke").click()
    expect(page.get_by_text("Revoked", exact=True)).to_be_visible()
    page.get_by_label("Account of Alice Moreau").click()
    seen(page, "account-menu")
    follow(page.get_by_role("link", name="Authorised applications"))
    seen(page, "applications-none")
    alice.go(f"/oauth/authorize?{urlencode(asked)}")
    seen(page, "consent")
    page.get_by_role("button", name="Allow", exact=True).click()
    page.wait_for_url("**/livez?code=fc_*")
    form = {name: said[name] for name in ("client_id", "client_secret")} | {
        "grant_type": "authorization_code",
        "code": parse_qs(urlsplit(page.url).query)["code"][0],
        "redirect_uri": back,
        "code_verifier": VERIFIER,
    }
    assert page.request.post(f"{portal.address}/oauth/token", form=form).ok  # type: ignore[arg-type]
    seen(alice.go("/me/applications"), "applications")
    follow(page.get_by_role("link", name="Revoke Timetable of the music school"))
    seen(page, "application-revoke")


def test_pages_of_webhooks(portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]) -> None:
    alice = person("Alice")
    alice.sign_in()
    page = alice.page
    page.get_by_role("link", name="Board meeting", exact=True).click()
    room = page.url
    follow(page.get_by_role("link", name="Webhooks"))
    seen(page, "webhooks-none")
    page.get_by_role("link", name="New webhook").click()
    page.get_by_label("Address", exact=True).fill("http://localhost/")
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_text("The address must begin with https://.")).to_be_visible()
    seen(page, "webhook-new-refused")
    page.get_by_label("Address", exact=True).fill(f"{THIS_MACHINE}/attendance/of/the/supervisory/board?from=foyer")
    page.get_by_label("Description").fill("Attendance list of the works council")
    page.get_by_label("A link was revoked.").check()
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_text("Nothing was sent yet")).to_be_visible()
    seen(page, "webhook-made")
    webhook = page.url
    page.get_by_role("button", name="Send a test").click()
    said = page.get_by_text("The address leads into a private network")
    expect(said).to_be_visible()  # without a reload
    page.get_by_role("button", name="New secret").click()
    links = alice.go(f"{room}/links")
    links.get_by_label("More for Press").click()
    links.get_by_role("button", name="Revoke").click()
    expect(links.get_by_text("The link was revoked.")).to_be_visible()
    alice.go(webhook)
    expect(page.get_by_text("Is tried again")).to_be_visible()
    alice.go(webhook)
    expect(page.get_by_text("Nothing has got through since")).to_be_visible()
    seen(page, "webhook")
    seen(alice.go(f"{webhook}/edit"), "webhook-edit")
    seen(alice.go(f"{webhook}/deletion"), "webhook-deletion")
    alice.go(webhook).get_by_role("button", name="Pause").click()
    expect(page.get_by_text("Paused since")).to_be_visible()
    seen(page, "webhook-paused")
    change_webhooks(portal, "paused_why = 'rights', owner_uuid = NULL")
    alice.go(webhook)
    expect(page.get_by_text("its owner has lost the right")).to_be_visible()
    seen(page, "webhook-without-owner")
    page.get_by_role("link", name="Edit and save").click()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_text("its owner has lost the right")).to_be_hidden()
    seen(alice.go(f"{room}/webhooks"), "webhooks")


def test_page_of_a_webhook_that_is_busy(
    portal: Portal, person: Callable[..., Person], seen: Callable[[Page, str], None]
) -> None:
    alice = person("Alice")
    alice.sign_in()
    page = alice.page
    page.get_by_role("link", name="Board meeting", exact=True).click()
    alice.go(f"{page.url}/webhooks/new").get_by_label("Address", exact=True).fill("https://localhost:9999/")
    page.get_by_role("button", name="Create webhook").click()
    expect(page.get_by_text("leads into a private network")).to_be_visible()
    seen(page, "webhook-new-private")
    page.get_by_label("Address", exact=True).fill(f"{THIS_MACHINE}/")
    page.get_by_role("button", name="Create webhook").click()
    page.get_by_text("How a receiver checks the signature").click()
    seen(page, "webhook-receiver")
    page.get_by_role("button", name="Send a test").click()
    expect(page.get_by_text("The address leads into a private network")).to_be_visible()
    page.get_by_role("link", name="Delete").click()
    busy = "claimed_at = '2026-01-01 00:00:00.000000', next_attempt_at = '2999-01-01 00:00:00.000000'"
    change_messages(portal, f"{busy}, state = 'sending', ended_at = NULL")
    page.get_by_role("button", name="Delete webhook").click()
    expect(page.get_by_text("A message is being sent to this webhook right now.")).to_be_visible()
    seen(page, "webhook-not-deleted")
