"""Names and e-mail addresses as they are taken from people: what is stored is what is seen.

An invisible character makes two names look the same, and one that turns the direction of writing around makes a name
look like another, or like one that nobody can type.
"""

import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from integrations.models import User

MOST_ADDRESS: int = User._meta.get_field("email").max_length or 0
HIDDEN = ("Cc", "Cf", "Zl", "Zp")
# Persian, Indic scripts and emoji are written with them.
JOINERS = "\u200c\u200d"


def as_seen(text: str, *, may: str = "") -> str:
    """Return a name as a page shows it: without what is invisible, but for `may`, and with single spaces."""
    return " ".join("".join(each for each in text if not _is_hidden(each) or each in may or each.isspace()).split())


def require_visible(text: str, *, may: str = JOINERS) -> None:
    """Raise ValidationError where something in a text is invisible; `may` is let through."""
    found = next((each for each in text if _is_hidden(each) and each not in may), "")
    if found:
        raise ValidationError(
            f"There is an invisible character in it, U+{ord(found):04X}. Type it instead of pasting it."
        )


def _is_hidden(character: str) -> bool:
    return unicodedata.category(character) in HIDDEN


class NameField(forms.CharField):
    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value))
        require_visible(text)
        return text


class AddressField(forms.EmailField):
    """Django's own field takes longer addresses than its column holds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": MOST_ADDRESS, **kwargs})

    def to_python(self, value: Any) -> str:
        text = str(super().to_python(value))
        require_visible(text, may="")
        return text


def clean_address(text: str) -> str:
    """Return an address as a form would take it. Raises ValidationError saying what is wrong with it."""
    require_visible(text.strip(), may="")
    try:
        return str(AddressField().clean(text))
    except ValidationError as error:
        if any(found.code == "max_length" for found in error.error_list):
            raise ValidationError(f"An e-mail address has at most {MOST_ADDRESS} characters.") from None
        raise ValidationError(f"“{text[:80]}” is not an e-mail address.") from None
