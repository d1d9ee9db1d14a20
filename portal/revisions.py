"""The tables: at which revision they have to be for this code, and bringing them there.

Alembic is loaded only where tables are changed. Web processes, which only ask, need not hold it in memory.
"""

from functools import cache
from pathlib import Path
from typing import Any

from flask import current_app

from portal.db import db

MIGRATIONS = Path(__file__).resolve().parent.parent / "migrations"


@cache
def newest_revision() -> str:
    """What the last migration is called: they are numbered, and their files begin with the number."""
    return max(path.name for path in (MIGRATIONS / "versions").glob("[0-9]*.py")).partition("_")[0]


def upgrade() -> None:
    """Bring the tables to the newest revision. Needs an app context."""
    _alembic().upgrade()


def downgrade(revision: str) -> None:
    """Bring the tables back to an older revision, or to "base", which is none."""
    _alembic().downgrade(revision=revision)


def check() -> None:
    """Make sure that the tables are those of the models. Raises `SystemExit`."""
    _alembic().check()


def _alembic() -> Any:
    import flask_migrate  # noqa: PLC0415

    if "migrate" not in current_app.extensions:
        app = current_app._get_current_object()  # type: ignore[attr-defined]
        flask_migrate.Migrate(app, db, directory=str(MIGRATIONS), render_as_batch=True, compare_type=True)
    return flask_migrate
