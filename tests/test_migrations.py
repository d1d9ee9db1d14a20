import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask

from portal import revisions
from portal.app import create_app
from portal.clock import now
from portal.db import UTCDateTime, db, session, transaction
from portal.identifiers import new_uuid
from portal.people.operations import ambiguous_emails
from tests import servers
from tests.conftest import settings_for


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


def test_the_last_file_is_the_newest_revision() -> None:
    assert revisions.newest_revision() == ScriptDirectory(str(revisions.MIGRATIONS)).get_current_head()


def test_web_processes_do_without_alembic() -> None:
    loaded = "import sys, portal.app, portal.server; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
