"""The frame of the tables: what a line says, and what really happens when each member of the cast acts.

A line names the permission, the operation, and what everybody is answered:

    nobody   no credential at all
    staff    Ada, by a program with the scope `admin`
    ada      the same person by a program without that scope: she is a stranger then
    reader   Rita, a member of the staff whose role lets her read rooms and nothing else, with the scope `admin`
    alice    owner of Acme, and so of all that the plain names mean
    bob      a member of `{room}` who may see it and has the permission, nothing more
    lacks    Bob again, with every permission but that one (and those that imply it)
    charlie  a stranger to Acme; he owns Globex, and so all that `their_…` means
    client   Alice's program, with every scope but the one that the operation asks for

Names in addresses and bodies are swapped for ids: `{room} {token} {chair} {code} {user} {run} {recording} {shared} {hook}
{delivery} {address} {telephone} {document}` are Acme's, the same with 2 belong to another room of Acme, those with `their_` to a room of Globex. All of
them are made anew for whoever comes after an attempt that changed something. So are `{role} {held_role} {person}
{clerk}`, which belong to the platform: a role that nobody holds and one that the clerk holds, and two users; and
`{package} {their_package} {sold_package} {feature} {attached} {spare_provider} {free_provider}
{used_provider}`, packages and service providers; `{default_provider}` of a subscription is on its own default.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Protocol

import pytest
from flask import Flask

from portal.api.v1.core.endpoint import DESCRIPTION, TAKES, Description
from portal.permissions.permission import IMPLIED, Permission

MEMBERS = ("nobody", "staff", "ada", "reader", "alice", "bob", "lacks", "charlie", "client")
HEAD = ("needs", "method", "address", *MEMBERS)
UNSAID = "-"
PREFIX = "/api/v1"


@dataclass(frozen=True)
class Line:
    """One line of a table."""

    needs: Permission | None
    method: str
    address: str
    expected: Mapping[str, int]
    body: Any = None

    def __str__(self) -> str:
        return f"{self.method} {self.address}"

    def operation(self, app: Flask) -> tuple[str, str]:
        """The endpoint and verb that this line tries."""
        path = re.sub(r"\{\w+\}", "1111111111", self.address.partition("?")[0])
        endpoint, _ = app.url_map.bind("").match(f"{PREFIX}{path}", method=self.method)
        return endpoint, self.method


class Stage(Protocol):
    """The world in which a line is played."""

    app: Flask

    def set_up(self, granted: frozenset[Permission]) -> dict[str, str]:
        """Everything anew, with Bob's rights in `{room}`; name → id."""

    def play(self, member: str, line: Line, names: dict[str, str]) -> Any:
        """What this member is answered."""


def table(text: str, bodies: Mapping[str, Any] | None = None) -> list[Line]:
    """Read a table. A body that is not said is the first example of the operation in the document."""
    head, *lines = [line.split() for line in text.strip().splitlines() if line.strip()]
    assert tuple(head) == HEAD, head
    bodies = dict(bodies or {})
    found = []
    for needs, method, address, *cells in lines:
        assert len(cells) == len(MEMBERS), address
        expected = {member: int(cell) for member, cell in zip(MEMBERS, cells, strict=True) if cell != UNSAID}
        permission = None if needs == UNSAID else Permission(needs)
        found.append(Line(permission, method, address, expected, bodies.pop(f"{method} {address}", None)))
    assert not bodies, f"bodies of no line: {list(bodies)}"
    return found


def each(lines: list[Line]) -> pytest.MarkDecorator:
    """The lines of a table, one test for each."""
    return pytest.mark.parametrize("line", lines, ids=str)


def granted(member: str, needs: Permission | None) -> frozenset[Permission]:
    """What Bob holds when he plays this member; for everybody else he is a plain member."""
    seeing = frozenset({Permission.ROOM_VIEW})
    if member != "lacks":
        return seeing | ({needs} if needs else set())
    if needs is None:
        return frozenset()
    return frozenset(one for one in Permission if needs not in {one, IMPLIED.get(one)})


def description(app: Flask, line: Line) -> Description:
    """What the document is drawn from, for the operation of this line."""
    described: Description = getattr(app.view_functions[line.operation(app)[0]], DESCRIPTION)
    return described


def body_of(app: Flask, line: Line, names: Mapping[str, str]) -> Any:
    """What is sent with this line; None for nothing."""
    if line.body is not None:
        return filled(line.body, names)
    taken = getattr(app.view_functions[line.operation(app)[0]], TAKES, None)
    if taken is None or taken.model is None:
        return None
    return next(iter(taken.examples.values()))


def filled(body: Any, names: Mapping[str, str]) -> Any:
    """The body with ids for the names in it."""
    text = json.dumps(body)
    for name, value in names.items():
        text = text.replace(f"{{{name}}}", value)
    return json.loads(text)


def check(stage: Stage, line: Line) -> None:
    """Let each member try it, and compare all answers at once, so that a failure reads like the line."""
    found, told = {}, []
    names: dict[str, str] = {}
    rights: frozenset[Permission] | None = None
    spent = False
    for member in line.expected:
        if rights != (rights := granted(member, line.needs)) or spent:
            names = stage.set_up(rights)
        answer = stage.play(member, line, names)
        spent = line.method != "GET" and answer.status_code < HTTPStatus.BAD_REQUEST
        found[member] = answer.status_code
        if answer.status_code != line.expected[member]:
            told.append(f"{member}: {answer.text[:300]}")
    assert found == dict(line.expected), "\n".join(told)
