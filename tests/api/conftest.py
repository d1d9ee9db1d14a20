"""Programs that call the API, in the name of the cast."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest
from flask import Flask

from portal.credentials.clients import create_client
from portal.db import transaction
from portal.people.actor import actor_of
from portal.scopes import Scope
from tests.cast import Cast
from tests.presentations import PDF, form_with

EVERYTHING = tuple(scope for scope in Scope if scope is not Scope.ADMIN)


@dataclass
class Program:
    """A program with an access token, or "" for none; `call` speaks JSON."""

    app: Flask
    token: str
    headers: dict[str, str] = field(default_factory=dict)

    def call(self, method: str, path: str, body: Any = None, **headers: str) -> Any:  # a response whose `json` is there
        path = path if path.startswith("/api") else f"/api/v1{path}"
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        credential = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        given = {**credential, **self.headers, **named}
        if body is None:
            return self.app.test_client().open(path, method=method, headers=given)
        return self.app.test_client().open(path, method=method, headers=given, json=body)

    def upload(self, path: str, content: bytes = PDF, name: str = "slides.pdf") -> Any:  # a response with `json`
        path = path if path.startswith("/api") else f"/api/v1{path}"
        credential = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        return self.app.test_client().put(path, headers=credential, data=form_with(content, name))

    def get(self, path: str, **headers: str) -> Any:  # a response whose `json` is there
        return self.call("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:  # a response whose `json` is there
        return self.call("POST", path, body, **headers)

    def patch(self, path: str, body: Any, **headers: str) -> Any:  # a response whose `json` is there
        return self.call("PATCH", path, body, **headers)

    def delete(self, path: str, **headers: str) -> Any:  # a response whose `json` is there
        return self.call("DELETE", path, **headers)


def credential(app: Flask, cast: Cast, name: str, *scopes: Scope) -> tuple[str, str]:
    """Client id and secret of a machine client that acts for this member of the cast."""
    with app.app_context(), transaction():
        user = cast.user(name)
        client, secret = create_client(user=user, by=actor_of(user), name=f"{name}'s program", scopes=scopes)
        return client.client_id, secret


NewProgram = Callable[..., Program]


@pytest.fixture
def program(app: Flask, cast: Cast) -> NewProgram:
    """Makes programs: `program("alice")` with all scopes that she can give, or with those named."""

    def make(name: str, *scopes: Scope) -> Program:
        scopes = scopes or ((*EVERYTHING, Scope.ADMIN) if name == "admin" else EVERYTHING)
        answer = app.test_client().post(
            "/oauth/token",
            data={"grant_type": "client_credentials"},
            auth=credential(app, cast, name, *scopes),
        )
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        return Program(app, answer.json["access_token"])

    return make
