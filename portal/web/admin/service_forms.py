"""The forms of services: their fields are drawn from the properties that the adapter declares."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.edge.i18n import translated
from portal.providers import registry
from portal.providers.base import Adapter, Property
from portal.rooms.kinds import KINDS
from portal.subscriptions.provider_models import ServiceProvider, ServiceType
from portal.subscriptions.service_providers import ServiceAnswer
from portal.subscriptions.services import adapter_of
from portal.web.declared_fields import changed_values, for_people, form_field, shown_value
from portal.web.edit_forms import EditForm, lock_for_edit
from portal.web.forms import Form


class ServiceForm(Form):
    """The name of a service. `_with_properties` adds a field for each property, named like it."""

    provider_name = StringField(_l("Name"), [InputRequired(_l("Give the service a name."))])
    adapter: Adapter
    declared: dict[str, Property]
    shown: dict[str, Any]
    connection: ServiceAnswer | None = None
    """What a test of the typed properties found."""

    def properties(self) -> dict[str, Any]:
        """The properties that were changed; None for one to be removed. A secret left empty is not among them."""
        return changed_values(self, self.declared, self.shown)


class NewServiceForm(ServiceForm):
    """A new service."""

    service_type = SelectField(_l("For rooms of this type"))


class ServiceEditForm(ServiceForm, EditForm):
    """The name and the properties of a service that exists."""


def new_service_form(kind: str) -> NewServiceForm:
    """The form for a service of this kind; of the first one if there is no such kind."""
    known = sorted(registry.known())
    adapter = registry.adapter(kind if kind in known else known[0])
    form: NewServiceForm = _form_for(NewServiceForm, adapter, stored={})
    types = [one for one in ServiceType if one in adapter.kinds]
    form.service_type.choices = [SelectChoice(one.value, translated(KINDS[one].label)) for one in types]
    return form


def edit_service_form(service: ServiceProvider) -> ServiceEditForm:
    """The form for this service, which is locked if the form was sent."""
    lock_for_edit(service)
    form: ServiceEditForm = _form_for(
        ServiceEditForm, adapter_of(service), stored=service.properties, provider_name=service.provider_name
    )
    return form


def _form_for(base: type[ServiceForm], adapter: Adapter, *, stored: dict[str, Any], **data: Any) -> Any:
    declared = for_people({one.name: one for one in adapter.properties})
    shown = {name: shown_value(one, stored.get(name, one.default)) for name, one in declared.items()}
    fields: dict[str, Any] = {name: form_field(one) for name, one in declared.items()}
    form = type(base.__name__, (base,), fields)(data=data | shown)
    form.adapter, form.declared, form.shown = adapter, declared, shown
    return form
