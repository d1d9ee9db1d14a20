import subprocess
import sys
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.script import ScriptDirectory
from flask import Flask

from portal import revisions
from portal.app import create_app
from portal.db import db
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


def test_the_last_file_is_the_newest_revision() -> None:
    assert revisions.newest_revision() == ScriptDirectory(str(revisions.MIGRATIONS)).get_current_head()


def test_web_processes_do_without_alembic() -> None:
    loaded = "import sys, portal.app, portal.server; sys.exit('alembic' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", loaded], check=False).returncode == 0
