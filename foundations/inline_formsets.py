"""The formset of rows on another row's page of the desk, whose messages name fields in words."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    _InlineFormSet = forms.BaseInlineFormSet[Any, Any, Any]
else:
    _InlineFormSet = forms.BaseInlineFormSet  # generic for the type checker only


class WordedInlineFormSet(_InlineFormSet):
    """A formset that tells which field has the same value twice by its label.

    Django's own message shows the field's name in the code, such as `data_class`.
    """

    def get_unique_error_message(self, unique_check: Sequence[str]) -> str:
        """Returns the message about two rows with the same values of these fields."""
        fields: dict[str, Any] = self.empty_form.fields
        owner: str = self.fk.name
        names = [str(fields[name].label) for name in unique_check if name not in ("id", owner)]
        return _("Two rows have the same value: %(fields)s.") % {"fields": ", ".join(names)}
