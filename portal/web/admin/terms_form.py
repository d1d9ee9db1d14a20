"""Form fields for prices and lengths of time, as packages and subscriptions have them, and how people read them."""

from decimal import Decimal, InvalidOperation

from babel.numbers import get_currency_name
from flask_babel import get_locale
from wtforms.fields.choices import SelectChoice

from portal.customers.currencies import currencies, digits_of
from portal.edge.i18n import gettext as _
from portal.edge.i18n import ngettext, translated
from portal.errors import Invalid, Message
from portal.subscriptions.terms import Length, PeriodUnit, TermsMixin

LONGEST_AMOUNT = 20  # characters
AMOUNT = {"inputmode": "decimal", "autocomplete": "off", "dir": "ltr"}
"""Attributes of a field in which an amount is typed."""
COUNT = {"min": 1, "inputmode": "numeric"}
"""Attributes of a field for the number of a length."""


def currency_choices() -> list[SelectChoice]:
    """The currencies, by their code and their name in the reader's language."""
    locale = get_locale()
    return [SelectChoice(code, f"{code} {get_currency_name(code, locale=locale)}") for code in sorted(currencies())]


def unit_choices() -> list[SelectChoice]:
    """The units of a length, for a field beside that of its number."""
    return [SelectChoice(unit.value, translated(unit.label)) for unit in PeriodUnit]


def typed_amount(amount: Decimal, currency: str) -> str:
    """An amount as a program or a field writes it, with the digits of its currency: "19.90"."""
    return f"{amount:.{digits_of(currency)}f}"


def read_amount(text: str | None, *, field: str) -> Decimal:
    """The amount that was typed, with a point or a comma; empty is 0. Raises `Invalid` on `field`."""
    typed = (text or "").strip().replace(",", ".")
    if not typed:
        return Decimal(0)
    try:
        if len(typed) <= LONGEST_AMOUNT:
            return Decimal(typed)
    except InvalidOperation:
        pass
    raise Invalid(**{field: Message("Write an amount like 19.90.")})


def read_length(number: int | None, unit: str) -> Length | None:
    """The length of two fields; None if there is no number."""
    return Length(number, PeriodUnit(unit)) if number is not None else None


def price_words(amount: Decimal, currency: str, period: Length | None) -> str:
    """What is paid, and for how long: "19.90 EUR for 3 months"."""
    price = f"{typed_amount(amount, currency)} {currency}"
    return price if period is None else _("%(price)s for %(length)s", price=price, length=length_words(period))


def length_words(length: Length) -> str:
    """A length as people read it: "1 month", "3 months"."""
    match length.unit:
        case PeriodUnit.DAY:
            return ngettext("%(num)d day", "%(num)d days", length.number)
        case PeriodUnit.WEEK:
            return ngettext("%(num)d week", "%(num)d weeks", length.number)
        case PeriodUnit.MONTH:
            return ngettext("%(num)d month", "%(num)d months", length.number)
        case PeriodUnit.YEAR:
            return ngettext("%(num)d year", "%(num)d years", length.number)


def terms_rows(terms: TermsMixin) -> list[tuple[str, str]]:
    """The terms as rows of a table: what, and how much."""
    rows = [(_("Price"), price_words(terms.price, terms.currency, terms.period))]
    if terms.period is None:
        rows.append((_("Ends"), _("Never: it has no periods")))
    if terms.trial is not None:
        rows.append((_("Trial"), length_words(terms.trial)))
    if terms.grace is not None:
        rows.append((_("Grace after the end"), length_words(terms.grace)))
    return rows
