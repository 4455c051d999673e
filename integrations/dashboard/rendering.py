"""How every form is shown: one that comes back refused has the cursor where its first error is, however far down."""

from typing import Any

from django.forms import BaseForm, BoundField
from django.forms.renderers import DjangoTemplates


def first_wrong(form: BaseForm) -> str:
    """Return the name of the first field with an error, "" for none."""
    return next((name for name in form.fields if name in form.errors), "")


class Field(BoundField):
    def build_widget_attrs(self, attrs: Any, widget: Any = None) -> Any:
        attrs = super().build_widget_attrs(attrs, widget)
        # The browser moves there by itself, with scripts or without.
        return attrs | {"autofocus": True} if self.errors and self.name == first_wrong(self.form) else attrs


class Renderer(DjangoTemplates):
    bound_field_class = Field
