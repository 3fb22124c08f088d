"""The forms of the response desk for incidents, scope versions and uploads."""

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts import second_person
from accounts.desk_tasks import link_to
from accounts.models import User
from foundations.formatting import moment
from foundations.inline_formsets import WordedInlineFormSet
from foundations.languages import LocalizedText, portal_codes, translated_name
from foundations.localized_fields import LocalizedTextFormField, show_languages
from incidents import facts, scope_versions, unread, uploads, withdrawal_decisions
from incidents.importing import mapping
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import translate_refusal
from incidents.models import (
    BatchChange,
    DataClass,
    ExposureBatch,
    ExposureFile,
    FactChange,
    Incident,
    IncidentDataClass,
    Shredding,
    Upload,
    WriteOff,
)
from incidents.retention.plans import hold_of
from incidents.scope_versions import ScopeRefusedError
from incidents.unclaimed import held_classes
from incidents.visibility import objection_to_hiding

SHRED_REQUEST_LIFETIME = timedelta(hours=24)
EARLIEST_YEAR = 1990  # of an incident; an earlier one is a slip
MAPPING_EXAMPLE = """\
[person]
relation = "member"
reference = "member_id"
name = "name"
email = "email"
phone = "phone"
contact_leaked = ["name", "email", "phone"]
"""


class FactsForm(forms.ModelForm):
    """Public facts on the desk. `reason` is for the person who confirms a change."""

    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        help_text=_("Why it changes, for the person who confirms it."),
        widget=forms.Textarea(attrs={"rows": 2, "class": "vLargeTextField"}),
    )

    keeps_further_languages = False

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        show_languages(self, portal_codes(), needed=[], keep=self.keeps_further_languages)

    def clean(self) -> dict[str, Any]:
        """Rejects a change beside another one that waits, and texts that may not be published.

        There is one change at a time, so that the person who confirms it sees what it replaces.
        """
        cleaned = super().clean() or {}
        row = self.instance
        if row.pk and (waiting := FactChange.objects.waiting().of(row).first()):
            why = _("Another change waits to be confirmed. Decide it first.")
            raise forms.ValidationError(link_to(waiting, why))
        for name in self.changed_data:
            self._reject_objected_texts(name, cleaned.get(name))
        needed = self.needed_languages(cleaned)
        for name, field in self.fields.items():
            if isinstance(field, LocalizedTextFormField) and field.required and name in cleaned:
                for problem in field.missing(cleaned[name], needed):
                    self.add_error(name, problem)
        return cleaned

    def needed_languages(self, cleaned: dict[str, Any]) -> list[str]:
        """Returns the languages in which a text may not be missing: those of the row's incident.

        The texts of a row that belongs to no incident need the portal's languages.
        """
        incident = cleaned.get("incident")
        return incident.languages if incident else portal_codes()

    def _reject_objected_texts(self, name: str, value: Any) -> None:
        """Adds an error for each changed text of a field that may not be published."""
        if not isinstance(value, LocalizedText):
            return
        before = LocalizedText(self.get_initial_for_field(self.fields[name], name) or {})
        for language, text in value.in_order():
            is_new = text != before.get(language)
            if is_new and (why := facts.text_objection(text, language, self.instance)):
                self.add_error(name, f"{translated_name(language)}: {why}")


class DataClassForm(FactsForm):
    """A data class. Its texts in languages that the portal does not offer ship, and stay."""

    keeps_further_languages = True


class IncidentForm(FactsForm):
    """The texts and dates of an incident, and whether it is public."""

    def needed_languages(self, cleaned: dict[str, Any]) -> list[str]:
        """Returns the languages that the form gives the incident."""
        return cleaned.get("languages") or portal_codes()

    def clean_languages(self) -> list[str]:
        """Rejects an empty list, a language twice, and one that the portal does not have."""
        languages: list[str] = self.cleaned_data["languages"]
        if not languages or len(set(languages)) < len(languages):
            raise forms.ValidationError(_("Name each language once, at least one."))
        return languages

    def clean(self) -> dict[str, Any]:
        """Rejects a language of the others that is none of the incident, and a reversed period."""
        cleaned = super().clean()
        languages, default = cleaned.get("languages"), cleaned.get("default_language")
        if languages and default and default not in languages:
            why = _("This is none of the languages of the incident.")
            self.add_error("default_language", why)
        began, ended = cleaned.get("began_on"), cleaned.get("ended_on")
        if began and ended and ended < began:
            self.add_error("ended_on", _("The access ended before it began."))
        return cleaned

    def clean_aware_at(self) -> datetime:
        """Rejects a time in the future, which moves every clock, and one that is a slip."""
        aware_at: datetime = self.cleaned_data["aware_at"]
        if aware_at > timezone.now():
            raise forms.ValidationError(_("This time is in the future."))
        if aware_at.year < EARLIEST_YEAR:
            raise forms.ValidationError(_("This time is too long ago."))
        return aware_at

    def clean_is_public(self) -> bool:
        """Rejects the hiding of an incident that has to stay public (incidents.visibility)."""
        is_public: bool = self.cleaned_data["is_public"]
        if self.instance.pk and not is_public and (why := objection_to_hiding(self.instance)):
            raise forms.ValidationError(why)
        return is_public


class ClassStateFormSet(WordedInlineFormSet):
    """The claims about an incident's data classes."""

    def clean(self) -> None:
        """Rejects the claim that a class is not involved if the loaded data holds it."""
        super().clean()
        denied = {
            form.cleaned_data["data_class"].pk: form
            for form in self.forms
            if form.cleaned_data.get("state") == IncidentDataClass.State.NOT_INVOLVED
            and not form.cleaned_data.get("DELETE")
        }
        if not (self.instance.pk and denied):
            return
        held = held_classes(self.instance, DataClass.objects.filter(pk__in=denied))
        for data_class in held:
            why = _("The loaded data holds values of this class, so it is involved.")
            denied[data_class.pk].add_error("state", why)


def shred_request_of(incident: Incident) -> Shredding | None:
    """Returns the request that a second superuser may still confirm, or None.

    A request expires after SHRED_REQUEST_LIFETIME.
    """
    since = timezone.now() - SHRED_REQUEST_LIFETIME
    requests = Shredding.objects.filter(incident=incident, done_at=None, asked_at__gte=since)
    return requests.select_related("asked_by").first()


def take_shred_request_back(incident: Incident) -> bool:
    """Deletes the request. Returns False if there is none, or the data is shredded already."""
    requests = Shredding.objects.filter(incident=incident, done_at=None, asked_at__isnull=False)
    return bool(requests.delete()[0])


class ShredIncidentForm(forms.Form):
    """The shredding of an incident's data: one superuser requests it, another one confirms it.

    The shredding deletes the incident's keysets, so it cannot be undone.
    """

    slug = forms.CharField(
        label=_("Slug of the incident"),
        help_text=_("Type it to show that this is the incident you mean."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )

    def __init__(self, *args: Any, incident: Incident, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.incident, self.by = incident, by
        self.request = shred_request_of(incident)

    def clean_slug(self) -> str:
        """Rejects a wrong slug, a shredded incident, and the superuser who made the request."""
        if self.incident.shredded_at:
            raise forms.ValidationError(_("The data of this incident is shredded already."))
        if hold_of(self.incident):
            raise forms.ValidationError(_("A legal hold is in force."))
        slug: str = self.cleaned_data["slug"]
        if slug != self.incident.slug:
            raise forms.ValidationError(_("This is not the slug of this incident."))
        if self.request and self.request.asked_by == self.by:
            raise forms.ValidationError(_("You asked for it; another superuser has to do it."))
        asked_by = self.request.asked_by if self.request else None
        if asked_by and (reason := second_person.objection(self.by, first=[asked_by])):
            raise forms.ValidationError(reason)
        return slug

    def clean(self) -> dict[str, Any]:
        """Rejects a form with a meaning that changed after the user opened the page.

        The user meant to request a shredding, and another superuser has requested it since. Or
        the user meant to confirm a request that was withdrawn.
        """
        if self.data.get("seen", "") != self.seen:
            raise forms.ValidationError(
                _("Somebody asked for it, or took it back, while you read. Read the page again.")
            )
        return super().clean() or {}

    @property
    def seen(self) -> str:
        """Returns the id of the request that the page shows, or "". The form sends it back."""
        return str(self.request.pk) if self.request else ""

    def act(self) -> bool:
        """Shreds the data if there is a request, else makes the request. Returns True."""
        if self.request:
            self.incident.shred(self.by)
        else:
            request = {"asked_by": self.by, "asked_at": timezone.now()}
            Shredding.objects.update_or_create(incident=self.incident, defaults=request)
        return True


class CloseBatchForm(forms.Form):
    """The closing of an open scope version, which declares it complete.

    The form closes it at once, or requests that from a worker if the count of people takes long.
    """

    is_complete = forms.BooleanField(
        label=_("Everything known to have leaked is loaded."),
        help_text=_(
            "Once no scope version is open, people who are not found read that they are not among "
            "the leaked data we know. While rows are unread or entries have no contact, they read "
            "that we cannot say that their data did not leak. Failed files and rejected rows are "
            "not loaded: check them first."
        ),
    )

    def __init__(self, *args: Any, batch: ExposureBatch, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch, self.by = batch, by
        self.takes_long = scope_versions.takes_long(batch.incident)

    def clean(self) -> dict[str, Any]:
        """Rejects a scope version with unread rows that are neither loaded nor written off."""
        if why := scope_versions.why_not_closed(self.batch):
            raise forms.ValidationError(translate_refusal(why))
        return super().clean() or {}

    def act(self) -> bool:
        """Closes the version, or requests it.

        Returns False if that is refused, and adds the reason to the form's errors.
        """
        try:
            if self.takes_long:
                scope_versions.request_change(self.batch, BatchChange.Kind.CLOSE, by=self.by)
            else:
                scope_versions.close(self.batch)
        except ScopeRefusedError as refusal:
            self.add_error(None, translate_refusal(str(refusal)))
            return False
        return True


class WriteOffForm(forms.ModelForm):
    """A proposal to write off the unread rows of one file of an open scope version."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "file" in self.fields:
            open_batches = ExposureBatch.objects.filter(state=ExposureBatch.State.OPEN)
            files = [file for batch in open_batches for file in unread.unread_files(batch)]
            self._rows = {file.pk: file.rows for file in files}
            chosen = ExposureFile.objects.filter(pk__in=self._rows).exclude(
                write_offs__in=WriteOff.objects.filter(withdrawn_at=None)
            )
            self.fields["file"] = forms.ModelChoiceField(chosen, label=_("File"))

    def clean(self) -> dict[str, Any]:
        """Stores the number of rows that the file has now, so that the second person sees it."""
        cleaned = super().clean() or {}
        if file := cleaned.get("file"):
            self.instance.rows = self._rows[file.pk]
        return cleaned


class WithdrawBatchForm(forms.Form):
    """A proposal to withdraw a scope version."""

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Why this scope version was wrong. It is kept with the scope version."),
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
    )
    public_reason = forms.ChoiceField(
        label=_("Reason that customers read"),
        help_text=_(
            "People whose data this version held read on their page what it said before, and this."
        ),
        choices=ExposureBatch.PublicReason.choices,
        widget=forms.RadioSelect,
    )

    def __init__(self, *args: Any, batch: ExposureBatch, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch, self.by = batch, by

    def act(self) -> bool:
        """Records the proposal.

        Returns False if it is refused, and adds the reason to the form's errors.
        """
        try:
            withdrawal_decisions.propose(self.batch, by=self.by, **self.cleaned_data)
        except ScopeRefusedError as refusal:
            why = translate_refusal(str(refusal))
            waiting = self.batch.withdrawals.filter(confirmed_at=None, withdrawn_at=None).first()
            self.add_error(None, link_to(waiting, why) if waiting else why)
            return False
        return True


class _EarlierFileField(forms.ModelChoiceField):
    """A choice among uploads. Each is named with its incident and its time: names repeat."""

    def label_from_instance(self, obj: Upload) -> str:
        """Returns the file, the incident, and when it was uploaded."""
        return f"{obj.name} ({obj.incident}, {moment(obj.created_at)})"


class UploadForm(forms.ModelForm):
    """The upload of a smaller file. A worker checks it; the import is a later step."""

    incident = forms.ModelChoiceField(
        Incident.objects.filter(shredded_at=None), label=_("Incident")
    )
    content = forms.FileField(label=_("File"))
    as_before = _EarlierFileField(
        Upload.objects.filter(state=Upload.State.IMPORTED)
        .exclude(mapping="")
        .select_related("incident")
        .order_by("-created_at"),
        label=_("Columns as in"),
        help_text=_(
            "A file that was imported before, with the same columns: each means the same as there."
        ),
        required=False,
    )

    class Meta:
        model = Upload
        fields = ["incident", "mapping", "encoding"]
        widgets = {
            "mapping": forms.Textarea(
                attrs={"rows": 14, "class": "vLargeTextField", "placeholder": MAPPING_EXAMPLE}
            )
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        most = settings.UPLOAD_MAX_BYTES // 2**20
        self.fields["content"].help_text = _(
            "CSV or JSON Lines, plain, gzip or zstd, at most %(most)s MiB. Larger files are "
            "loaded on the server: manage.py import_exposures."
        ) % {"most": most}
        self.fields["mapping"].help_text = _(
            "Left empty, you choose the columns after the upload, beside the first rows. Or enter "
            "a mapping as TOML: see docs/import.md."
        )
        self.fields["encoding"].help_text = _(
            "Such as cp949 or windows-1252. Left empty, it is detected."
        )

    def clean(self) -> dict[str, Any]:
        """Asks for the file again if another field is wrong: a browser does not send it twice."""
        cleaned = super().clean() or {}
        if cleaned.get("as_before") and cleaned.get("mapping"):
            self.add_error("as_before", _("Choose an earlier file or enter a mapping, not both."))
        if self.errors and "content" in cleaned:
            self.add_error("content", _("Choose the file again: nothing was kept of it."))
        return cleaned

    def clean_content(self) -> "UploadedFile[bytes]":
        """Rejects a file of more than settings.UPLOAD_MAX_BYTES bytes."""
        content: UploadedFile[bytes] = self.cleaned_data["content"]
        if (content.size or 0) > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(_("This file is too large for an upload."))
        return content

    def clean_mapping(self) -> str:
        """Rejects a wrong column mapping, with the message that an import gives."""
        text: str = self.cleaned_data["mapping"]
        if not text.strip():
            return ""
        try:
            mapping.parse(text, name="mapping").check_classes(DataClass.objects.descriptions())
        except ImportRefusedError as refusal:
            raise forms.ValidationError(translate_refusal(str(refusal))) from None
        return text

    def store(self, by: User) -> Upload:
        """Stores the file encrypted. Raises EncryptionError if a keyset cannot be decrypted."""
        data = self.cleaned_data
        before = data["as_before"]
        return uploads.store_upload(
            data["content"],
            incident=data["incident"],
            by=by,
            mapping=before.mapping if before else data["mapping"],
            encoding=data["encoding"],
        )


class UploadStepForm(forms.Form):
    """A step of an upload that a worker does or that ends it."""

    def __init__(self, *args: Any, upload: Upload, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.upload = upload

    def act(self) -> bool:
        """Does the step. Returns False, with an error, if the upload is in another state."""
        raise NotImplementedError


class ImportUploadForm(UploadStepForm):
    """The request to import a checked upload. Each finding of the check has to be accepted."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for code, message in self.upload.findings:
            self.fields[f"accept-{code}"] = forms.BooleanField(
                label=_("Load it all the same."), help_text=translate_refusal(message)
            )
        if self.upload.findings:
            self.fields["reason"] = forms.CharField(
                label=_("Reason"),
                help_text=_("Why the column is right as it is. It is kept with the upload."),
                widget=forms.Textarea(attrs={"rows": 3, "class": "vLargeTextField"}),
            )

    @property
    def seen(self) -> str:
        """Returns which check a second person reads about, or "". The form sends it back."""
        return self.upload.changed_at.isoformat() if self.upload.people_joined else ""

    def clean(self) -> dict[str, Any]:
        """Rejects a form of a second person who read about an earlier check."""
        if self.data.get("seen", "") != self.seen:
            raise forms.ValidationError(
                _("The file was checked again while you read. Read the page again.")
            )
        return super().clean() or {}

    def act(self) -> bool:
        """Requests the import. Returns False if the upload is in another state than checked."""
        if uploads.want_import(self.upload, reason=self.cleaned_data.get("reason", "")):
            return True
        self.add_error(None, _("Only a checked file can be imported."))
        return False


class DiscardUploadForm(UploadStepForm):
    """The deletion of an upload's bytes and of the rows that its import rejected."""

    def act(self) -> bool:
        """Deletes the bytes. Returns False while a worker processes the upload, or under a hold."""
        if uploads.discard(self.upload):
            return True
        if hold_of(self.upload.incident):
            self.add_error(None, _("A legal hold is in force."))
            return False
        self.add_error(None, _("A worker has this file; try again when it is done."))
        return False
