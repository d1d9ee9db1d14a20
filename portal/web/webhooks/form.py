"""The form of a webhook."""

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, SelectMultipleField, StringField, URLField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired

from portal.edge import actor
from portal.edge.i18n import translated
from portal.web.edit_forms import EditForm
from portal.web.forms import Form
from portal.web.webhooks.place import WebhookPlace
from portal.webhooks.events import Event


class WebhookForm(Form):
    """The address, and a checkbox for each event. Events that the reader may not see himself can only be taken away."""

    url = URLField(_l("Address"), [InputRequired(_l("Fill this in."))], render_kw={"placeholder": "https://"})
    description = StringField(_l("Description"))
    events = SelectMultipleField(_l("Events"), coerce=Event)
    everywhere = BooleanField(_l("For all rooms of this customer, not only for this one"))

    def offer(self, place: WebhookPlace) -> None:
        """Fill the choices with the events of this place, and find those that the reader may see."""
        self.events.choices = [SelectChoice(event, translated(event.words)) for event in place.events]
        self.visible = place.visible(actor.current())


class WebhookEditForm(WebhookForm, EditForm):
    """The fields of a webhook that exists."""
