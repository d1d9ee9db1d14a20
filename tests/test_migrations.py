from pathlib import Path

import flask_migrate
import pytest
import sqlalchemy as sa
from flask import Flask

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
        flask_migrate.upgrade()
        flask_migrate.check()
        flask_migrate.downgrade(revision="base")
        left = set(sa.inspect(db.engine).get_table_names()) - {"alembic_version"}
        assert left == set()
        flask_migrate.upgrade()
        flask_migrate.check()
        db.engine.dispose()
