"""What a form says about a value that its field cannot read, instead of WTForms' own sentences.

Those say that something is wrong, and not what to do about it.
"""

from portal.edge.i18n import translated
from portal.errors import Message

_LISTED = Message("Choose one that is listed.")
_WORDS = {
    "Not a valid choice.": _LISTED,
    "Invalid Choice: could not coerce.": _LISTED,
    "'%(value)s' is not a valid choice for this field.": _LISTED,
    "'%(value)s' are not valid choices for this field.": _LISTED,
    "Not a valid date value.": Message("There is no such day. Write it like 2027-01-31."),
    "Not a valid integer value.": Message("Use a whole number, like 12."),
}
"""WTForms' sentence → ours. Forms themselves say what is missing, so sentences about that are not in here."""


class FormWords:
    """The translations of a form, as WTForms asks for them."""

    def gettext(self, text: str) -> str:
        """Our sentence for one of WTForms', in the reader's language."""
        return translated(_WORDS.get(text) or Message("%(text)s", text=text))

    def ngettext(self, singular: str, plural: str, n: int) -> str:
        """Our sentence for the one of WTForms' two that fits the number `n`, in the reader's language."""
        return self.gettext(singular if n == 1 else plural)


FORM_WORDS = FormWords()
