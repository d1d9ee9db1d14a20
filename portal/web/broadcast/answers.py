"""Refusals as JSON, for the scripts of the studio and of viewers: a code, a sentence, and what to go on with."""

from http import HTTPStatus

from flask import make_response
from flask.typing import ResponseReturnValue

from portal.broadcasts.connections import ConnectionOver, SomebodySends, WrongOffset
from portal.edge.broadcast_guard import ChunkTooLarge
from portal.edge.i18n import translated
from portal.errors import Invalid, Refused, Throttled
from portal.web.conference.signals import refusal_answer


def refuse(refused: Refused) -> ResponseReturnValue:
    """The answer to what was refused."""
    match refused:
        case WrongOffset():
            response = make_response({"error": "offset", "message": translated(refused.message)}, HTTPStatus.CONFLICT)
            response.headers["Upload-Offset"] = str(refused.size)
            return response
        case ConnectionOver():
            words = refused.error or translated(refused.message)
            return {"error": "over", "ending": refused.ending.value, "message": words}, HTTPStatus.GONE
        case SomebodySends():
            message = translated(refused.message)
            return {"error": "somebody sends", "name": refused.name, "message": message}, HTTPStatus.CONFLICT
        case ChunkTooLarge():
            return {
                "error": "refused",
                "message": translated(refused.message),
            }, HTTPStatus.REQUEST_ENTITY_TOO_LARGE
        case Throttled():
            response = make_response(refusal_answer(refused))
            response.headers["Retry-After"] = str(refused.retry_after)
            return response
        case Invalid() if refused.fields:
            words = " ".join(translated(one) for one in refused.fields.values())
            return {"error": "invalid", "message": words}, HTTPStatus.UNPROCESSABLE_ENTITY
    return refusal_answer(refused)
