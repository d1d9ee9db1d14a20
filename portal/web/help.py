"""Help for whoever moderates a conversation, or has one moderated: what the portal sees to, and what it cannot."""

from flask import Blueprint, render_template
from flask.typing import ResponseReturnValue

from portal.edge.guard import open_to_all

bp = Blueprint("help", __name__, url_prefix="/help")


@bp.get("/conversations")
@open_to_all
def conversations() -> ResponseReturnValue:
    """What moderators can do in conversations without a media server, and what nobody can prevent there."""
    return render_template("help/conversations.html")
