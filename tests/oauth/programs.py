"""Programs of the tests: what they are, what they send, and the person at whose browser they ask."""

import base64
import hashlib
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from werkzeug.test import TestResponse

from portal.credentials.clients import create_client
from portal.credentials.models import ClientKind
from portal.db import transaction
from portal.people.actor import actor_of
from portal.scopes import Scope
from tests.cast import Cast, Client

BACK = "https://app.example/back"
VERIFIER = "a-verifier-that-is-long-enough-to-be-one-0123456789"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
READS = [Scope.ROOMS_READ, Scope.STATUS_READ]


@dataclass
class Program:
    """A client with its secret, and a connection that keeps no cookies."""

    cast: Cast
    client_id: str
    secret: str
    network: str = "127.0.0.1"

    def post(self, path: str, *, auth: tuple[str, str] | None = None, **form: str) -> TestResponse:
        """Send a form, with the secret in the header."""
        name, secret = auth or (self.client_id, self.secret)
        with_basic = base64.b64encode(f"{name}:{secret}".encode()).decode()
        return self.cast.browser().post(
            path,
            data=form,
            headers={"Authorization": f"Basic {with_basic}"},
            environ_overrides={"REMOTE_ADDR": self.network},
        )

    def token(self, grant_type: str, **form: str) -> TestResponse:
        return self.post("/oauth/token", auth=None, grant_type=grant_type, **form)

    def pair(self, grant_type: str = "password", **form: str) -> dict[str, Any]:
        """An answer that has to be a good one."""
        if grant_type == "password":
            form = {"username": "alice@demo.example", "password": "demo-demo-demo", **form}
        answer = self.token(grant_type, **form)
        assert answer.status_code == 200, answer.text
        said: dict[str, Any] = answer.get_json()
        return said

    def active(self, text: str) -> bool:
        return bool(self.post("/oauth/introspect", token=text).get_json()["active"])

    def code(self, browser: Client, **more: str) -> str:
        """A code that the person at the browser consented to."""
        answer = self.decide(browser, "allow", **more)
        assert answer.status_code == 303, answer.text
        return said_in(answer)["code"]

    def decide(self, browser: Client, decision: str, **more: str) -> TestResponse:
        address = self.address(**more)
        return browser.send(address, decision=decision)

    def address(self, **more: str) -> str:
        """Where the browser is sent, with what is asked; "" leaves a parameter out."""
        asked = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": BACK,
            "scope": "rooms.read",
            "state": "xyz /?&",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            **more,
        }
        return "/oauth/authorize?" + urlencode({name: value for name, value in asked.items() if value})

    def exchange(self, code: str, **more: str) -> TestResponse:
        form = {"code": code, "redirect_uri": BACK, "code_verifier": VERIFIER, **more}
        return self.token("authorization_code", **{name: value for name, value in form.items() if value})


def program(cast: Cast, kind: ClientKind, *, user: str = "alice", scopes: list[Scope] | None = None) -> Program:
    with cast.app.app_context(), transaction():
        owner = cast.user(user)
        client, secret = create_client(
            user=owner,
            by=actor_of(owner),
            name="Reporter",
            kind=kind,
            scopes=READS if scopes is None else scopes,
            redirect_uris=[BACK] if kind is ClientKind.THIRD_PARTY else [],
        )
        return Program(cast, client.client_id, secret)


def said_in(answer: TestResponse) -> dict[str, str]:
    """The parameters of the address that the answer leads to."""
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}
