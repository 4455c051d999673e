"""E-mail addresses as they are taken from people, wherever they type one."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from integrations.models import User

MOST_ADDRESS: int = User._meta.get_field("email").max_length or 0


class AddressField(forms.EmailField):
    """Django's own field takes longer addresses than its column holds."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"max_length": MOST_ADDRESS, **kwargs})


def clean_address(text: str) -> str:
    """Return an address as a form would take it. Raises ValidationError saying what is wrong with it."""
    try:
        return str(AddressField().clean(text))
    except ValidationError as error:
        if any(found.code == "max_length" for found in error.error_list):
            raise ValidationError(f"An e-mail address has at most {MOST_ADDRESS} characters.") from None
        raise ValidationError(f"“{text[:80]}” is not an e-mail address.") from None
