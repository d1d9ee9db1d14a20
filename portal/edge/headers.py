"""Security headers of every answer: content security policy, referrer policy, permissions, caching."""

import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from flask import Flask, Response
from secure import (
    ContentSecurityPolicy,
    CrossOriginOpenerPolicy,
    PermissionsPolicy,
    ReferrerPolicy,
    Secure,
    StrictTransportSecurity,
    XContentTypeOptions,
    XFrameOptions,
)

POLICY = (
    ContentSecurityPolicy()
    .default_src("'none'")
    .script_src("'self'")
    .style_src("'self'")
    .img_src("'self'", "data:")
    .connect_src("'self'")
    .media_src("'self'", "blob:")
    .form_action("'self'")
    .frame_ancestors("'none'")
    .base_uri("'none'")
)

OWN_FORMS = "form-action 'self'"
OWN_CONNECTIONS = "connect-src 'self'"
_HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]+\](:[0-9]{1,5})?")


def let_forms_lead_to(address: str, response: Response, *, anywhere: bool = False) -> Response:
    """Widen the page's policy so that its forms may be answered by a redirect to the origin of `address`.

    Browsers judge what that redirects to as well. `anywhere`: by that origin to any other, by its scheme.
    An address whose host is no plain name widens nothing: a policy knows wildcards, and separators of its own.
    """
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(parts.netloc):
        return response
    also = f" {parts.scheme}:" if anywhere else ""
    wider = POLICY.header_value.replace(OWN_FORMS, f"{OWN_FORMS} {parts.scheme}://{parts.netloc}{also}")
    response.headers["Content-Security-Policy"] = wider
    return response


def let_scripts_connect_to(origins: Sequence[str], response: Response) -> Response:
    """Widen the page's policy so that its scripts may send bytes to these origins, which an adapter declares."""
    return _widen(response, OWN_CONNECTIONS, " ".join([OWN_CONNECTIONS, *origins]))


def let_frame(origin: str, response: Response) -> Response:
    """Widen the page's policy so that it may show a frame of this origin, which an adapter declares."""
    return _widen(response, OWN_FORMS, f"{OWN_FORMS}; frame-src {origin}")


def _widen(response: Response, part: str, wider: str) -> Response:
    response.headers["Content-Security-Policy"] = POLICY.header_value.replace(part, wider)
    return response


def install(app: Flask) -> None:
    """Set the headers on every answer of this app; pages are not to be stored or indexed."""
    secure = Secure(
        csp=POLICY,
        coop=CrossOriginOpenerPolicy().same_origin(),
        referrer=ReferrerPolicy().no_referrer(),
        permissions=PermissionsPolicy().camera("self").microphone("self").geolocation(),
        hsts=StrictTransportSecurity().max_age(31_536_000) if app.config["SESSION_COOKIE_SECURE"] else None,
        xcto=XContentTypeOptions().nosniff(),
        xfo=XFrameOptions().deny(),
    )
    defaults = {**secure.headers, "Cache-Control": "no-store", "X-Robots-Tag": "noindex, nofollow"}
    headers = {name.lower(): (name, value) for name, value in defaults.items()}

    @app.after_request
    def add(response: Response) -> Response:
        said = {name.lower() for name, _value in response.headers}  # once: `setdefault` reads all of them for each
        for key, header in headers.items():
            if key not in said:
                response.headers.add(*header)
        return response
