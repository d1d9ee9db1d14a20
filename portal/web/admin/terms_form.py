"""The terms of packages and subscriptions, prices and lengths of time, in forms, and how people read them."""

from decimal import Decimal, InvalidOperation
from typing import Any, cast

from babel.numbers import get_currency_name
from flask_babel import get_locale
from flask_babel import lazy_gettext as _l
from wtforms import IntegerField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Optional

from portal.customers.currencies import currencies, digits_of
from portal.edge.i18n import gettext as _
from portal.edge.i18n import ngettext, translated
from portal.errors import Invalid, Message
from portal.subscriptions.checked_terms import LENGTHS, TermChanges
from portal.subscriptions.terms import Length, PeriodUnit, TermsMixin
from portal.web.forms import Form

LONGEST_AMOUNT = 20  # characters
AMOUNT = {"inputmode": "decimal", "autocomplete": "off", "dir": "ltr"}
"""Attributes of a field in which an amount is typed."""
_COUNT = {"min": 1, "inputmode": "numeric"}


class PriceForm(Form):
    """What is paid for one period, and how long that is."""

    price = StringField(_l("Price of one period"), render_kw=AMOUNT)
    currency = SelectField(_l("Currency"))
    periodicity = IntegerField(_l("Length of a period"), [Optional()], render_kw=_COUNT)
    periodicity_type = SelectField(_l("Counted in"))

    def offer(self) -> None:
        """Fill the choices."""
        locale = get_locale()
        self.currency.choices = [
            SelectChoice(code, f"{code} · {get_currency_name(code, locale=locale)}") for code in sorted(currencies())
        ]
        for _number, unit in LENGTHS.values():
            if unit in self:
                self[unit].choices = [SelectChoice(one.value, translated(one.label)) for one in PeriodUnit]

    def terms(self) -> TermChanges:
        """What was sent. Raises `Invalid` on `price`."""
        lengths = {
            name: read_length(self[number].data, self[unit].data)
            for name, (number, unit) in LENGTHS.items()
            if number in self
        }
        price = read_amount(self.price.data, field="price")
        return cast(TermChanges, {"price": price, "currency": self.currency.data, **lengths})


class TermsForm(PriceForm):
    """All lengths of time besides: the trial, and the grace."""

    trial_period = IntegerField(_l("Length of the trial"), [Optional()], render_kw=_COUNT)
    trial_interval = SelectField(_l("Counted in"))
    grace_period = IntegerField(_l("Grace after the end"), [Optional()], render_kw=_COUNT)
    grace_interval = SelectField(_l("Counted in"))


def stored_terms(sold: TermsMixin) -> dict[str, Any]:
    """What a `TermsForm` shows of these terms."""
    shown: dict[str, Any] = {"price": typed_amount(sold.price, sold.currency), "currency": sold.currency}
    for number, unit in LENGTHS.values():
        shown |= {number: getattr(sold, number), unit: (getattr(sold, unit) or PeriodUnit.MONTH).value}
    return shown


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
