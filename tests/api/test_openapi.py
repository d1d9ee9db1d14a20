"""The API by its own document: complete, valid, and obeyed."""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from markupsafe import escape
from openapi_spec_validator import OpenAPIV31SpecValidator

from portal.api.v1.core.endpoint import DESCRIPTION, TAKES
from portal.api.v1.tutorial import CALLS, CREDENTIAL, EXPORTS, filled
from portal.edge.guard import STAMP
from portal.rooms.models import Role
from portal.scopes import Scope
from portal.server import REQUEST_LINE
from tests.cast import Cast
from tests.servers import Portal

ROOT = Path(__file__).parent.parent.parent


def document(app: Flask) -> dict[str, Any]:
    answer = app.test_client().get("/api/v1/openapi.json")
    assert answer.status_code == 200
    return dict(answer.get_json())


def operations(app: Flask) -> Iterator[tuple[str, str, Any]]:
    """(path, method, view) of everything below the API's blueprint."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api.") and not rule.endpoint.startswith("api.uploads."):  # those speak tus
            path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)
            for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}:
                yield path, method.lower(), app.view_functions[rule.endpoint]


def test_the_document_is_valid(app: Flask) -> None:
    OpenAPIV31SpecValidator(document(app)).validate()


def test_every_operation_is_in_the_document(app: Flask) -> None:
    """A route that was not described is missing there, and so is a body that is taken unsaid."""
    paths = document(app)["paths"]
    for path, method, view in operations(app):
        assert hasattr(view, DESCRIPTION), f"{method} {path} is not described"
        assert method in paths.get(path, {}), f"{method} {path}"
        assert method == "get" or hasattr(view, TAKES), f"{method} {path} does not say what it takes"


def test_schemas_of_one_name_are_one_thing(app: Flask) -> None:
    """The role in a room was lost behind the role of staff; and Pydantic calls two classes of one name by their paths."""
    schemas = document(app)["components"]["schemas"]
    assert schemas["Role"]["enum"] == [*Role]
    assert not [name for name in schemas if "__" in name.rstrip("_")]


def test_operations_say_what_they_need_and_answer(app: Flask) -> None:
    for path, methods in document(app)["paths"].items():
        for method, operation in methods.items():
            where = f"{method} {path}"
            assert operation["summary"], where
            assert operation["security"][0]["oauth"] or path == "/api/v1/logout", where
            statuses = set(operation["responses"])
            assert {"401", "422", "429"} <= statuses, where
            assert ("403" in statuses) is (path != "/api/v1/logout"), where  # what needs no scope refuses nobody known
            assert ("415" in statuses) is ("requestBody" in operation), where
            if "requestBody" in operation:
                assert operation["requestBody"]["required"], where
                [(kind, content)] = operation["requestBody"]["content"].items()
                assert content["examples"] if kind == "application/json" else kind == "multipart/form-data", where


def test_the_permission_in_the_document_is_the_doors(app: Flask) -> None:
    paths = document(app)["paths"]
    for path, method, view in operations(app):
        if (door := getattr(view, STAMP)).startswith("requires "):
            assert f"`{door.removeprefix('requires ')}`" in paths[path][method]["description"]


def test_the_examples_of_the_document_are_accepted(app: Flask) -> None:
    for path, method, view in operations(app):
        taken = getattr(view, TAKES, None)
        if taken is not None and taken.model is not None:
            assert taken.examples, f"{method} {path} has no example"
            for example in taken.examples.values():
                taken.model.model_validate_json(json.dumps(example))


def test_the_docs_page_shows_every_operation(app: Flask) -> None:
    page = app.test_client().get("/api/v1/docs").text
    for path, methods in document(app)["paths"].items():
        assert f"<code>{path}</code>" in page
        for operation in methods.values():
            assert all(str(escape(words)) in page for words in operation["summary"].split("`"))


def test_the_docs_page_leads_to_where_credentials_are_made_under_its_name(app: Flask, cast: Cast) -> None:
    alice = cast.sign_in("alice")
    link = re.search(r'too: <a href="([^"]+)">([^<]+)</a>', alice.get("/api/v1/docs").text)
    assert link
    assert f"<h1>{link[2]}</h1>" in alice.get(link[1]).text


@pytest.fixture
def portal(tmp_path: Path, furnished_sqlite: Path) -> Iterator[Portal]:
    data = tmp_path / "data"
    data.mkdir()
    (data / "foyer.db").write_bytes(furnished_sqlite.read_bytes())
    portal = Portal(data, environment={"API_RATE": "1000000 per minute"})
    portal.start()
    yield portal
    portal.stop()


def access_token(portal: Portal, user: str, *scopes: Scope) -> str:
    made = json.loads(
        portal.run("client", "create", "--name", "Test", "--user", user, "--scopes", ",".join(scopes), "--json")
    )
    basic = b64encode(f"{made['client_id']}:{made['client_secret']}".encode()).decode()
    request = urllib.request.Request(
        f"{portal.address}/oauth/token", b"grant_type=client_credentials", {"Authorization": f"Basic {basic}"}
    )
    with urllib.request.urlopen(request, timeout=10) as answer:
        return str(json.load(answer)["access_token"])


def test_an_address_that_is_too_long_is_refused_as_the_document_says(app: Flask, portal: Portal) -> None:
    said = document(app)["components"]["responses"]["414"]
    assert str(REQUEST_LINE) in said["description"]
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{portal.address}/api/v1/rooms?search={'x' * REQUEST_LINE}", timeout=10)
    assert refused.value.code == 414
    assert [refused.value.headers.get_content_type()] == list(said["content"])


def paths_of_staff(app: Flask) -> str:
    """A regular expression of the paths that only staff may use."""
    of_staff = {
        path
        for path, methods in document(app)["paths"].items()
        if any(Scope.ADMIN in operation["security"][0]["oauth"] for operation in methods.values())
    }
    return f"^({'|'.join(map(re.escape, sorted(of_staff)))})$"


@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", ["alice", "admin"])
def test_schemathesis_finds_nothing(app: Flask, portal: Portal, name: str) -> None:
    """Alice tries every operation, the admin those of staff, which Alice cannot find."""
    staff = name == "admin"
    token = access_token(portal, f"{name}@demo.example", *(one for one in Scope if staff or one is not Scope.ADMIN))
    only = ["--include-path-regex", paths_of_staff(app)] if staff else []
    found = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", "tests/api/schemathesis.toml",
            "run", f"{portal.address}/api/v1/openapi.json", "--header", f"Authorization: Bearer {token}",
            "--checks", "all", "--max-examples", "5", "--no-color", *only,
        ],
        cwd=ROOT, capture_output=True, text=True, timeout=880, check=False,
    )  # fmt: skip
    assert found.returncode == 0, found.stdout[-20_000:] + found.stderr[-2_000:] + portal.log()[-5_000:]
    assert "Stateful" in found.stdout


def test_the_tutorial_does_what_it_says(portal: Portal) -> None:
    """The four calls, typed into a shell as they stand on the page."""
    command = filled(CREDENTIAL, portal.address).split()[1:]
    made = json.loads(portal.run(*command))
    kept = {name: made[name.lower()] for name in re.findall(r"export (\w+)=…", EXPORTS.command)}
    assert all(f"`{name.lower()}`" in EXPORTS.words for name in kept)
    script = "\n".join(["set -e", *(filled(step, portal.address) for step in CALLS)])
    done = subprocess.run(
        ["bash", "-c", script],
        env={"PATH": "/usr/bin:/bin", **kept},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    room = json.loads(done.stdout[done.stdout.rindex('{"data":{"object":"Room"') :])["data"]
    assert room["room_name"] == "Business Meeting"
    token = room["tokens"]["data"][0]
    assert token["role"] == "moderator"
    browser = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
    with browser.open(token["url"], timeout=10) as page:
        assert "Your name" in page.read().decode()
