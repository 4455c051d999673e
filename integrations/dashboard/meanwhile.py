"""Forms of settings that several people have open at once: nobody's save takes back what another saved meanwhile.

Each field is sent with a mark of what it held when its page was made. From that the server knows what whoever presses
Save did not touch, which then stays as it is stored by now, and what two people changed, which is asked about once.
"""

import hashlib
from typing import TYPE_CHECKING, Any

from django.forms import BaseForm
from django.utils.functional import cached_property
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.text import Truncator

from integrations.dashboard.rendering import Field

# Only the type checker knows what it is mixed into.
if TYPE_CHECKING:
    Base = BaseForm
else:
    Base = object


def mark_of(text: str) -> str:
    """Return what stands for a text in a page: short however long the text is, and none of it is in it."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def changed_to(now: str) -> str:
    return f"Somebody changed this meanwhile. Now it is {now}. Save again to have it as you typed it."


class MarkedField(Field):
    def __str__(self) -> SafeString:
        return self.as_widget() + self.mark

    __html__ = __str__

    @property
    def mark(self) -> SafeString:
        """The hidden field that goes with the visible one. Expected by whatever page shows the field by hand."""
        if not self.form.is_marked(self.name):  # type: ignore[attr-defined]
            return SafeString("")
        # A draft that is only looked at has told nobody of the dispute yet.
        is_kept = self.form.is_draft and self.is_disputed  # type: ignore[attr-defined]
        value = self._seen if is_kept else mark_of(self._stored)
        return format_html('<input type="hidden" name="{}" value="{}">', self.html_initial_name, value)

    @property
    def data(self) -> Any:
        return self.field.prepare_value(self.initial) if self._is_overtaken else super().data

    @cached_property
    def is_disputed(self) -> bool:
        """Did whoever sent the form change what somebody else changed otherwise after its page was made?"""
        return self._is_outdated and not self._is_untouched and self._typed != self._stored

    @property
    def _is_overtaken(self) -> bool:
        return self._is_outdated and self._is_untouched

    @cached_property
    def _is_outdated(self) -> bool:
        form: Any = self.form
        return form.is_marked(self.name) and form.has_marks and self._seen != mark_of(self._stored)

    @cached_property
    def _is_untouched(self) -> bool:
        """A field without a mark was not on the page, so nobody can have meant to change it."""
        form: Any = self.form
        return not form.is_meant(self.name) and self._seen in ("", mark_of(self._typed))

    @cached_property
    def _seen(self) -> str:
        return str(self.form.data.get(self.html_initial_name, ""))

    @cached_property
    def _typed(self) -> str:
        return self._sent(super().data)

    @cached_property
    def _stored(self) -> str:
        return self._sent(self.form.untouched(self.name))  # type: ignore[attr-defined]

    def _sent(self, value: Any) -> str:
        """Return a value as one text, the same for what is stored and for what a browser sends of it."""
        value = self.field.prepare_value(value)
        if isinstance(value, (list, tuple)):
            value = "\n".join(sorted(map(str, value)))
        return "" if value is None or value is False else str(value).strip().replace("\r\n", "\n")

    def now(self) -> str:
        """Return what is stored, in words."""
        value = self.initial
        if isinstance(value, bool):
            return "on" if value else "off"
        if isinstance(value, (list, tuple)):
            value = ", ".join(map(str, value))
        labels = {str(key): str(label) for key, label in getattr(self.field, "choices", ())}
        text = labels.get(str(value), "" if value is None else str(value))
        return f"“{Truncator(text).chars(500)}”" if text else "blank"


class Meanwhile(Base):
    """Mixed into a form that is filled with what is stored. Sent without any mark, it is taken word for word.

    `write_only` names the fields of which a page gets nothing to compare with.
    """

    bound_field_class = MarkedField
    write_only: tuple[str, ...] = ()
    is_draft = False

    @cached_property
    def has_marks(self) -> bool:
        return self.is_bound and any(self[name].html_initial_name in self.data for name in self.fields)

    def is_marked(self, name: str) -> bool:
        return name not in self.write_only

    def untouched(self, name: str) -> Any:
        """Return what a page that shows what is stored sends of a field that nobody touches."""
        return self[name].initial

    def is_meant(self, name: str) -> bool:
        """Return whether a field counts as changed, even when it is sent as it was."""
        return False

    def marks(self) -> SafeString:
        """Return the marks alone, for a page that asks before it sends the form on."""
        found: Any = [self[name] for name in self.fields]
        return format_html_join("", "{}", ((field.mark,) for field in found))

    def clean(self) -> Any:
        for name in self.fields:
            field: Any = self[name]
            if field.is_disputed and not self.is_draft:
                self.add_error(name, changed_to(field.now()))
        return super().clean()


class MeanwhileModel(Meanwhile):
    """The same for the form of a row, of which only what was changed is written."""

    def save(self, commit: bool = True) -> Any:
        row: Any = self.instance  # type: ignore[attr-defined]
        if not commit or row._state.adding:
            return super().save(commit)  # type: ignore[misc]
        row.save(update_fields=self.changed_data)
        return row
