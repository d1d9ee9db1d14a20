"""For whoever watches over the portal: does it live, can it work?"""

from flask import Blueprint
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import SQLAlchemyError

from portal.channels import channels
from portal.db import check_writable, session
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
    """200 if the database takes a write and the channels answer, else 503."""
    try:
        check_writable()
        channels().last_letter("readyz")
    except (SQLAlchemyError, OSError, ConnectionError) as error:
        session.rollback()
        return {"status": "unavailable", "cause": type(error).__name__}, 503
    return {"status": "ok"}
