"""For whoever watches over the portal: does it live, can it work?"""

import sqlalchemy as sa
from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from portal.channels import channels
from portal.db import session
from portal.edge.guard import open_to_all

bp = Blueprint("health", __name__)


@bp.get("/livez")
@open_to_all
def livez() -> ResponseReturnValue:
    """200 as long as the process answers."""
    return {"status": "ok"}


@bp.get("/readyz")
@open_to_all
def readyz() -> ResponseReturnValue:
    """200 if the database takes a write lock and the channels answer, else 503."""
    try:
        session.execute(sa.text("SELECT 1 FROM alembic_version"))
        channels().last_letter("readyz")
    except (SQLAlchemyError, OSError, ConnectionError) as error:
        session.rollback()
        return {"status": "unavailable", "cause": type(error).__name__}, 503
    return {"status": "ok"}
