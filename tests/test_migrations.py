import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask

from portal import demo, revisions
from portal.admission.queries import codes_of
from portal.admission.secrets import normal_code
from portal.app import create_app
from portal.audit.models import AuditEvent
from portal.clock import now
from portal.column_types import UTCDateTime
from portal.customers.models import Customer
from portal.db import db, session, transaction
from portal.identifiers import new_uuid
from portal.people.actor import actor_of
from portal.people.operations import ambiguous_emails
from portal.rooms.models import Room
from portal.subscriptions.models import Subscription, SubscriptionProvider
from portal.subscriptions.package_models import ServicePackage
from portal.webhooks import operations
from portal.webhooks.deliveries import send_again
from portal.webhooks.events import Event
from portal.webhooks.operations import create_endpoint
from tests import servers
from tests.cast import Cast
from tests.conftest import settings_for

OLD_CODES = [("DEMO-2030", "demo2030"), ("DEMO\u22122030", "demo\u22122030"), ("\u0130zmir", "i\u0307zmir")]


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Flask:
    if request.param == "postgresql":
        address = servers.new_database(request.getfixturevalue("postgres_server"))
    else:
        address = f"sqlite:///{tmp_path / 'empty.db'}"
    return create_app(settings_for(address, tmp_path))


def test_up_from_nothing_matches_the_models_and_down_leaves_nothing(empty: Flask) -> None:
    with empty.app_context():
        revisions.upgrade()
        revisions.check()
        revisions.downgrade("base")
        left = set(sa.inspect(db.engine).get_table_names()) - {"alembic_version"}
        assert left == set()
        revisions.upgrade()
        revisions.check()
        db.engine.dispose()


def test_old_addresses_become_canonical_and_nobody_becomes_somebody_else(empty: Flask) -> None:
    users = sa.table(
        "users",
        *(sa.column(name) for name in ("id", "email", "name")),
        *(sa.column(name, UTCDateTime()) for name in ("created_at", "updated_at")),
        sa.column("uuid", sa.Uuid()),
        sa.column("password_is_public", sa.Boolean()),
    )
    old = ["eva@xn--kln-sna.example", "josé@d.example", "jose\u0301@d.example", "jose\u0301@e.example", "nobody"]
    with empty.app_context():
        revisions.upgrade()
        revisions.downgrade("0015")
        with transaction():
            for number, email in enumerate(old):
                at = {"created_at": now(), "updated_at": now()}
                row = {"uuid": new_uuid(), "id": f"user{number}", "email": email, "name": f"n{number}"}
                session.execute(sa.insert(users).values(password_is_public=False, **row, **at))
        revisions.upgrade()
        stored = session.scalars(sa.select(users.c.email).order_by(users.c.name)).all()
        assert stored == ["eva@köln.example", old[1], old[2], "josé@e.example", "nobody"]
        assert ambiguous_emails() == [old[2], "nobody"]
        session.remove()
        db.engine.dispose()


def test_deliveries_have_one_state_and_webhooks_an_owner_and_lose_nothing_on_the_way_back(empty: Flask) -> None:
    """A row of each kind; what was given up while a worker had it is over, as it is for its endpoint's owner."""
    moment = now().replace(microsecond=0)
    earlier, later = moment - timedelta(hours=1), moment + timedelta(hours=1)
    times = ("next_attempt_at", "claimed_at", "delivered_at", "gave_up_at", "answered_at")
    rows = {
        "delivered": (None, None, moment, None, moment),
        "failed": (None, None, None, moment, moment),
        "dropped": (None, None, None, moment, earlier),
        "waiting": (later, None, None, None, None),
        "sending": (later, moment, None, None, None),
    }
    old = sa.table(
        "webhook_deliveries",
        *(sa.column(name, UTCDateTime()) for name in (*times, "created_at")),
        *(sa.column(name, sa.Uuid()) for name in ("uuid", "endpoint_uuid")),
        *(sa.column(name) for name in ("id", "event", "message_id", "payload_sealed", "attempts", "answer_body")),
    )
    state = sa.table("webhook_deliveries", sa.column("id"), sa.column("state"), sa.column("ended_at", UTCDateTime()))
    owners = sa.table("webhook_endpoints", sa.column("owner_uuid", sa.Uuid()))
    with empty.app_context():
        revisions.upgrade()
        with transaction():
            demo.furnish()
            room = session.scalars(sa.select(Room)).first()
            assert room is not None
            endpoint = create_endpoint(
                customer=room.customer,
                url="https://hooks.example/",
                events=[Event.ROOM_CREATED],
                by=actor_of(room.customer.owner),
            )
            endpoint_uuid, owner_uuid = endpoint.uuid, room.customer.owner.uuid
        revisions.downgrade("0018")
        with transaction():
            for name, values in rows.items():
                about = {"id": name, "event": "room.created", "message_id": name, "payload_sealed": ""}
                session.execute(
                    sa.insert(old).values(
                        uuid=new_uuid(), endpoint_uuid=endpoint_uuid, attempts=1, answer_body="", created_at=moment,
                        **about, **dict(zip(times, values, strict=True)),
                    )
                )  # fmt: skip
        revisions.upgrade()
        found = session.execute(sa.select(state)).all()
        assert {one.id: one.state for one in found} == {name: name for name in rows}
        assert {one.id: one.ended_at for one in found} == {
            name: moment if name in {"delivered", "failed", "dropped"} else None for name in rows
        }
        assert session.scalars(sa.select(owners)).all() == [owner_uuid]
        session.remove()
        revisions.downgrade("0018")
        kept = session.execute(sa.select(old.c.id, *(old.c[name] for name in times))).all()
        assert {one[0]: tuple(one[1:]) for one in kept} == rows
        session.remove()
        db.engine.dispose()


def test_old_codes_are_compared_by_what_counts_in_them(app: Flask, cast: Cast) -> None:
    codes = sa.table("access_codes", *(sa.column(name) for name in ("id", "code", "normal", "expires_at")))

    def stored() -> dict[str, tuple[str, str]]:
        rows = session.execute(sa.select(codes)).all()
        session.rollback()
        return {row.id: (row.code, row.normal) for row in rows}

    with app.app_context():
        revisions.downgrade("0020")
        with transaction():
            insert = "INSERT INTO access_codes SELECT {values} FROM access_codes WHERE id NOT LIKE 'code%' LIMIT 1"
            names = [column["name"] for column in sa.inspect(db.engine).get_columns("access_codes")]
            for number, (code, normal) in enumerate(OLD_CODES):
                own = {"uuid": f"'{new_uuid().hex}'", "id": f"'code{number}'", "code": f"'{code}'"}
                own |= {"normal": f"'{normal}'", "expires_at": "'2030-01-01 10:00:00.987654'"}
                session.execute(sa.text(insert.format(values=", ".join(own.get(name, name) for name in names))))
        before = stored()
        revisions.upgrade()
        after = stored()
        assert [after[f"code{number}"][1] for number in range(3)] == ["demo2030", "demo\u22122030", "izmir"]
        assert all(after[one][0] == before[one][0] for one in before)
        ends = session.scalars(sa.select(codes.c.expires_at).where(codes.c.id == "code0")).one()
        assert str(ends).startswith("2030-01-01 10:00:00.000000")
        same = {code.id for code in codes_of(cast.room()) if normal_code(code.code) == "demo2030"}
        assert same == {"code0", "code1"}
        session.rollback()
        revisions.downgrade("0020")
        assert stored() == before
        revisions.upgrade()


def test_the_last_file_is_the_newest_revision() -> None:
    assert revisions.newest_revision() == ScriptDirectory(str(revisions.MIGRATIONS)).get_current_head()


def test_web_processes_do_without_alembic() -> None:
    loaded = "import sys, portal.app, portal.server; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0


def test_what_was_sold_before_there_were_packages_belongs_to_one_and_grants_the_same(empty: Flask) -> None:
    with empty.app_context():
        revisions.upgrade()
        with transaction():
            demo.furnish()
            sold = session.scalars(sa.select(Subscription)).unique().all()
            granted = {one.id: one.values for one in sold}
        session.remove()
        revisions.downgrade("0023")
        revisions.upgrade()
        with transaction():
            [package] = session.scalars(sa.select(ServicePackage)).all()
            again = session.scalars(sa.select(Subscription)).unique().all()
            assert {one.id: one.values for one in again} == granted
            assert {one.package for one in again} == {package}
            assert (package.name, package.values) == (demo.STANDARD.name, again[0].values)
            assert package.default_provider is not None
            assert package.default_provider.provider is again[0].provider
            assert len({one.tag for one in again}) == len(again) == 2
            used = session.scalars(sa.select(SubscriptionProvider)).all()
            assert {one.package_provider for one in used} == {package.default_provider}
        session.remove()
        db.engine.dispose()


def test_older_lines_of_the_audit_get_the_customer_that_is_still_known(empty: Flask) -> None:
    """The demo world has done something of almost each kind; so new lines and older ones say the same."""
    with empty.app_context():
        revisions.upgrade()
        with transaction():
            demo.furnish()
            room = session.scalars(sa.select(Room)).first()
            assert room is not None
            by = actor_of(room.customer.owner)
            endpoint = create_endpoint(
                customer=room.customer, url="https://hooks.example/", events=[Event.ROOM_CREATED], by=by
            )
            send_again(operations.test_endpoint(endpoint, by=by), by=by)
        query = sa.select(AuditEvent.uuid, AuditEvent.customer_uuid)
        written = {tuple(row) for row in session.execute(query)}
        assert {customer for _, customer in written} == {None, *session.scalars(sa.select(Customer.uuid))}
        session.remove()
        revisions.downgrade("0040")
        revisions.upgrade()
        assert {tuple(row) for row in session.execute(query)} == written
        session.remove()
        db.engine.dispose()
