"""The form of the portal editor. What it says while it is not saved yet is what the preview shows."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import transaction
from django.http import QueryDict

from integrations import audit, extension
from integrations.dashboard.meanwhile import MeanwhileModel, changed_to, mark_of
from integrations.extension import Offer
from integrations.models import Portal
from integrations.portal.colours import HEX
from integrations.portal.look import connect_label, short_description

# Only the type checker's ModelForm takes the model's type.
if TYPE_CHECKING:
    PortalModelForm = forms.ModelForm[Portal]
else:
    PortalModelForm = forms.ModelForm


class PortalForm(MeanwhileModel, PortalModelForm):
    class Meta:
        model = Portal
        fields = Portal.LOOK
        labels = {
            "short_description": "Short description",
            "description": "Overview",
            "connect_label": "Connect button",
            "accent_color": "Accent colour",
            "theme": "Light or dark",
            "shows_activity": "Show users what was done in their name",
        }
        help_texts = {
            "short_description": "One sentence below the name.",
            "description": "Markdown: headings, lists, links, bold, code. HTML and images are not taken. Blank: three"
            " lines on who may do what, and that the user can disconnect.",
            "shows_activity": "A tab with the user’s own latest calls and runs: when, what, and how it went. Never what"
            " was in them.",
        }
        widgets = {
            "short_description": forms.TextInput(attrs={"autocomplete": "off"}),
            "description": forms.Textarea(attrs={"rows": 9}),
            "connect_label": forms.TextInput(attrs={"autocomplete": "off"}),
            "accent_color": forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false", "class": "mono"}),
            "theme": forms.RadioSelect,
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, text in self._usual().items():
            self.fields[name].widget.attrs["placeholder"] = text

    def _usual(self) -> dict[str, str]:
        """Return what is said and shown where a field is left blank."""
        blank = Portal(integration=self.instance.integration)
        return {
            "short_description": short_description(blank),
            "connect_label": connect_label(blank.integration),
            "accent_color": blank.accent.lower(),
        }

    def clean_accent_color(self) -> str:
        text = str(self.cleaned_data["accent_color"]).strip().lower()
        color = "#" + text.lstrip("#") if text else ""
        if len(color) == 4:
            color = "#" + "".join(letter * 2 for letter in color[1:])
        if color and not HEX.fullmatch(color):
            raise ValidationError("Write a colour as six digits after #, like #1868db.")
        return color


class OfferOrder:
    """What end users are offered, as the editor's page has it: one row each, moved by `up` and `down`, shown or not.

    Like a field of the form it has a mark: see meanwhile.py. `problem` is what to say where two changed it.
    """

    def __init__(self, portal: Portal, data: QueryDict | None, *, is_draft: bool = False) -> None:
        self.integration, self.problem = portal.integration, ""
        self.stored = self.offers = extension.installed().offers(self.integration)
        self.mark = _mark([(offer.id, not offer.is_hidden) for offer in self.stored])
        if data is not None:
            self._take(data, is_draft=is_draft)

    def _take(self, data: QueryDict, *, is_draft: bool) -> None:
        shown, seen = set(data.getlist("shown")), data.get("initial-order", "")
        is_moved = "up" in data or "down" in data
        is_untouched = not is_moved and seen == _mark([(key, key in shown) for key in data.getlist("order")])
        is_outdated = bool(seen) and seen != self.mark
        if is_outdated and is_untouched:
            return
        self.offers = self._posted(data, shown)
        if is_outdated and self.has_changed and is_draft:
            self.mark = seen
        elif is_outdated and self.has_changed:
            self.problem = changed_to(f"“{_names(self.stored)}”")

    def _posted(self, data: QueryDict, shown: set[str]) -> list[Offer]:
        known = {offer.id: offer for offer in self.stored}
        named = [known.pop(key) for key in data.getlist("order") if key in known]
        rows = [replace(offer, is_hidden=offer.id not in shown) for offer in named] + list(known.values())
        _move(rows, data.get("up", ""), -1)
        _move(rows, data.get("down", ""), 1)
        return rows

    @property
    def has_changed(self) -> bool:
        return self.offers != self.stored

    def save(self) -> None:
        extension.installed().arrange(self.integration, self.offers)


def _mark(rows: Iterable[tuple[str, bool]]) -> str:
    return mark_of("\n".join(f"{key} {is_shown}" for key, is_shown in rows))


def _move(rows: list[Offer], wanted: str, by: int) -> None:
    at = next((index for index, offer in enumerate(rows) if offer.id == wanted), None)
    if at is not None and 0 <= at + by < len(rows):
        rows.insert(at + by, rows.pop(at))


@transaction.atomic
def save(form: PortalForm, order: OfferOrder, actor: Any) -> None:
    """Store what the editor says, and note who changed what."""
    integration = order.integration
    change = audit.change_in(form)
    if order.has_changed:
        change = audit.Change(
            before={**change.before, "Offered": _names(order.stored)},
            after={**change.after, "Offered": _names(order.offers)},
        )
        order.save()
    # Two who save a portal for the first time at once: the second changes what the first has made.
    form.instance.pk = Portal.objects.get_or_create(integration=integration)[0].pk
    form.save()
    if change.after:
        audit.record(integration.project, actor, "portal changed", integration.provider.name, change)


def _names(offers: Iterable[Offer]) -> str:
    return ", ".join(f"{offer.name} (hidden)" if offer.is_hidden else offer.name for offer in offers)


def arranged(described: Mapping[str, Any], offers: Iterable[Offer]) -> dict[str, Any]:
    """Return the SDK's workflowMeta in the order of the editor's page."""
    meta = {key: dict(value) for key, value in described.items()}
    for position, offer in enumerate(offers):
        if offer.id in meta:
            meta[offer.id] |= {"order": position, "hidden": offer.is_hidden}
    return meta
