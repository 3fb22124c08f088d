"""The model field and the form field of texts by language (foundations.languages)."""

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from django import forms
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models.fields.json import KeyTransform
from django.db.models.query_utils import DeferredAttribute
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from foundations.languages import CODE, LocalizedText, own_name, portal_codes, translated_name

Texts = LocalizedText | Mapping[str, str]

# As a JSON path: an entry of the object that is no text in a language.
_NO_TEXT = (
    f'$.keyvalue() ? (!(@.key like_regex "^{CODE.pattern.replace("?:", "")}$") '
    '|| @.value.type() != "string" || @.value == "")'
)


class _TextAttribute(DeferredAttribute):
    """The attribute of the model: whatever mapping is assigned becomes a LocalizedText."""

    def __set__(self, instance: models.Model, value: Any) -> None:
        # A row's value is one already: a page reads a hundred of them.
        is_kept = isinstance(value, LocalizedText) or hasattr(value, "resolve_expression")
        instance.__dict__[self.field.attname] = value if is_kept else LocalizedText(value)


class _ShownTexts(json.JSONEncoder):
    """The texts as read-only pages of the desk show them: each after the name of its language.

    Django's admin shows a JSON field by its encoder. The database gets plain JSON.
    """

    def encode(self, o: Any) -> str:
        if not isinstance(o, LocalizedText):
            return super().encode(o)
        return "\n\n".join(f"{own_name(code)}: {text}" for code, text in o.in_order())


if TYPE_CHECKING:
    _JSONField = models.JSONField[Texts, LocalizedText]
else:
    _JSONField = models.JSONField


class LocalizedTextField(_JSONField):
    """A text by language, stored as a JSON object. The table has a CHECK on its form.

    `max_length` bounds the characters of each text; forms and `full_clean` check it. `is_long`
    gives the form text areas. A field with `blank=False` needs the text in every language that its
    form shows; without a form it needs one language.
    """

    descriptor_class = _TextAttribute

    def __init__(self, *args: Any, is_long: bool = False, **kwargs: Any) -> None:
        super().__init__(*args, **{"default": LocalizedText, **kwargs})
        self.is_long = is_long
        self.encoder = _ShownTexts

    def deconstruct(self) -> Any:
        """Leaves out what the field sets by itself."""
        name, path, args, kwargs = super().deconstruct()
        kwargs.pop("encoder")
        return name, path, args, kwargs | ({"is_long": True} if self.is_long else {})

    def db_check(self, connection: Any) -> str:
        """Returns the CHECK: an object of texts that are not empty, by language code."""
        column = connection.ops.quote_name(self.column)
        return (
            f"jsonb_typeof({column}) = 'object' AND NOT jsonb_path_exists({column}, '{_NO_TEXT}')"
        )

    def from_db_value(self, value: Any, expression: Any, connection: Any) -> Any:
        """Returns a LocalizedText; of a part (`name__en`) the text."""
        decoded = super().from_db_value(value, expression, connection)
        is_part = isinstance(expression, KeyTransform)
        return decoded if is_part or decoded is None else LocalizedText(decoded)

    def to_python(self, value: Any) -> LocalizedText:
        """Returns the texts. Raises ValidationError."""
        try:
            return LocalizedText(value)
        except ValueError:
            raise ValidationError(_("Enter one text for each language.")) from None

    def get_db_prep_value(self, value: Any, connection: Any, prepared: bool = False) -> Any:
        """Returns the texts as JSON, or the SQL of an expression."""
        if isinstance(value, LocalizedText | Mapping):
            texts = LocalizedText(value).by_language()
            return connection.ops.adapt_json_value(texts, json.JSONEncoder)
        return super().get_db_prep_value(value, connection, prepared)

    def value_to_string(self, obj: models.Model) -> Any:
        """Returns the texts by language, for a dump."""
        return self.value_from_object(obj).by_language()

    def validate(self, value: Any, model_instance: models.Model | None) -> None:
        """Raises ValidationError for a text that is too long, and where none may be missing."""
        super(models.JSONField, self).validate(value, model_instance)
        for code, text in value.in_order():
            if self.max_length and len(text) > self.max_length:
                raise ValidationError(_too_long(code, self.max_length))

    def formfield(self, **kwargs: Any) -> Any:
        """Returns a LocalizedTextFormField."""
        own = {"max_length": self.max_length, "is_long": self.is_long}
        shown = {"initial": None, "show_hidden_initial": False}
        form_class = {"form_class": LocalizedTextFormField}
        return super(models.JSONField, self).formfield(**form_class | own | shown | kwargs)


def _too_long(code: str, most: int) -> str:
    text = _("%(language)s: at most %(most)s characters.")
    return text % {"language": translated_name(code), "most": most}


class LocalizedTextInput(forms.MultiWidget):
    """One input for each language, named and identified by its code: `title_ko`, `id_title_ko`."""

    def __init__(self, languages: Iterable[str], *, is_long: bool = False) -> None:
        self.languages = list(languages)
        super().__init__({code: _input(code, is_long=is_long) for code in self.languages})

    def use_required_attribute(self, initial: Any) -> bool:  # noqa: ARG002  # Django's signature
        """Returns False: the languages that are required may depend on another field."""
        return False

    def decompress(self, value: Any) -> list[str]:
        """Returns the text of each input."""
        return [LocalizedText(value).get(code) for code in self.languages]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """Returns the posted texts by language."""
        given = super().value_from_datadict(data, files, name)
        return {code: text or "" for code, text in zip(self.languages, given, strict=True)}

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> SafeString:
        """Returns an input with a label, the language's own name, for each language."""
        texts = value if isinstance(value, dict) else LocalizedText(value).by_language()
        parts = []
        for code, widget in zip(self.languages, self.widgets, strict=True):
            own = {**(attrs or {}), "id": f"{(attrs or {}).get('id') or f'id_{name}'}_{code}"}
            html = widget.render(f"{name}_{code}", texts.get(code, ""), own, renderer)
            parts.append({"code": code, "name": own_name(code), "id": own["id"], "html": html})
        return render_to_string("components/localized_text.html", {"parts": parts})


def _input(code: str, *, is_long: bool) -> forms.Widget:
    # The classes are those of the desk's other text inputs.
    if is_long:
        return forms.Textarea(attrs={"class": "vLargeTextField", "lang": code, "dir": "auto"})
    return forms.TextInput(attrs={"class": "vTextField", "lang": code, "dir": "auto"})


class LocalizedTextFormField(forms.Field):
    """The form's field of a LocalizedText.

    It asks for the portal's languages until `show` names others. A required field needs the text in
    each language of `needed`, which may be empty.
    """

    def __init__(
        self, *, max_length: int | None = None, is_long: bool = False, **kwargs: Any
    ) -> None:
        self.is_long = is_long
        self.needed = portal_codes()
        self._kept = LocalizedText()
        self._one = forms.CharField(required=False, max_length=max_length)
        super().__init__(widget=LocalizedTextInput(self.needed, is_long=is_long), **kwargs)

    def show(
        self, languages: Iterable[str], *, needed: Iterable[str], kept: LocalizedText | None = None
    ) -> None:
        """Asks for the text in these languages, and requires it in `needed`.

        `kept` are texts in other languages, which stay as they are.
        """
        shown = list(dict.fromkeys(languages))
        self.widget = LocalizedTextInput(shown, is_long=self.is_long)
        self.needed = list(needed)
        self._kept = kept or LocalizedText()

    def clean(self, value: Any) -> LocalizedText:
        """Returns the texts. Raises ValidationError; each error names its language."""
        texts, problems = dict[str, str](), list[str]()
        for code, given in value.items():
            try:
                texts[code] = self._one.clean(_with_plain_line_ends(given))
            except ValidationError as error:
                problems += [f"{translated_name(code)}: {why}" for why in error.messages]
        text = self._kept | texts
        if self.required and not problems:
            problems += self.missing(text, self.needed)
        if problems:
            raise ValidationError(problems)
        return text

    def missing(self, text: LocalizedText, languages: Sequence[str]) -> list[str]:
        """Returns an error for each of these languages that has no text."""
        problem = _("%(language)s: this text is missing.")
        return [problem % {"language": translated_name(code)} for code in text.missing(languages)]

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Returns whether a text differs; line ends and outer spaces do not count."""
        return not self.disabled and _compared(initial) != _compared(self._kept | data)


def _compared(value: Any) -> LocalizedText:
    texts = LocalizedText(value).in_order()
    return LocalizedText({code: _with_plain_line_ends(text).strip() for code, text in texts})


def show_languages(
    form: forms.BaseForm,
    languages: Iterable[str],
    *,
    needed: Iterable[str] | None = None,
    keep: bool = False,
) -> None:
    """Makes the form ask for its texts in these languages; required ones in `needed`, or in all.

    An input for a further language is shown where a stored text has one, so that it can be seen and
    removed; with `keep`, such a text stays, without an input.
    """
    asked = list(languages)
    for name, field in form.fields.items():
        if isinstance(field, LocalizedTextFormField):
            stored = LocalizedText(form.get_initial_for_field(field, name) or {})
            required = asked if needed is None else needed
            further = [code for code in stored.languages() if code not in asked]
            shown = asked if keep else [*asked, *further]
            field.show(shown, needed=required, kept=stored.only(further) if keep else None)


def _with_plain_line_ends(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")
