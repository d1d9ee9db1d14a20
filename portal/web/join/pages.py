"""The join page: participants follow a link, give a name and perhaps a code, and enter.

A link's token is exchanged for the room's admission cookie and so leaves the address at once. GET and HEAD
change nothing; Join enters.
"""

from dataclasses import replace
from urllib.parse import unquote_plus

from flask import Blueprint, Response, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import lazy_gettext as _l
from wtforms import StringField

from portal.admission.case import PASSING, Refuse
from portal.admission.decision import Decision
from portal.admission.entering import Declined, preview
from portal.admission.joining import arrive
from portal.admission.queries import find_token
from portal.admission.secrets import read_token
from portal.admission.visitor import Visitor
from portal.admission.waiting import keep_waiting, start_waiting, stop_waiting, waits_for
from portal.edge import actor, admission_cookie
from portal.edge.admissions import Admission
from portal.edge.guard import at_door
from portal.edge.network import network
from portal.edge.refusals import recording_refusals
from portal.edge.transaction import in_turn
from portal.errors import NotFound
from portal.people.models import NAME_LENGTH
from portal.turns import FORM_PATIENCE, JOINS
from portal.web.forms import Form, stripped
from portal.web.fragment_cache import cached_fragment, proof
from portal.web.join.arrival import go_in, may_lead_in
from portal.web.join.join_page import asks_again, is_member, join_page, render

bp = Blueprint("join", __name__, url_prefix="/rooms/<id:room_id>")


class JoinForm(Form):
    """A name, and an access code if the link needs one. The door has judged the proof of origin already."""

    class Meta(Form.Meta):
        """No CSRF token of the session, which visitors have none of."""

        csrf = False

    name = StringField(_l("Your name"), render_kw={"autocomplete": "name", "maxlength": NAME_LENGTH})
    code = StringField(
        _l("Access code"),
        render_kw={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false", "maxlength": 200},
    )


@bp.get("", defaults={"slug": None})
@bp.get("/<slug>")
@at_door
def show(admission: Admission, slug: str | None) -> ResponseReturnValue:
    """Show the join page; or exchange the token in the address; or redirect to the room's clean address."""
    room = admission.room
    presented = _presented_token()
    if presented is not None:
        return _exchange(admission, presented)
    if not admission.may_know:
        return _as_member(room.id)
    decision = _look(admission)
    if slug != room.slug and not _refuses(decision):  # who is refused learns nothing, not even the room's name
        return redirect(room.path, 303)
    return _with_cookie(admission, _first_page(admission, decision))


@bp.post("/<slug>")
@in_turn(JOINS, FORM_PATIENCE)
@at_door
def join(admission: Admission, slug: str) -> ResponseReturnValue:
    """Enter the room, and go to the player."""
    form = JoinForm()
    room, visitor = admission.room, admission.visitor
    if not admission.may_know:
        return _as_member(room.id)
    if admission.is_new:
        return _with_cookie(admission, (render_template("join/no_cookies.html", room=room), 400))
    if not form.validate_on_submit():
        return _with_cookie(admission, (_page(admission, _look(admission), form), 422))
    name, code = stripped(form.name.data), stripped(form.code.data)
    visitor = replace(visitor, device=admission.cookie.device)
    with form.refusals():
        try:
            with recording_refusals():
                arrival = arrive(
                    room=room,
                    provider=admission.provider,
                    visitor=visitor,
                    name=name,
                    code=code,
                    network=network(),
                )
        except Declined as declined:
            place = start_waiting(room, visitor, declined.decision, name=name, network=network())
            page = _page(admission, declined.decision, form, asked=place, crowded=not place)
            answer = may_lead_in((page, 403 if place else 429), admission.provider)
            return admission_cookie.write(
                answer, room.id, replace(admission.cookie, last_name=visitor.fixed_name or name)
            )
        stop_waiting(room, visitor)
        inside = arrival.place
        token_uuid = inside.token_uuid or admission.cookie.token_uuid
        return go_in(arrival, room, replace(admission.cookie, token_uuid=token_uuid, sign_in_uuid=inside.sign_in_uuid))
    return _with_cookie(admission, (_page(admission, _look(admission), form), 422))


def _presented_token() -> str | None:
    """The token in the address; "" if the address names one that cannot be read; None if it does not.

    Where `token` holds none, the whole query is read, because mail and chat programs spoil names and separators, too:
    `amp;token`, `Token`.
    """
    token = read_token(request.args.get("token", ""))
    if token is not None:
        return token
    text = unquote_plus(request.query_string.decode("latin-1"))
    named = any(name.lower().removeprefix("amp;") == "token" for name in request.args)
    return read_token(text) or ("" if named else None)


def _exchange(admission: Admission, text: str) -> ResponseReturnValue:
    """Exchange the token in the address for the admission cookie, and redirect to the address without it."""
    room = admission.room
    token = find_token(room, text)
    if token is None:
        if not room.is_public:
            raise NotFound
        return _with_cookie(
            admission, (_page(admission, _look(admission), JoinForm(formdata=None), bad_link=True), 404)
        )
    replaced = admission.cookie.token_uuid not in {None, token.uuid}
    address = replace(admission, visitor=Visitor(token=token)).address
    response = make_response(redirect(address + ("?replaced=1" if replaced else ""), 303))
    return admission_cookie.write(response, room.id, admission_cookie.by_link(admission.cookie, token.uuid))


def _as_member(room_id: str) -> ResponseReturnValue:
    """Redirect a signed-in member to the members' entrance. Raises `NotFound` for everybody else."""
    if not is_member(room_id):
        raise NotFound
    return redirect(url_for("member_entrance.show", room_id=room_id), 303)


def _refuses(decision: Decision) -> bool:
    """Whether the page has no form. It has one where the refusal may be over at any moment."""
    return isinstance(decision.result, Refuse) and decision.reason not in PASSING


def _known_name(admission: Admission) -> str:
    """The name to fill in: the fixed one, else the one last used here, else that of whoever is signed in."""
    somebody = actor.current()
    return admission.visitor.fixed_name or admission.cookie.last_name or (somebody.user.name if somebody else "")


def _look(admission: Admission) -> Decision:
    visitor = replace(admission.visitor, device=admission.cookie.device)
    decision = preview(admission.room, visitor, admission.occupancy)
    name = _known_name(admission) if waits_for(decision) else ""
    if asks_again(decision, name):  # his place may have lapsed while the device slept
        start_waiting(admission.room, visitor, decision, name=name, network=network())
    else:
        keep_waiting(admission.room, visitor, decision)
    return decision


def _first_page(admission: Admission, decision: Decision) -> str | bytes:
    """The page before anything was sent. Most are equal but for the CSRF token, so they are cached."""
    if _refuses(decision):
        return _refusal(admission, decision)
    page = join_page(admission, decision, name=_known_name(admission))

    def make(token: str) -> str:
        return render(page, JoinForm(formdata=None, name=page.name), proof=token)

    if not page.cacheable:
        return make(admission.proof)
    return cached_fragment("join page", page, make).filled(proof(admission.proof))


def _page(
    admission: Admission,
    decision: Decision,
    form: JoinForm,
    *,
    bad_link: bool = False,
    asked: bool = False,
    crowded: bool = False,
) -> str:
    """The page with the form, or why there is none. `asked`: the visitor has pressed Join just now.

    `crowded`: he has, but so many wait that he got no place among them.
    """
    if _refuses(decision):
        return _refusal(admission, decision)
    page = join_page(admission, decision, name=form.name.data or "", asked=asked, crowded=crowded, bad_link=bad_link)
    return render(page, form, proof=admission.proof)


def _refusal(admission: Admission, decision: Decision) -> str:
    return render_template(
        "join/refused.html",
        room=admission.room,
        visitor=admission.visitor,
        decision=decision,
        member_entry=is_member(admission.room.id),
    )


def _with_cookie(admission: Admission, answer: ResponseReturnValue) -> Response:
    response = may_lead_in(answer, admission.provider)
    if admission.is_new:
        admission_cookie.write(response, admission.room.id, admission.cookie)
    return response
