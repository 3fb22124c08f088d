"""The desk's forms of texts in the languages of an incident."""

from typing import Any

from django import forms

from foundations.inline_formsets import WordedInlineFormSet
from foundations.localized_fields import show_languages
from statements.models import Statement, StatementVersion


class VersionForm(forms.ModelForm):
    """A draft. It asks for its texts in the languages of its incident."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        show_languages(self, self.instance.statement.incident.languages)


class IncidentTextsFormSet(WordedInlineFormSet):
    """The sections of a version, or the advisory of a statement, in the incident's languages.

    New rows are among them, also the empty one that a script copies.
    """

    def add_fields(self, form: Any, index: int | None) -> None:
        """Adds the keys of the row, and the inputs of its texts."""
        super().add_fields(form, index)
        owner: Statement | StatementVersion = self.instance
        statement = owner if isinstance(owner, Statement) else owner.statement
        show_languages(form, statement.incident.languages)
