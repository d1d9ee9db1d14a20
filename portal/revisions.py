"""Migrations: which revision of the tables this code needs, and upgrading or downgrading to one.

Alembic is imported only where tables are changed, so web processes, which only ask, do not hold it in memory.
"""

from functools import cache
from pathlib import Path
from typing import Any

from flask import current_app

from portal.db import db

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


@cache
def newest_revision() -> str:
    """The number of the last migration, such as "0012", read from the names of the migrations' files."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def upgrade() -> None:
    """Upgrade the tables to the newest revision. Needs an app context."""
    _alembic().upgrade()


def downgrade(revision: str) -> None:
    """Downgrade the tables to an older revision, or to "base", which has no tables. Needs an app context."""
    _alembic().downgrade(revision=revision)


def check() -> None:
    """Compare the tables with the models. Raises `SystemExit` if they differ. Needs an app context."""
    _alembic().check()


def _alembic() -> Any:
    import flask_migrate  # noqa: PLC0415

    if "migrate" not in current_app.extensions:
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        flask_migrate.Migrate(app, db, directory=str(MIGRATIONS), render_as_batch=True, compare_type=True)
    return flask_migrate
