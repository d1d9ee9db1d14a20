"""No operation of the API is left out of the tables, and no id below another one goes without its foreign parent."""

import importlib
import pkgutil
import re
from collections.abc import Iterator

import pytest
from flask import Flask

from portal.edge.guard import STAMP
from portal.edge.staff_guard import STAFF
from tests.api import authorization
from tests.api.authorization.conftest import World
from tests.api.authorization.table import Line


def lines() -> Iterator[Line]:
    """All lines of all tables."""
    for module in pkgutil.iter_modules(authorization.__path__, f"{authorization.__name__}."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, list) and value and all(isinstance(line, Line) for line in value):
                yield from value


def operations(app: Flask) -> Iterator[tuple[str, str, str]]:
    """(endpoint, verb, address) of the whole API, but for what speaks tus: see tests/web/test_uploads.py."""
    for rule in app.url_map.iter_rules():
        if rule.endpoint.startswith("api.") and not rule.endpoint.startswith("api.uploads."):
            for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
                yield rule.endpoint, method, rule.rule


@pytest.fixture
def tried(app: Flask) -> dict[tuple[str, str], list[Line]]:
    """Operation → the lines about it."""
    found: dict[tuple[str, str], list[Line]] = {}
    for line in lines():
        found.setdefault(line.operation(app), []).append(line)
    return found


def test_every_operation_is_in_a_table(app: Flask, tried: dict[tuple[str, str], list[Line]]) -> None:
    missing = [f"{method} {rule}" for endpoint, method, rule in operations(app) if (endpoint, method) not in tried]
    assert missing == []
    assert len(tried) == len(set(operations(app))) >= 40


def test_every_operation_on_somebodys_thing_is_tried_on_another_owners(
    app: Flask, tried: dict[tuple[str, str], list[Line]]
) -> None:
    for endpoint, method, rule in operations(app):
        of_the_platform = getattr(app.view_functions[endpoint], STAMP).startswith(STAFF)
        if "<" in rule and not of_the_platform:
            assert any("{their_" in line.address for line in tried[endpoint, method]), f"{method} {rule}"


def test_every_id_below_another_one_is_tried_below_a_foreign_parent(
    app: Flask, tried: dict[tuple[str, str], list[Line]]
) -> None:
    for endpoint, method, rule in operations(app):
        if rule.count("<") > 1:
            mixed = [line for line in tried[endpoint, method] if 0 < _theirs(line) < _names(line)]
            assert mixed, f"{method} {rule}"
            assert all(status >= 400 for line in mixed for status in line.expected.values()), f"{method} {rule}"


def test_a_session_cookie_opens_no_operation(world: World) -> None:
    """Not even with the proof of origin that a page has."""
    alice = world.cast.sign_in("alice")
    proof = {"X-CSRFToken": alice.token("/me")}
    for _, method, rule in operations(world.app):
        address = re.sub(r"<anyid:room_id>", world.cast.board, rule)
        answer = alice.open(re.sub(r"<[^>]+>", "1111111111", address), method=method, headers=proof)
        assert answer.status_code == 401, f"{method} {rule}"
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def _theirs(line: Line) -> int:
    return len(re.findall(r"\{their_\w+\}", line.address))


def _names(line: Line) -> int:
    return len(re.findall(r"\{\w+\}", line.address))
