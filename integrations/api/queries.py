"""What may be asked in the query of a list: forms, from which the OpenAPI document takes its parameters too."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from integrations.dashboard.paging import Page, page_of
from integrations.providers import catalog
from integrations.sdk.api import ApiError

MOST = 100
USUAL = 50


class Moment(forms.DateTimeField):
    """A time in ISO 8601, or a day; without a time zone it is UTC."""

    default_error_messages = {
        "invalid": "Write a time such as 2026-03-01T12:00:00Z, or a day. A + in an address must be written as %2B."
    }

    def to_python(self, value: Any) -> datetime | None:
        try:
            found = super().to_python(value)
            return found.astimezone(UTC) if found else None
        except (OverflowError, ValueError):
            raise ValidationError(self.error_messages["invalid"], code="invalid") from None


class Query(forms.Form):
    """The filters of a list. A name that is none of them is refused: a typing error must not show everything."""

    limit = forms.IntegerField(
        required=False, min_value=1, max_value=MOST, help_text=f"How many a page: {USUAL} if it is not given."
    )
    after = forms.CharField(required=False, max_length=500, help_text="Where the page begins: as in nextLink.")

    def wanted(self) -> dict[str, Any]:
        """Return what is asked for, blanks left out. Raises ApiError 400, naming each wrong parameter."""
        wrong = {name: errors[0] for name, errors in self.errors.items()}
        unknown = [name for name in self.data if name not in self.fields]
        wrong |= {name[:100]: f"There is no such parameter. There are: {', '.join(self.fields)}." for name in unknown}
        if wrong:
            words = " ".join(f"{name}: {text}" for name, text in wrong.items())
            raise ApiError(400, "bad_query", words, fields=wrong)
        return {name: value for name, value in self.cleaned_data.items() if value not in (None, "")}


def integration_field() -> forms.ChoiceField:
    choices = [(provider.slug, provider.name) for provider in catalog()]
    return forms.ChoiceField(required=False, choices=choices, help_text="Only of this integration.")


def user_field() -> forms.CharField:
    return forms.CharField(required=False, max_length=255, help_text="Only of this user: the sub of user tokens.")


def since_field() -> Moment:
    return Moment(required=False, help_text="Not before this time.")


def until_field() -> Moment:
    return Moment(required=False, help_text="Not after this time.")


def listed(
    request: HttpRequest, rows: QuerySet[Any], wanted: Mapping[str, Any], key: str = "-created_at", *, skip: int = 0
) -> Page[Any]:
    """Return the page that is asked for. Raises ApiError for an `after` that no page of ours ever named."""
    page: Page[Model] = page_of(rows, request, key, size=wanted.get("limit", USUAL), skip=skip)
    if wanted.get("after") and not page.first:
        raise ApiError(
            400, "bad_query", "after is none of ours: follow nextLink as it is.", fields={"after": "Unknown."}
        )
    return page


def next_link(request: HttpRequest, page: Page[Any]) -> str | None:
    """Return the address of the next page, None after the last."""
    return f"{settings.PUBLIC_URL}{request.path}{page.next}" if page.next else None
