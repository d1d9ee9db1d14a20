"""The authorization endpoint: a person decides whether a third-party application may act in their name."""

from http import HTTPStatus
from urllib.parse import urlsplit

from authlib.oauth2 import OAuth2Error
from authlib.oauth2.rfc6749 import InvalidScopeError
from authlib.oauth2.rfc9207 import IssuerParameter
from flask import Blueprint, Response, make_response, render_template, request
from flask.typing import ResponseReturnValue

from portal.edge import actor
from portal.edge.errors import error_page
from portal.edge.guard import signed_in
from portal.edge.headers import let_forms_lead_to
from portal.edge.i18n import gettext as _
from portal.oauth.grants import consented_scopes
from portal.oauth.server import issuer
from portal.oauth.token_views import refuse_plain_http, server
from portal.people.operations import user_of

bp = Blueprint("consent", __name__)
bp.before_request(refuse_plain_http)


class Issuer(IssuerParameter):  # type: ignore[misc]
    """Adds the issuer to every answer, so that no client takes it for another server's (RFC 9207)."""

    def get_issuer(self) -> str:
        return issuer()


@bp.route("/oauth/authorize", methods=["GET", "POST"])
@signed_in
def authorize() -> ResponseReturnValue:
    """Ask the signed-in person, and redirect to the application with the answer."""
    user = user_of(actor.someone())
    try:
        asked = server.get_consent_grant(end_user=user)
    except OAuth2Error as error:
        return _refuse(error)
    scopes = consented_scopes(asked.request.scope, user)
    if not scopes:  # an answer without any would be read as all that the application may have
        return _refuse(InvalidScopeError(state=asked.request.payload.state, redirect_uri=asked.redirect_uri))
    decision = request.form.get("decision") if request.method == "POST" else None
    if decision in {"allow", "deny"}:
        response = server.create_authorization_response(
            asked.request, grant_user=user if decision == "allow" else None, grant=asked
        )
        return _see_other(response)
    page = render_template(
        "session/consent.html",
        client=asked.client,
        scopes=scopes,
        host=urlsplit(asked.redirect_uri).netloc,
    )
    return let_forms_lead_to(asked.redirect_uri, make_response(page))


def _refuse(error: OAuth2Error) -> Response:
    """Redirect to the application with the error; or show it here, if the address is not known to be the client's."""
    if error.redirect_uri:
        response = server.handle_error_response(None, error)
        Issuer().add_issuer_parameter(server, response)
        return _see_other(response)
    return error_page(
        HTTPStatus.BAD_REQUEST,
        _(
            "The application that sent you here asked in a way that cannot be answered (%(why)s). "
            "Nothing was allowed. Tell the people who make it.",
            why=error.error,
        ),
    )


def _see_other(response: Response) -> Response:
    """Redirect with 303, so that browsers do not send the form on to the client (RFC 9700, section 4.12)."""
    response.status_code = HTTPStatus.SEE_OTHER
    return response
