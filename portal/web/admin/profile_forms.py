"""The forms of a customer's addresses, telephones and legal documents."""

from typing import Any

from flask_babel import lazy_gettext as _l
from wtforms import BooleanField, DateField, SelectField, StringField, TelField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from portal.customers.profile_models import (
    AddressType,
    CustomerAddress,
    CustomerTelephone,
    DocumentType,
    LegalDocument,
    TelephoneType,
)
from portal.edge.i18n import translated
from portal.web.admin.customer_forms import country_choices
from portal.web.edit_forms import EditForm

_PLAIN = {"autocomplete": "off"}
_DEFAULT = _l("The default of its type")


def _choices(kinds: type[AddressType | TelephoneType | DocumentType]) -> list[SelectChoice]:
    return [SelectChoice(one, translated(one.label)) for one in kinds]


class AddressForm(EditForm):
    """An address."""

    address_type = SelectField(_l("What is it for?"), coerce=AddressType, default=AddressType.POSTAL)
    address_line1 = StringField(_l("Street"), render_kw=_PLAIN)
    building_number = StringField(_l("Number"), render_kw=_PLAIN)
    complement = StringField(_l("Floor, entrance, apartment"), render_kw=_PLAIN)
    address_line2 = StringField(_l("Second line"), render_kw=_PLAIN)
    po_box = StringField(_l("Post-office box"), render_kw=_PLAIN)
    postal_code = StringField(_l("Postal code"), render_kw=_PLAIN)
    city = StringField(_l("City"), render_kw=_PLAIN)
    state = StringField(_l("State or province"), render_kw=_PLAIN)
    country = SelectField(_l("Country"))
    default = BooleanField(_DEFAULT)

    @staticmethod
    def stored(entry: CustomerAddress) -> dict[str, Any]:
        """What the form shows of an address."""
        names = (
            "address_line1",
            "building_number",
            "complement",
            "address_line2",
            "po_box",
            "postal_code",
            "city",
            "state",
        )
        shown: dict[str, Any] = {name: getattr(entry, name) or "" for name in names}
        return shown | {"address_type": entry.kind, "country": entry.country, "default": entry.is_default}

    def offer(self) -> None:
        """Fill the choices."""
        self.address_type.choices = _choices(AddressType)
        self.country.choices = country_choices()


class TelephoneForm(EditForm):
    """A telephone."""

    telephone_type = SelectField(_l("Type"), coerce=TelephoneType, default=TelephoneType.LANDLINE)
    number = TelField(_l("Telephone number"), render_kw=_PLAIN)
    telephone_extension = StringField(_l("Extension"), render_kw=_PLAIN | {"inputmode": "numeric"})
    default = BooleanField(_DEFAULT)

    @staticmethod
    def stored(entry: CustomerTelephone) -> dict[str, Any]:
        """What the form shows of a telephone."""
        return {
            "telephone_type": entry.kind,
            "number": entry.number,
            "telephone_extension": entry.telephone_extension or "",
            "default": entry.is_default,
        }

    def offer(self) -> None:
        """Fill the choices."""
        self.telephone_type.choices = _choices(TelephoneType)


class DocumentForm(EditForm):
    """A legal document."""

    type = SelectField(_l("Type"), coerce=DocumentType, default=DocumentType.EU_VAT)
    value = StringField(_l("Number"), render_kw=_PLAIN)
    country = SelectField(_l("Country"))
    issued_at = DateField(_l("Issued on"), [Optional()])

    @staticmethod
    def stored(entry: LegalDocument) -> dict[str, Any]:
        """What the form shows of a legal document."""
        return {"type": entry.kind, "value": entry.value, "country": entry.country, "issued_at": entry.issued_at}

    def offer(self) -> None:
        """Fill the choices."""
        self.type.choices = _choices(DocumentType)
        self.country.choices = country_choices()
