"""Lists of the admin's pages: search, filters, order and pages in both directions, as the address says; and the file."""

import csv
import io
import re
import weakref
from collections import Counter
from collections.abc import Sequence
from html import unescape
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from portal.audit.models import AuditEvent
from portal.clock import now
from portal.db import db, session, transaction
from portal.identifiers import new_uuid
from portal.people.models import PlatformRole, User
from portal.web.admin import list_page
from portal.web.admin.lists import AdminList
from tests.cast import Cast, Client
from tests.conftest import BOTH
from tests.statements import statements

STAFF = "/admin/staff"
NAMES = ["=1+1", "Ada Admin", "ann Zimmer", "Anna Bauer", "Bea Keller", "Cem Öz", "Dora Lind"]
"""In the order of the list, which is that of small letters."""


@pytest.fixture
def people(app: Flask, cast: Cast) -> None:
    with app.app_context(), transaction():
        support = PlatformRole(name="support", permissions=["dashboard:access"])
        for name in NAMES:
            if name != "Ada Admin":
                email = f"{re.sub('[^a-z]', '', name.lower()) or 'sum'}@staff.example"
                session.add(User(email=email, name=name, platform_roles=[support]))


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_page, "PAGE", 3)
    monkeypatch.setattr(list_page, "CHUNK", 2)


def names(html: str) -> list[str]:
    return [unescape(name) for name in re.findall(r'<span class="label">\s*<a [^>]*>(.*?)</a>', html)]


def link(html: str, words: str) -> str:
    """The address of the link that is called so, or "" if there is none."""
    for attributes, content in re.findall(r"<a ([^>]*)>(.*?)</a>", html, re.DOTALL):
        if re.sub("<.*?>", "", content, flags=re.DOTALL).strip() == words:
            return unescape(re.search('href="([^"]*)"', attributes)[1])  # type: ignore[index]
    return ""


def walk(client: Client, address: str, words: str) -> list[list[str]]:
    """The names on each page, following the link that is called so."""
    pages = []
    while address:
        html = client.get(address).text
        pages.append(names(html))
        address = link(html, words)
    return pages


@BOTH
@pytest.mark.usefixtures("people")
def test_pages_follow_one_another_in_both_directions(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    there = walk(ada, STAFF, "Next")
    assert there == [NAMES[:3], NAMES[3:6], NAMES[6:]]
    last = ada.get(STAFF).text
    for _ in range(2):
        last = ada.get(link(last, "Next")).text
    back = walk(ada, link(last, "Previous"), "Previous")
    assert back == [NAMES[3:6], NAMES[:3]]


@BOTH
@pytest.mark.usefixtures("people")
def test_the_head_of_a_column_sorts_and_then_turns_the_order_round(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    turned = link(ada.get(STAFF).text, "Name")
    assert turned == f"{STAFF}?sort=-name"
    assert [name for page in walk(ada, turned, "Next") for name in page] == NAMES[::-1]
    assert 'aria-sort="descending"' in ada.get(turned).text
    assert link(ada.get(turned).text, "Name") == STAFF


@BOTH
@pytest.mark.usefixtures("people")
def test_search_and_filters_narrow_the_list_and_stay_in_every_link(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    assert names(ada.get(f"{STAFF}?search=an").text) == ["ann Zimmer", "Anna Bauer"]
    with cast.app.app_context(), transaction():
        support = session.query(PlatformRole).filter_by(name="support").one()
        role = support.id
        support_dora = session.query(User).filter_by(name="Dora Lind").one()
        support_dora.deactivated_at = now()
    html = ada.get(f"{STAFF}?role={role}&status=active&sort=-name").text
    assert names(html) == ["Cem Öz", "Bea Keller", "Anna Bauer"]
    for words in ("Next", "E-mail", "Download as CSV"):
        assert f"role={role}" in link(html, words)
        assert "status=active" in link(html, words)
    assert names(ada.get(f"{STAFF}?status=inactive").text) == ["Dora Lind"]
    nothing = ada.get(f"{STAFF}?search=nobody&status=active").text
    assert "Nothing matches “nobody”" in nothing
    assert link(nothing, "Show all") == STAFF


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("asked", ["sort=shoe", "status=dead", "role=1", "after=x", "before=y", "after=&before="])
def test_what_makes_no_sense_in_the_address_counts_as_absent(cast: Cast, asked: str) -> None:
    assert names(cast.sign_in("admin").get(f"{STAFF}?{asked}").text) == NAMES[:3]


@pytest.mark.usefixtures("people")
def test_a_cursor_of_another_order_means_the_first_page(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    cursor = link(ada.get(STAFF).text, "Next").partition("after=")[2]
    assert names(ada.get(f"{STAFF}?sort=-name&after={cursor}").text) == NAMES[:-4:-1]


@BOTH
@pytest.mark.usefixtures("people")
def test_the_file_has_all_pages_and_executes_nothing(cast: Cast) -> None:
    answer = cast.sign_in("admin").get(f"{STAFF}/export.csv?sort=-name")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="staff.csv"'
    head, *rows = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert head[:2] == ["Name", "E-mail"]
    assert head[-1] == "User since (UTC)"
    assert [row[0] for row in rows] == [*NAMES[:0:-1], "'=1+1"]


@BOTH
def test_a_file_of_very_many_rows_is_made_and_held_a_page_at_a_time(
    app: Flask, cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(list_page, "CHUNK", 1_000)
    ada, made, held = cast.sign_in("admin"), list_page._row, Counter[str]()

    def counted(declared: AdminList[Any], record: Sequence[Any]) -> Any:
        row = made(declared, record)
        held["now"] += 1
        held["most"] = max(held["most"], held["now"])
        weakref.finalize(row, held.subtract, ["now"])
        return row

    monkeypatch.setattr(list_page, "_row", counted)
    with app.app_context(), transaction():
        line = {"action": "room.created", "thing": "rooms", "at": now(), "details": {}}
        session.execute(sa.insert(AuditEvent), [line | {"uuid": new_uuid()} for _ in range(20_000)])
        total = session.scalar(sa.select(sa.func.count()).select_from(AuditEvent)) or 0
        engine, busy = db.engine, db.engine.pool.checkedout if db.engine.name == "postgresql" else lambda: 0  # type: ignore[attr-defined]
    before = busy()
    with statements(engine) as seen:
        answer = ada.get("/admin/audit/export.csv")
        assert len([one for one in seen if "audit_events" in one]) == 1
        pieces = []
        for piece in answer.response:
            assert busy() == before, "a transaction is open while a piece is on its way"
            pieces.append(piece)
    assert len(pieces) == 1 + total // 1_000
    assert held["most"] <= 2_000
    text = b"".join(pieces).decode()  # type: ignore[arg-type]
    assert len(list(csv.reader(io.StringIO(text)))) == 1 + total


@BOTH
@pytest.mark.usefixtures("people")
def test_a_file_repeats_no_row_and_leaves_none_out_while_others_come_and_go(app: Flask, cast: Cast) -> None:
    pieces = iter(cast.sign_in("admin").get(f"{STAFF}/export.csv").response)
    text = str(next(pieces), "utf-8")  # type: ignore[call-overload]
    with app.app_context(), transaction():
        support = session.query(PlatformRole).filter_by(name="support").one()
        session.add(User(email="aaron@staff.example", name="Aaron First", platform_roles=[support]))
        session.delete(session.query(User).filter_by(name="Cem Öz").one())
    text += b"".join(pieces).decode()  # type: ignore[arg-type]
    assert [row[0].removeprefix("'") for row in csv.reader(io.StringIO(text))][1:] == [
        name for name in NAMES if name != "Cem Öz"
    ]


@pytest.mark.usefixtures("people")
def test_htmx_gets_the_list_without_its_page(cast: Cast) -> None:
    piece = cast.sign_in("admin").get(f"{STAFF}?search=bea", headers={"HX-Request": "true"}).text
    assert piece.lstrip().startswith('<div class="admin-list" id="list">')
    assert names(piece) == ["Bea Keller"]


@pytest.mark.usefixtures("people")
def test_a_page_takes_one_statement_and_counts_nothing(cast: Cast) -> None:
    ada = cast.sign_in("admin")
    ada.get(STAFF)
    with cast.app.app_context(), statements(db.engine) as seen:
        ada.get(f"{STAFF}?search=a")
    assert len(seen) <= 3, seen  # who asks, what the filter offers, the page
    assert not any("count(" in statement.lower() for statement in seen)
