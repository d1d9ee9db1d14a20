"""The settings page of a room. Its form is built from the settings declared for the room, and from its features."""

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, ClassVar

from flask import Blueprint, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, Field, FileField, IntegerField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import DataRequired, Optional, ValidationError

from portal.edge import actor
from portal.edge.editing_guard import edits_room
from portal.edge.guard import requires
from portal.edge.i18n import gettext as _
from portal.edge.i18n import translated
from portal.errors import Message, NotFound
from portal.metadata import read_metadata, written
from portal.permissions.permission import Permission
from portal.permissions.visibility import find_room
from portal.providers.base import Setting, SettingScope
from portal.rooms.features import EffectiveFeature, features_of, grants, narrowable_features
from portal.rooms.images import LONGEST_SIDES, images_of
from portal.rooms.models import Room, RoomStatusWord
from portal.rooms.presentation_kinds import KINDS
from portal.rooms.presentations import LARGEST_FILE, PRESENTATION, presentation_of
from portal.rooms.room_read import AnyRoom, EditableRoom
from portal.rooms.settings import declared, features_needed, set_value
from portal.status.room_lifecycle import change_room
from portal.subscriptions.feature_catalog import FEATURES, Feature, Value
from portal.subscriptions.provider_models import ServiceType
from portal.subscriptions.queries import plan_of
from portal.web import flash_messages
from portal.web.declared_fields import changed_values, for_people, form_field, shown_value
from portal.web.edit_forms import EditForm
from portal.web.forms import Form, refills
from portal.web.recording_formats import size_words

bp = Blueprint("room_settings", __name__, url_prefix="/manage/rooms/<id:room_id>/settings")

LARGEST = 1_000_000
AS_PLANNED, OFF = "plan", "off"


class SettingsForm(EditForm):
    """The fields that every room has. `_form_class` adds one for each setting and feature, named by its key."""

    room_name = StringField(_l("Name"), [DataRequired(_l("Give the room a name."))])
    slug = StringField(_l("Word in the address"))
    is_public = BooleanField(_l("Public: whoever knows the address may come in as a guest"))
    active = BooleanField(_l("Active: people may enter"))
    room_metadata = TextAreaField(
        _l("Metadata"), render_kw={"rows": 6, "spellcheck": "false", "autocomplete": "off", "dir": "ltr"}
    )
    declared: ClassVar[dict[str, Setting]]
    features: ClassVar[list[Feature]]
    shown: dict[str, Any]

    @property
    def for_programs(self) -> list[Field]:
        """The fields that only programs read. The page folds them away if they are empty."""
        return [
            self.room_metadata,
            *(self[name] for name, setting in self.declared.items() if setting.read_by == "API"),
        ]

    def settings(self) -> dict[str, Any]:
        """The settings that were changed, for `change_room`; None for one that has its default value now.

        Addresses of pictures are always among them: saving tries again what failed.
        """
        changes = changed_values(self, self.declared, self.shown)
        return {name: self[name].data for name in LONGEST_SIDES if name in self and self[name].data} | changes

    def overrides(self) -> dict[str, Any]:
        """The features that were changed, for `change_room`; None for one that follows the plan from now on.

        One whose field was not sent, because the page does not offer it, stays as it is.
        """
        values = {feature.code: self[feature.code].data for feature in self.features if self[feature.code].raw_data}
        return {
            code: {AS_PLANNED: None, OFF: False}.get(value, value)
            for code, value in values.items()
            if value != self.shown[code]
        }

    def metadata(self) -> dict[str, Any] | None:
        """The metadata, for `change_room`; None if the field was not sent. Raises `Invalid` on `room_metadata`."""
        return (
            read_metadata(self.room_metadata.data or "", field="room_metadata") if self.room_metadata.raw_data else None
        )


class PresentationForm(Form):
    """A file for the room's service to show."""

    file = FileField(_l("File"), render_kw={"accept": ",".join(f".{end}" for end in KINDS), "required": True})


@bp.get("")
@requires(Permission.ROOM_EDIT)
def show(room: Room) -> ResponseReturnValue:
    """Show the settings to change them."""
    return settings_page(room)


@bp.post("")
@edits_room
@refills
def edit(room: EditableRoom) -> ResponseReturnValue:
    """Change the room."""
    form = form_for(room, room.provider_type, lambda: plan_of(room.subscription_uuid).values)
    if form.validate_on_submit():
        with form.refusals():
            change_room(
                room,
                by=actor.someone(),
                room_name=form.room_name.data,
                slug=form.slug.data or "",
                is_public=form.is_public.data,
                status=RoomStatusWord.ACTIVE if form.active.data else RoomStatusWord.INACTIVE,
                settings=form.settings(),
                features=form.overrides(),
                metadata=form.metadata(),
            )
            flash_messages.done(_("Saved."))
            return redirect(url_for("room_settings.show", room_id=room.id), 303)
    found = find_room(actor.someone(), room.id)  # with all that the frame of the page shows
    if found is None:  # deleted meanwhile: the lock ended with what was rolled back
        raise NotFound
    return settings_page(found, form), 422 if form.refused else 200


def settings_page(room: Room, form: SettingsForm | None = None, *, presentation: PresentationForm | None = None) -> str:
    """The page with all that can be set, with the form that was refused, if any."""
    subscription = room.subscription
    provider_type = subscription.provider.provider_type
    form = form or form_for(room, provider_type, lambda: subscription.values)
    file = declared(room.room_type, provider_type).get(PRESENTATION)
    (form if presentation is not None else (presentation := PresentationForm(None))).leave_focus()
    return render_template(
        "manage/rooms/settings.html",
        room=room,
        tab="settings",
        form=form,
        file=file,
        presentation_form=presentation,
        presentation=presentation_of(room) if file is not None else None,
        largest=size_words(LARGEST_FILE),
        size_words=size_words,
        scopes=SettingScope,
        images=images_of(room) if any(map(room.room_settings.get, LONGEST_SIDES)) else {},
        plan=room.subscription.values,
        offered=_offered(room),
        remarks={row.code: row.reason for row in features_of(room) if _needs_a_remark(row)},
    )


def _offered(room: Room) -> set[str]:
    """The codes of the features that the plan has, or that the room has set: nothing else can be narrowed.

    Of recordings a plan that grants none has nothing to narrow, unless the room has set it: some may be there still.
    """
    plan = room.subscription.values
    moot = {code for code, feature in FEATURES.items() if feature.part_of and not grants(plan, feature.part_of)}
    return (set(plan) - moot) | set(room.room_features)


def _needs_a_remark(row: EffectiveFeature) -> bool:
    """Whether the room's own value is ignored, or the service does not offer the feature, or not as much of it."""
    return (row.in_room and row.room_value != row.used_value) or not row.available or row.held is not None


def form_for(room: AnyRoom, provider_type: str, read_plan: Callable[[], Mapping[str, Value]]) -> SettingsForm:
    """The settings form of this room, filled with its present values. Its plan's provider is of this type.

    `read_plan` gives the values of the plan, and is called only where settings depend on them.
    """
    needed = features_needed(provider_type)
    plan = read_plan() if needed else {}
    granted = frozenset(code for code in needed if grants(plan, code))
    form_class = _form_class(room.room_type, provider_type, granted, str(get_locale()))
    shown = {name: shown_value(one, set_value(one, room.room_settings)) for name, one in form_class.declared.items()}
    shown |= {feature.code: _shown(feature, room.room_features.get(feature.code)) for feature in form_class.features}
    form = form_class(
        data={
            **shown,
            "room_name": room.room_name,
            "slug": room.slug,
            "is_public": room.is_public,
            "active": room.status is RoomStatusWord.ACTIVE,
            "room_metadata": written(room.room_metadata, indent=2) if room.room_metadata else "",
        }
    )
    form.shown = shown
    return form


@lru_cache(maxsize=64)
def _form_class(
    room_type: ServiceType, provider_type: str, granted: frozenset[str], _language: str
) -> type[SettingsForm]:
    """The form of rooms of this type at such a provider, in the language of the present reader.

    `granted`: the features that the plan grants, of those without which some settings do nothing.

    Kept, because WTForms looks through a class for its fields when it makes the first form of it.
    """
    known = declared(room_type, provider_type).items()
    settings = for_people({name: one for name, one in known if not one.feature or one.feature in granted})
    features = narrowable_features(room_type)
    fields: dict[str, Field] = {name: form_field(setting) for name, setting in settings.items()}
    fields |= {feature.code: _feature_field(feature) for feature in features}
    return type("RoomSettingsForm", (SettingsForm,), {**fields, "declared": settings, "features": features})


def _feature_field(feature: Feature) -> Field:
    label = translated(feature.label)
    if not feature.numeric:
        return SelectField(
            label, choices=[SelectChoice(AS_PLANNED, _("As the plan says")), SelectChoice(OFF, _("Off"))]
        )
    text = f"{label} ({feature.unit})" if feature.unit else label
    return IntegerField(text, [Optional(), _sensible], render_kw={"inputmode": "numeric", "min": "1"})


def _sensible(_form: SettingsForm, field: Field) -> None:
    if field.data != field.object_data and field.data is not None and not 1 <= field.data <= LARGEST:
        raise ValidationError(translated(Message("Use a whole number from 1 to %(largest)d.", largest=LARGEST)))


def _shown(feature: Feature, stored: object) -> int | str | None:
    """A room's stored value as the form shows it. A value that the form cannot show stays unless it is changed."""
    if not feature.numeric:
        return OFF if stored is False else AS_PLANNED
    return stored if isinstance(stored, int) and not isinstance(stored, bool) else None
