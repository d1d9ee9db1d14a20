"""The API's route for revoking the access token that a request carries."""

from flask import Blueprint, Response

from portal.api.v1.core import responses
from portal.api.v1.core.endpoint import endpoint, takes
from portal.credentials.operations import get_access_token, revoke_token
from portal.edge import bearer
from portal.edge.guard import bearer_only

bp = Blueprint("logout", __name__)


@bp.delete("/logout")
@endpoint("Credentials", scope=None, status=204)
@bearer_only
@takes(None)
def delete() -> Response:
    """Revoke the access token that this request carries. It needs no scope."""
    revoke_token(get_access_token(bearer.token().uuid))
    return responses.no_content()
