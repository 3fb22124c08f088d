"""The form that says what each column of an upload means, beside the first rows of the file."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from django import forms
from django.db import transaction
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts.models import User
from foundations.languages import with_own_names
from incidents import saved_mappings, uploads
from incidents.importing import column_names, mapping, mapping_writing
from incidents.importing.column_names import CLASS, DATE_OF, REFERENCE
from incidents.importing.mapping_writing import Choices, quoted
from incidents.importing.person_languages import OTHER
from incidents.importing.profile_report import ColumnReport
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import translate_refusal
from incidents.models import DataClass, Upload
from incidents.models.incident import phone_regions
from incidents.upload_profiles import UploadProfile

RELATIONS = [
    ("member", _("members")),
    ("former_member", _("former members")),
    ("recipient", _("recipients of deliveries, known by phone")),
]
_ROLES = [
    (REFERENCE, _("id of the person at the company")),
    (column_names.NAME, _("name")),
    (column_names.FIRST_NAME, _("first name")),
    (column_names.LAST_NAME, _("family name")),
    (column_names.EMAIL, _("e-mail address, to reach the person")),
    (column_names.PHONE, _("phone number, to reach the person")),
    (column_names.EMAIL_PART, _("one of two columns of an e-mail address: before or after the @")),
    (column_names.PHONE_PART, _("one of several columns of a phone number")),
    (column_names.LANGUAGE, _("language of the person")),
    (column_names.DATE, _("a date that customers do not see")),
]
# Masked cells that may be dates, such as 9999-99-99.
_MAY_BE_DATES = re.compile(r"(?=.*9{2})[9/.:T年月日년월일 -]{6,}")


class ColumnsForm(forms.Form):
    """What each column means and what leaked; it becomes the mapping of the upload."""

    relation = forms.ChoiceField(label=_("The rows are about"), choices=RELATIONS)
    is_known = forms.BooleanField(
        label=_("Take only people whom an earlier file named."),
        help_text=_("Right for orders and addresses: a row of an unknown person is rejected."),
        required=False,
    )
    is_by_email = forms.BooleanField(
        label=_("No column holds ids: the e-mail address identifies the person."),
        help_text=_("Later files about these people must then name them by the same address."),
        required=False,
    )
    region = forms.ChoiceField(
        label=_("Region of phone numbers without a country code"),
        help_text=_("A number that is read as one of another region is that of another person."),
        choices=phone_regions,
    )
    leaked = forms.MultipleChoiceField(
        label=_("What leaked of the contact data"),
        help_text=_("Remove what did not leak. The file does not show it."),
        choices=[("name", _("names")), ("email", _("e-mail")), ("phone", _("phone number"))],
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )
    nulls = forms.MultipleChoiceField(
        label=_("Texts that mean “no value”"),
        help_text=_(
            "A cell that holds only such a text counts as blank, in every column. Do not tick a "
            "text that is a value in one of them."
        ),
        widget=forms.CheckboxSelectMultiple,
        required=False,
    )

    name = forms.CharField(
        label=_("Save these columns under a name"),
        help_text=_(
            "For further files with the same columns. Kept are the names of the columns, what they "
            "mean and the texts for “no value”, and no value of a row."
        ),
        max_length=80,
        required=False,
    )
    replaces = forms.BooleanField(label=_("Replace the mapping of this name."), required=False)

    def __init__(self, *args: Any, upload: Upload, profile: UploadProfile, **kwargs: Any) -> None:
        choices = profile.choices
        offered = {quoted(text): text for text in profile.report.placeholders}
        kwargs["initial"] = {
            "relation": choices.relation,
            "is_known": choices.is_known,
            "is_by_email": choices.is_by_email,
            "region": choices.region or upload.incident.phone_region,
            "leaked": list(choices.leaked),
            "nulls": [one for one, text in offered.items() if text in set(choices.nulls)],
        }
        super().__init__(*args, **kwargs)
        self.upload, self.profile, self._offered = upload, profile, offered
        nulls = cast("forms.MultipleChoiceField", self.fields["nulls"])
        nulls.choices = _shown_placeholders(profile.report.placeholders)
        meanings, dates = _meanings(), _dates()
        self.unfit: list[str] = []  # columns whose meaning does not exist for them
        for place, column in enumerate(profile.report.columns):
            self.fields[f"column-{place}"] = forms.ChoiceField(
                label=column.name,
                choices=[*meanings, *dates] if _may_be_dates(column) else meanings,
                initial=choices.roles.get(column.name, ""),
                required=False,
            )
            self._note_unfit(place, column)
            self._add_languages(place, column)

    def _note_unfit(self, place: int, column: ColumnReport) -> None:
        """Notes a column whose meaning is none of the choices, as that of a class that is gone."""
        field = cast("forms.ChoiceField", self.fields[f"column-{place}"])
        if not field.valid_value(field.initial):
            self.unfit.append(column.name)
            field.initial = ""

    def _add_languages(self, place: int, column: ColumnReport) -> None:
        """Adds a field for each language of the column without a text: what its people get."""
        chosen = self.profile.choices.languages
        texts = with_own_names(self.upload.incident.languages)
        for number, (value, cells) in enumerate(column.languages.items()):
            self.fields[f"language-{place}-{number}"] = forms.ChoiceField(
                label=_("%(language)s: %(number)s people. No text in it; they get")
                % {
                    "language": _shown_language(value),
                    "number": f"{cells:,}",
                },
                choices=[("", _("decide")), *texts],
                initial=chosen.get(value, ""),
                required=False,
            )

    def _languages(self, cleaned: dict[str, Any], roles: dict[str, str]) -> dict[str, str]:
        """Returns what people get, by the value of the column of languages.

        Adds an error to each value that is not decided.
        """
        decided = {}
        for place, column in enumerate(self.profile.report.columns):
            if roles[column.name] != column_names.LANGUAGE:
                continue
            for number, value in enumerate(column.languages):
                decided[value] = cleaned[f"language-{place}-{number}"]
                if not decided[value]:
                    why = _("Decide what these people get.")
                    self.add_error(f"language-{place}-{number}", why)
        return decided

    def languages_of(self, place: int) -> list[forms.BoundField]:
        """Returns the fields of the languages without a text in a column."""
        return [self[name] for name in self.fields if name.startswith(f"language-{place}-")]

    def columns(
        self,
    ) -> Iterator[tuple[forms.BoundField, ColumnReport, list[str], list[forms.BoundField]]]:
        """Yields the field of each column, with its profile, its first cells, masked, and the
        fields of its languages without a text.
        """
        for place, (column, cells) in enumerate(self.profile.with_examples()):
            yield self[f"column-{place}"], column, cells, self.languages_of(place)

    def clean(self) -> dict[str, Any]:
        """Adds "choices", and "mapping", their TOML text. Rejects choices that make no mapping."""
        cleaned = super().clean() or {}
        if self.errors:
            return cleaned
        choices = self._choices(cleaned)
        if self.errors:
            return cleaned
        text = mapping_writing.written(choices)
        try:
            mapping.parse(text, name="mapping").check_classes(DataClass.objects.descriptions())
        except ImportRefusedError as refusal:
            raise forms.ValidationError(translate_refusal(str(refusal))) from None
        return cleaned | {"mapping": text, "choices": choices}

    def _choices(self, cleaned: dict[str, Any]) -> Choices:
        columns = self.profile.report.columns
        roles = {column.name: cleaned[f"column-{place}"] for place, column in enumerate(columns)}
        if list(roles.values()).count(REFERENCE) > 1:
            raise forms.ValidationError(_("Only one column can be the number of the person."))
        if list(roles.values()).count(column_names.EMAIL_PART) % 2:
            raise forms.ValidationError(
                _("An e-mail address in parts has two columns: before and after the @.")
            )
        if list(roles.values()).count(column_names.PHONE_PART) == 1:
            raise forms.ValidationError(
                _("A phone number in parts has several columns. Choose each of them.")
            )
        if cleaned["is_by_email"] and REFERENCE in roles.values():
            raise forms.ValidationError(
                _("A column is the id of the person: remove the tick at the e-mail address.")
            )
        self._check_dates(roles)
        guessed = self.profile.choices
        return Choices(
            relation=cleaned["relation"],
            format=guessed.format,
            encoding=guessed.encoding,
            region=cleaned["region"],
            is_known=cleaned["is_known"],
            is_by_email=cleaned["is_by_email"],
            roles=roles,
            languages=self._languages(cleaned, roles),
            leaked=cleaned["leaked"],
            nulls=self._nulls(cleaned["nulls"]),
            date_kinds=guessed.date_kinds,
            is_family_name_first=guessed.is_family_name_first,
        )

    def _check_dates(self, roles: Mapping[str, str]) -> None:
        """Adds an error to a date of data that no column holds, and to a second date of data."""
        dated = set()
        for place, column in enumerate(self.profile.report.columns):
            role = roles[column.name]
            slug = role.removeprefix(DATE_OF)
            if not role.startswith(DATE_OF):
                continue
            if f"{CLASS}{slug}" not in roles.values():
                why = _("No column holds the data whose date this is. Choose its column, too.")
                self.add_error(f"column-{place}", why)
            elif slug in dated:
                why = _("Another column is the date of the same data already.")
                self.add_error(f"column-{place}", why)
            dated.add(slug)

    def _nulls(self, ticked: Iterable[str]) -> list[str]:
        """Returns the texts that are blank; those that the page did not offer stay as they were."""
        others = set(self.profile.choices.nulls) - set(self._offered.values())
        return sorted(others | {self._offered[one] for one in ticked})

    def act(self, by: User) -> bool:
        """Stores the mapping and requests a check; saves the choices if they were given a name.

        Returns False if a worker has the upload, or if another mapping has the name.
        """
        data = self.cleaned_data
        with transaction.atomic():
            if not self._save(by):
                return False
            if uploads.want_check(self.upload, data["mapping"], data["choices"]):
                return True
            transaction.set_rollback(True)
        self.add_error(None, _("A worker has this file; try again when it is done."))
        return False

    def _save(self, by: User) -> bool:
        """Saves the choices under the name, if there is one. Returns False with an error."""
        data = self.cleaned_data
        name, choices = data.get("name", ""), data["choices"]
        if not name or saved_mappings.save(name, choices, by=by, replaces=data["replaces"]):
            return True
        self.add_error(
            "name", _("A mapping of this name exists. Choose another name, or replace it.")
        )
        return False


def _shown_language(value: str) -> str:
    return str(_("other values")) if value == OTHER else value


def _meanings() -> list[Any]:
    """Returns the choices of a column: not used, the person, and each data class that leaked."""
    classes = [(f"{CLASS}{one.slug}", one.name) for one in DataClass.objects.order_by("slug")]
    return [("", _("not used")), (_("The person"), _ROLES), (_("Leaked data"), classes)]


def _dates() -> list[Any]:
    """Returns the further choices of a column with dates: of which leaked data they are."""
    classes = DataClass.objects.order_by("slug")
    named = [
        (f"{DATE_OF}{one.slug}", _("date of: %(data)s") % {"data": one.name}) for one in classes
    ]
    return [(_("Date of leaked data"), named)]


def _may_be_dates(column: ColumnReport) -> bool:
    return any(map(_MAY_BE_DATES.fullmatch, column.examples))


def _shown_placeholders(cells: Mapping[str, int]) -> list[tuple[str, str]]:
    """Returns the choices of the texts that may mean "no value", each with its number of cells.

    The value is the text as TOML, because a browser changes line breaks and control characters.
    """
    return [
        (
            quoted(text),
            ngettext("%(text)s in %(number)s cell", "%(text)s in %(number)s cells", number)
            % {"text": quoted(text), "number": f"{number:,}"},
        )
        for text, number in cells.items()
    ]
