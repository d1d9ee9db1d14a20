"""The forms of a customer: what is asked to make one, and what can be changed of it."""

from typing import Any, cast

from babel import Locale
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from wtforms import EmailField, RadioField, SelectField, StringField, TextAreaField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import InputRequired, Length

from portal.customers.countries import countries
from portal.customers.currencies import currencies
from portal.customers.defaults import defaults
from portal.customers.fields import CustomerFields
from portal.customers.models import Customer, CustomerType
from portal.edge.i18n import translated
from portal.metadata import read_metadata, written
from portal.people.timezones import time_zones
from portal.web.edit_forms import EditForm
from portal.web.forms import Form

TEXTS = ("first_name", "last_name", "company_name", "email", "country", "currency", "timezone")
MORE_TEXTS = ("external_id", "customer_prefix")


def country_names() -> dict[str, str]:
    """Code of a country → its name in the reader's language."""
    territories = (get_locale() or Locale("en")).territories
    return {code: str(territories.get(code, code)) for code in countries()}


def country_choices() -> list[SelectChoice]:
    """All countries, by name in the reader's language."""
    return [SelectChoice(code, name) for code, name in sorted(country_names().items(), key=lambda one: one[1])]


class CustomerForm(Form):
    """What a customer cannot be without."""

    customer_type = RadioField(_l("Who is it?"), coerce=CustomerType, default=CustomerType.BUSINESS)
    company_name = StringField(_l("Company"), render_kw={"autocomplete": "off"})
    first_name = StringField(_l("First name"), render_kw={"autocomplete": "off"})
    last_name = StringField(_l("Last name"), render_kw={"autocomplete": "off"})
    email = EmailField(
        _l("E-mail"), [InputRequired(_l("Fill this in.")), Length(max=254)], render_kw={"autocomplete": "off"}
    )
    country = SelectField(_l("Country"), default=lambda: defaults().country)
    currency = SelectField(_l("Currency"), default=lambda: defaults().currency)
    timezone = SelectField(_l("Time zone"), default=lambda: defaults().timezone)

    def offer(self) -> None:
        """Fill the choices, by name in the reader's language."""
        self.customer_type.choices = [SelectChoice(one, translated(one.label)) for one in CustomerType]
        locale = get_locale() or Locale("en")
        self.country.choices = country_choices()
        self.currency.choices = [
            SelectChoice(code, f"{code} · {locale.currencies.get(code, code)}") for code in sorted(currencies())
        ]
        self.timezone.choices = [SelectChoice("", "UTC"), *(SelectChoice(zone, zone) for zone in sorted(time_zones()))]

    def fields(self) -> CustomerFields:
        """What was filled in, for the operations."""
        given: dict[str, Any] = {"customer_type": self.customer_type.data}
        return cast(CustomerFields, given | {name: self[name].data for name in TEXTS})


class NewCustomerForm(CustomerForm):
    """A new customer."""


class CustomerEditForm(CustomerForm, EditForm):
    """A customer that is there, with what few ask for."""

    external_id = StringField(_l("Id in another system"), render_kw={"autocomplete": "off"})
    customer_prefix = StringField(_l("Prefix of invoice numbers"), render_kw={"autocomplete": "off"})
    allowed_domains_registration = TextAreaField(_l("E-mail domains of its people"), render_kw={"rows": 3})
    customer_metadata = TextAreaField(_l("Metadata"), render_kw={"rows": 4, "spellcheck": "false", "dir": "ltr"})

    @staticmethod
    def stored(customer: Customer) -> dict[str, Any]:
        """What the form shows of a customer."""
        shown: dict[str, Any] = {name: getattr(customer, name) or "" for name in (*TEXTS, *MORE_TEXTS)}
        return shown | {
            "customer_type": customer.customer_type,
            "allowed_domains_registration": "\n".join(customer.allowed_domains_registration),
            "customer_metadata": written(customer.customer_metadata, indent=2) if customer.customer_metadata else "",
        }

    def fields(self) -> CustomerFields:
        """What was filled in, for the operations. Raises `Invalid` on `customer_metadata`."""
        more: dict[str, Any] = {name: self[name].data for name in MORE_TEXTS}
        more["allowed_domains_registration"] = (self.allowed_domains_registration.data or "").split()
        more["customer_metadata"] = read_metadata(self.customer_metadata.data or "", field="customer_metadata")
        return cast(CustomerFields, dict(super().fields()) | more)
