"""What the response desk can do to incidents and scope versions, refusals included."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.contacts import is_usable_email, normalise_email, normalise_phone
from accounts.models import User
from incidents import scope_versions, uploads
from incidents.encryption import EncryptionError
from incidents.importing import mapping
from incidents.importing.reading import ImportRefusedError
from incidents.importing.refusals import translate_refusal
from incidents.models import (
    AffectedPerson,
    BatchChange,
    ContactChange,
    DataClass,
    ExposureBatch,
    Incident,
    Shredding,
    Upload,
)
from incidents.scope_versions import ScopeRefusedError
from incidents.visibility import objection_to_hiding

SHRED_REQUEST_LIFETIME = timedelta(hours=24)
MAPPING_EXAMPLE = """\
[person]
relation = "member"
reference = "member_id"
name = "name"
email = "email"
phone = "phone"
contact_leaked = ["name", "email", "phone"]
"""


class IncidentForm(forms.ModelForm):
    """An incident's own words."""

    def clean_is_public(self) -> bool:
        """Refuses to hide an incident that has to stay public."""
        is_public: bool = self.cleaned_data["is_public"]
        if self.instance.pk and not is_public and (why := objection_to_hiding(self.instance)):
            raise forms.ValidationError(why)
        return is_public


class ContactChangeForm(forms.ModelForm):
    """Proposes new official contacts."""

    def clean_incident(self) -> Incident:
        """One change at a time, so that whoever confirms it knows what it changes."""
        incident: Incident = self.cleaned_data["incident"]
        if ContactChange.objects.waiting().filter(incident=incident).exists():
            raise forms.ValidationError(_("Another change of these contacts waits already."))
        return incident


def shred_request_of(incident: Incident) -> Shredding | None:
    """What a superuser asked for and another one may still do."""
    since = timezone.now() - SHRED_REQUEST_LIFETIME
    asked = Shredding.objects.filter(incident=incident, done_at=None, asked_at__gte=since)
    return asked.select_related("asked_by").first()


def take_shred_request_back(incident: Incident) -> bool:
    """False if nobody asked, or it is done."""
    asked = Shredding.objects.filter(incident=incident, done_at=None, asked_at__isnull=False)
    return bool(asked.delete()[0])


class ShredForm(forms.Form):
    """Deletes an incident's keysets for good: one superuser asks, another one does it."""

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
        """Refuses any other incident's, one that is shredded already, and the same person twice."""
        if self.incident.shredded_at:
            raise forms.ValidationError(_("The data of this incident is shredded already."))
        slug: str = self.cleaned_data["slug"]
        if slug != self.incident.slug:
            raise forms.ValidationError(_("This is not the slug of this incident."))
        if self.request and self.request.asked_by == self.by:
            raise forms.ValidationError(_("You asked for it; another superuser has to do it."))
        return slug

    def clean(self) -> dict[str, Any]:
        """Nobody who means to ask may do what somebody else has asked for since, or the reverse."""
        if self.data.get("seen", "") != self.seen:
            raise forms.ValidationError(
                _("Somebody asked for it, or took it back, while you read. Read the page again.")
            )
        return super().clean() or {}

    @property
    def seen(self) -> str:
        """Which request the page tells of, or none."""
        return str(self.request.pk) if self.request else ""

    def act(self) -> bool:
        """Shreds what another one asked for, or asks."""
        if self.request:
            self.incident.shred(self.by)
        else:
            asked = {"asked_by": self.by, "asked_at": timezone.now()}
            Shredding.objects.update_or_create(incident=self.incident, defaults=asked)
        return True


class BatchChangeForm(forms.Form):
    """Changes a scope version: at once, or by a worker where counting its people takes long."""

    kind: BatchChange.Kind

    def __init__(self, *args: Any, batch: ExposureBatch, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.batch, self.by = batch, by
        self.takes_long = scope_versions.takes_long(batch.incident)

    def act(self) -> bool:
        """Changes it or asks for it; False, with the reason in the form, if neither is possible."""
        try:
            if self.takes_long:
                reason = self.cleaned_data.get("reason", "")
                scope_versions.request_change(self.batch, self.kind, by=self.by, reason=reason)
            else:
                self.change()
        except ScopeRefusedError as refusal:
            self.add_error(None, translate_refusal(str(refusal)))
            return False
        return True

    def change(self) -> None:
        """Does it here and now. Raises ScopeRefusedError."""
        raise NotImplementedError


class CloseBatchForm(BatchChangeForm):
    """Says that a scope version is complete."""

    kind = BatchChange.Kind.CLOSE

    is_complete = forms.BooleanField(
        label=_("Everything known to have leaked is loaded."),
        help_text=_(
            "Once no scope version is open, whoever is not found is told that they are not among "
            "the leaked data we know. Failed files and rejected rows are not loaded: check them "
            "first."
        ),
    )

    is_without_failed = forms.BooleanField(label=_("It is complete without the files that failed."))

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.missing = scope_versions.missing_files(self.batch)
        if not self.missing:
            del self.fields["is_without_failed"]

    def change(self) -> None:
        """Closes it. Raises ScopeRefusedError."""
        scope_versions.close(self.batch, is_despite_failed=bool(self.missing))


class WithdrawBatchForm(BatchChangeForm):
    """Takes a closed scope version back."""

    kind = BatchChange.Kind.WITHDRAW

    reason = forms.CharField(
        label=_("Reason"),
        help_text=_("Why this scope version was wrong. It is kept with the scope version."),
        widget=forms.Textarea(attrs={"rows": 4, "class": "vLargeTextField"}),
    )

    def change(self) -> None:
        """Withdraws it. Raises ScopeRefusedError."""
        scope_versions.withdraw(self.batch, self.cleaned_data["reason"])


class LookUpForm(forms.Form):
    """Finds the rows of somebody who asks, by the address they give."""

    address = forms.CharField(
        label=_("E-mail address or phone number"),
        help_text=_("As the customer gives it. The look-up is recorded with your name."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "vTextField"}),
    )

    def clean(self) -> dict[str, list[AffectedPerson]]:
        """Finds: {"people": rows of every incident, public or not}."""
        typed = self.cleaned_data.get("address", "")
        email, phone = normalise_email(typed), normalise_phone(typed)
        emails = [email] if is_usable_email(email) else []
        phones = [phone] if phone and not emails else []
        if typed and not (emails or phones):
            self.add_error("address", _("This is neither an e-mail address nor a phone number."))
        incidents = Incident.objects.filter(shredded_at__isnull=True)
        found = AffectedPerson.objects.select_related("incident").order_by("incident", "pk")
        try:
            people = found.with_contact(emails=emails, phones=phones, incidents=incidents)
        except EncryptionError as error:
            self.add_error(None, translate_refusal(str(error)))
            return {"people": []}
        return {"people": list(people)}

    def person_ids(self) -> list[UUID]:
        """The primary keys of those found."""
        return [person.pk for person in self.cleaned_data["people"]]


class UploadForm(forms.ModelForm):
    """Sends a smaller file to be checked; nothing is loaded by it."""

    incident = forms.ModelChoiceField(
        Incident.objects.filter(shredded_at=None), label=_("Incident")
    )
    content = forms.FileField(label=_("File"))

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
        self.fields["mapping"].help_text = _("Which column is which, as TOML: see docs/import.md.")
        self.fields["encoding"].help_text = _("utf-8 or cp949. Left empty, it is detected.")

    def clean(self) -> dict[str, Any]:
        """A browser forgets the file whatever else was wrong."""
        cleaned = super().clean() or {}
        if self.errors and "content" in cleaned:
            self.add_error("content", _("Choose the file again: nothing was kept of it."))
        return cleaned

    def clean_content(self) -> "UploadedFile[bytes]":
        """Refuses what is larger than the page says."""
        content: UploadedFile[bytes] = self.cleaned_data["content"]
        if (content.size or 0) > settings.UPLOAD_MAX_BYTES:
            raise forms.ValidationError(_("This file is too large for an upload."))
        return content

    def clean_mapping(self) -> str:
        """Refuses a mapping that is none, in the words of an import."""
        text: str = self.cleaned_data["mapping"]
        try:
            mapping.parse(text, name="mapping").check_classes(
                set(DataClass.objects.values_list("slug", flat=True))
            )
        except ImportRefusedError as refusal:
            raise forms.ValidationError(translate_refusal(str(refusal))) from None
        return text

    def keep(self, by: User) -> Upload:
        """Seals what was sent. Raises SealingError."""
        data = self.cleaned_data
        return uploads.store_upload(
            data["content"],
            incident=data["incident"],
            by=by,
            mapping=data["mapping"],
            encoding=data["encoding"],
        )


class ImportUploadForm(forms.Form):
    """Has a checked upload imported."""

    def __init__(self, *args: Any, upload: Upload, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.upload = upload

    def act(self) -> bool:
        """False if it is not checked, or another one was quicker."""
        if uploads.want_import(self.upload):
            return True
        self.add_error(None, _("Only a checked file can be imported."))
        return False


class DiscardUploadForm(ImportUploadForm):
    """Deletes what was uploaded, and the rows that were rejected."""

    def act(self) -> bool:
        """False while a worker has it."""
        if uploads.discard(self.upload):
            return True
        self.add_error(None, _("A worker has this file; try again when it is done."))
        return False
