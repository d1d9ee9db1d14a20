"""A person and somebody else's application, on two origins: only a real browser keeps the page's own policy."""

import json
import threading
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from playwright.sync_api import BrowserContext, expect

from portal.demo import PASSWORD
from tests.oauth.programs import CHALLENGE, VERIFIER
from tests.servers import Portal

pytestmark = pytest.mark.e2e


@contextmanager
def application() -> Iterator[str]:
    """An application's address to return to; it says what it was given."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/plain")
            self.end_headers()
            self.wfile.write(b"Back at the application")

        def log_message(self, *_args: Any) -> None:
            return None

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/back"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@pytest.mark.parametrize("scripts", [True, False], ids=["with scripts", "without scripts"])
def test_somebody_signs_in_allows_an_application_and_ends_it(
    portal: Portal, new_context: Callable[..., BrowserContext], scripts: bool
) -> None:
    with application() as back:
        made = portal.run(
            *("client", "create", "--name", "Timetable", "--user", "charlie@demo.example"),
            *("--kind", "third_party", "--redirect-uri", back, "--json"),
        )
        client = json.loads(made)
        asked = {
            "response_type": "code",
            "client_id": client["client_id"],
            "redirect_uri": back,
            "scope": "rooms.read",
            "state": "of mind",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        page = new_context(java_script_enabled=scripts).new_page()
        page.goto(f"{portal.address}/oauth/authorize?{urlencode(asked)}")
        page.get_by_label("E-mail").fill("alice@demo.example")
        page.get_by_label("Password").fill(PASSWORD)
        page.get_by_role("button", name="Sign in").click()
        expect(page.get_by_role("heading", name="Let “Timetable” act in your name?")).to_be_visible()
        page.get_by_role("button", name="Allow", exact=True).click()
        expect(page.get_by_text("Back at the application")).to_be_visible()
        said = {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}
        assert said["state"] == "of mind"
        assert said["iss"] == portal.address
        pair = _post(
            f"{portal.address}/oauth/token",
            client,
            grant_type="authorization_code",
            code=said["code"],
            redirect_uri=back,
            code_verifier=VERIFIER,
        )
        assert pair["scope"] == "rooms.read"
        page.goto(f"{portal.address}/me/applications")
        page.get_by_role("link", name="Revoke Timetable").click()
        page.get_by_role("button", name="Revoke").click()
        expect(page.get_by_role("heading", name="No applications")).to_be_visible()
        asked_about = _post(f"{portal.address}/oauth/introspect", client, token=pair["access_token"])
        assert asked_about == {"active": False}


def _post(address: str, client: dict[str, str], **form: str) -> dict[str, Any]:
    """What the application's server sends, behind the browser's back."""
    secret = {name: client[name] for name in ("client_id", "client_secret")}
    with urllib.request.urlopen(address, data=urlencode(secret | form).encode(), timeout=10) as answer:
        said: dict[str, Any] = json.load(answer)
        return said
