"""The forms of telephone and tax numbers, by the libraries that know them. Whether a number is somebody's is not asked.

Both are loaded when the first number is judged: together they take 7 MB, and most processes judge none.
"""

import re

from portal.customers.countries import checked_country
from portal.customers.profile_models import NUMBER_LENGTH, DocumentType
from portal.errors import Invalid, Message
from portal.people.names import clean_name

_PREFIX = re.compile("[A-Z]{2}")
_COUNTRY_OF_PREFIX = {"EL": "GR", "XI": "GB"}
"""The letters with which VAT numbers of Greece and of Northern Ireland begin → the country."""
_PREFIX_OF_COUNTRY = {"GR": "EL"}
BRAZIL = "BR"


def checked_telephone(text: str, *, country: str, field: str = "number") -> str:
    """The number as E.164 writes it; without the code of a country it is one of `country`. Raises `Invalid`."""
    import phonenumbers  # noqa: PLC0415

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        number = None
    if number is not None and number.extension:
        raise Invalid(**{field: Message("Write the extension into its own field.")})
    if number is None or not phonenumbers.is_valid_number(number):
        raise Invalid(**{field: Message("This is no telephone number. Write it like +49 30 901820.")})
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def spaced_telephone(number: str) -> str:
    """A stored number as people read it: +49 30 901820."""
    import phonenumbers  # noqa: PLC0415

    return phonenumbers.format_number(phonenumbers.parse(number), phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def checked_document(
    kind: DocumentType, text: str, *, country: str | None, field: str = "value", country_field: str = "country"
) -> tuple[str, str | None]:
    """The number of a legal document in its compact form, and the country that it is of.

    `country` is the one that somebody named, and stays for a number of an `other` register. Raises `Invalid` on
    `field` for another form, or on `country_field` if the number is of another country than the one named.
    """
    value = clean_name(text, field=field, longest=NUMBER_LENGTH)
    named = checked_country(country, field=country_field) if country else None
    if kind is DocumentType.OTHER:
        return value, named
    number, found = _brazilian(kind, value, field) if kind is not DocumentType.EU_VAT else _eu_vat(value, named, field)
    if named is not None and named != found:
        raise Invalid(**{country_field: Message("This number is one of %(country)s.", country=found)})
    return number, found


def _brazilian(kind: DocumentType, value: str, field: str) -> tuple[str, str]:
    from stdnum.br import cnpj, cpf  # noqa: PLC0415
    from stdnum.exceptions import ValidationError  # noqa: PLC0415

    try:
        return (cpf if kind is DocumentType.BR_CPF else cnpj).validate(value), BRAZIL
    except ValidationError:
        shape = {DocumentType.BR_CPF: "390.533.447-05", DocumentType.BR_CNPJ: "16.727.230/0001-97"}[kind]
        raise Invalid(**{field: Message("Check the digits. It looks like %(shape)s.", shape=shape)}) from None


def _eu_vat(value: str, country: str | None, field: str) -> tuple[str, str]:
    from stdnum.eu import vat  # noqa: PLC0415
    from stdnum.exceptions import ValidationError  # noqa: PLC0415

    text = re.sub("^GR", "EL", value.upper())
    if country and not _PREFIX.match(text):
        text = _PREFIX_OF_COUNTRY.get(country, country) + text
    try:
        number = vat.validate(text)
    except ValidationError:
        raise Invalid(
            **{field: Message("Check the number. It begins with the letters of its country, like DE136695976.")}
        ) from None
    return number, _COUNTRY_OF_PREFIX.get(number[:2], number[:2])
