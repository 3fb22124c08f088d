"""What happened: an incident, what is claimed of it, its keys and their end."""

import hashlib

from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from foundations.languages import in_language
from incidents import encryption
from incidents.models.data_classes import DataClass


class IncidentQuerySet(models.QuerySet["Incident"]):
    """Incidents by who may see them."""

    def public(self) -> "IncidentQuerySet":
        """Those the public pages show, newest first."""
        return self.filter(is_public=True).order_by("-aware_at")


class Incident(models.Model):
    """One breach."""

    # Four bytes, as for files: they stand in every person's and every exposure's row.
    id = models.AutoField(primary_key=True)
    slug = models.SlugField(_("slug"), unique=True, help_text=_("Part of its web addresses."))
    company_ko = models.CharField(_("company (Korean)"), max_length=200)
    company_en = models.CharField(_("company (English)"), max_length=200)
    title_ko = models.CharField(_("title (Korean)"), max_length=200)
    title_en = models.CharField(_("title (English)"), max_length=200)
    summary_ko = models.TextField(
        _("summary (Korean)"), help_text=_("What happened, in ten seconds.")
    )
    summary_en = models.TextField(_("summary (English)"))
    began_on = models.DateField(_("access began"), null=True, blank=True)
    ended_on = models.DateField(_("access ended"), null=True, blank=True)
    aware_at = models.DateTimeField(
        _("became aware"), help_text=_("The legal clocks count from this moment.")
    )
    illegal_access = models.BooleanField(
        _("illegal access from outside"),
        null=True,
        blank=True,
        help_text=_("Some duties depend on it. Leave open what is not known yet."),
    )
    reported_count = models.PositiveBigIntegerField(
        _("accounts reported"), null=True, blank=True, help_text=_("As the company stated it.")
    )
    department_ko = models.CharField(_("department (Korean)"), max_length=200)
    department_en = models.CharField(_("department (English)"), max_length=200)
    contact_phone = models.CharField(_("telephone"), max_length=50, blank=True)
    contact_email = models.EmailField(_("e-mail"), blank=True)
    official_contacts_ko = models.TextField(
        _("official contacts (Korean)"),
        blank=True,
        help_text=_("The addresses and numbers the company really uses, one a line."),
    )
    official_contacts_en = models.TextField(_("official contacts (English)"), blank=True)
    is_public = models.BooleanField(_("public"), default=False)
    # Null: nobody outside has seen it yet. Never taken back.
    first_public_at = models.DateTimeField(_("first public"), null=True, editable=False)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # Wrapped by the master keyset; both null once the incident's data is shredded.
    data_keyset = models.BinaryField(null=True, editable=False)
    index_keyset = models.BinaryField(null=True, editable=False)
    shredded_at = models.DateTimeField(_("shredded"), null=True, editable=False)

    objects = IncidentQuerySet.as_manager()

    class Meta:
        verbose_name = _("incident")
        verbose_name_plural = _("incidents")
        constraints = [
            models.CheckConstraint(
                condition=Q(began_on__isnull=True)
                | Q(ended_on__isnull=True)
                | Q(began_on__lte=F("ended_on")),
                name="incident_began_before_it_ended",
            ),
            models.CheckConstraint(
                condition=Q(
                    shredded_at__isnull=True,
                    data_keyset__isnull=False,
                    index_keyset__isnull=False,
                )
                | Q(
                    shredded_at__isnull=False,
                    data_keyset__isnull=True,
                    index_keyset__isnull=True,
                ),
                name="incident_has_keysets_or_is_shredded",
            ),
        ]

    def __str__(self) -> str:
        return self.title or self.slug

    @property
    def company(self) -> str:
        """In the active language."""
        return in_language(self, "company")

    @property
    def title(self) -> str:
        """In the active language."""
        return in_language(self, "title")

    @property
    def summary(self) -> str:
        """In the active language."""
        return in_language(self, "summary")

    @property
    def department(self) -> str:
        """In the active language."""
        return in_language(self, "department")

    @property
    def official_contacts(self) -> list[str]:
        """In the active language, a line each."""
        return in_language(self, "official_contacts").splitlines()

    @property
    def has_been_public(self) -> bool:
        """Whether people may know its contacts: then two persons change them (ContactChange)."""
        return self.is_public or self.first_public_at is not None

    def make_keysets(self) -> None:
        """Gives a new incident its own keysets. To be called before its first save."""
        self.data_keyset, self.index_keyset = encryption.new_incident_keysets(self.slug)

    def cipher(self) -> encryption.IncidentCipher:
        """Opens and seals this incident's data.

        Raises KeysetShreddedError, and SealingError if the master keyset is not the right one.
        """
        if self.data_keyset is None or self.index_keyset is None:
            raise encryption.keyset_shredded_error(self.slug)
        return encryption.incident_cipher(*self.keysets())

    def keysets(self) -> tuple[int, str, bytes, bytes]:
        """What `sealing.incident_seal` takes, still wrapped; empty once shredded."""
        return self.pk, self.slug, bytes(self.data_keyset or b""), bytes(self.index_keyset or b"")

    def shred(self, by: User | None = None) -> None:
        """Deletes the keysets: the sealed data is gone at once, proofs and counts stand.

        What was deleted, by whom and when stays as a Shredding. Raises KeysetShreddedError the
        second time.
        """
        with transaction.atomic():
            locked = Incident.objects.select_for_update(no_key=True).get(pk=self.pk)
            if locked.data_keyset is None or locked.index_keyset is None:
                raise encryption.keyset_shredded_error(self.slug)
            self.shredded_at = timezone.now()
            Shredding.objects.update_or_create(
                incident=self,
                defaults={
                    "done_by": by,
                    "done_at": self.shredded_at,
                    "data_fingerprint": hashlib.sha256(locked.data_keyset).hexdigest(),
                    "index_fingerprint": hashlib.sha256(locked.index_keyset).hexdigest(),
                },
            )
            self.data_keyset = self.index_keyset = None
            self.save(update_fields=["data_keyset", "index_keyset", "shredded_at"])

    def is_scope_complete(self) -> bool:
        """Whether every batch is loaded and closed: only then may "not affected" be said."""
        return self.batches.all().are_complete()


class Basis(models.TextChoices):
    """How sure a claim is; every page says it in words."""

    CONFIRMED = "confirmed", _("Confirmed")
    COMPANY = "company", _("Reported by the company")
    INVESTIGATION = "investigation", _("Under investigation")
    ALLEGATION = "allegation", _("An allegation, not confirmed")


class Standing(models.TextChoices):
    """How an incident stands to a jurisdiction."""

    APPLIES = "applies", _("applies")
    VOLUNTARY = "voluntary", _("followed voluntarily")


class IncidentJurisdiction(models.Model):
    """A jurisdiction whose law the incident falls under, or that is followed all the same."""

    class Name(models.TextChoices):
        """What each asks is in statements/legal/, whose files name them (a system check)."""

        KOREA = "KR", _("Korea")
        EUROPE = "EU-UK", _("European Union and United Kingdom")
        CALIFORNIA = "US-CA", _("California")
        HEALTH = "US-HIPAA", _("United States: health data (HIPAA)")
        AUSTRALIA = "AU", _("Australia")
        JAPAN = "JP", _("Japan")
        SINGAPORE = "SG", _("Singapore")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="jurisdictions"
    )
    jurisdiction = models.CharField(_("jurisdiction"), max_length=10, choices=Name.choices)
    standing = models.CharField(
        _("standing"), max_length=9, choices=Standing.choices, default=Standing.APPLIES
    )

    class Meta:
        verbose_name = _("jurisdiction of the incident")
        verbose_name_plural = _("jurisdictions of the incident")
        ordering = ["jurisdiction"]
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "jurisdiction"], name="jurisdiction_stated_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_jurisdiction_display()}: {self.get_standing_display()}"


class IncidentDataClass(models.Model):
    """What is claimed of one class in one incident, and on what basis."""

    class State(models.TextChoices):
        INVOLVED = "involved", _("Leaked")
        POSSIBLY = "possibly", _("Possibly leaked")
        NOT_INVOLVED = "not_involved", _("Not involved")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="class_states"
    )
    data_class = models.ForeignKey(
        DataClass, verbose_name=_("data class"), on_delete=models.PROTECT, related_name="+"
    )
    state = models.CharField(_("state"), max_length=12, choices=State.choices)
    basis = models.CharField(_("basis"), max_length=13, choices=Basis.choices)

    class Meta:
        verbose_name = _("data class of the incident")
        verbose_name_plural = _("data classes of the incident")
        ordering = ["data_class__position", "data_class__slug"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "data_class"], name="class_stated_once")
        ]

    def __str__(self) -> str:
        return f"{self.data_class.name}: {self.get_state_display()}"


class Reencryption(models.Model):
    """One change of an incident's data key, and how far it is; see incidents.reencryption."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting until every process knows the new key")
        RUNNING = "running", _("sealing again")
        DONE = "done", _("done: the old keys are gone")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="reencryptions"
    )
    key_id = models.BigIntegerField(_("new key"), help_text="Tink's own number of it.")
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.WAITING)
    # The last person, in the order of their keys, whose rows are under the new key.
    position = models.UUIDField(null=True, editable=False)
    rows = models.PositiveBigIntegerField(_("rows sealed again"), default=0)
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    class Meta:
        verbose_name = _("change of the data key")
        verbose_name_plural = _("changes of the data key")
        constraints = [
            models.UniqueConstraint(
                fields=["incident"], condition=~Q(state="done"), name="one_reencryption_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.state}"


class Shredding(models.Model):
    """Who asked to shred an incident's data, who did it, and what was deleted; then its purging.

    A trigger keeps what was done as it was. See incidents.purging for the rows.
    """

    incident = models.OneToOneField(
        Incident, verbose_name=_("incident"), on_delete=models.PROTECT, related_name="shredding"
    )
    asked_by = models.ForeignKey(
        User, verbose_name=_("asked by"), on_delete=models.PROTECT, null=True, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked"), null=True)
    # Null where somebody at the server did it.
    done_by = models.ForeignKey(
        User, verbose_name=_("shredded by"), on_delete=models.PROTECT, null=True, related_name="+"
    )
    done_at = models.DateTimeField(_("shredded"), null=True)
    # SHA-256 of each keyset as its row held it, wrapped.
    data_fingerprint = models.CharField(_("fingerprint of the data keyset"), max_length=64)
    index_fingerprint = models.CharField(_("fingerprint of the index keyset"), max_length=64)
    # The last person, in the order of their keys, whose rows were looked at.
    position = models.UUIDField(null=True, editable=False)
    people = models.PositiveBigIntegerField(_("people purged"), default=0)
    exposures = models.PositiveBigIntegerField(_("exposures purged"), default=0)
    purged_at = models.DateTimeField(_("purged"), null=True)

    class Meta:
        verbose_name = _("shredding")
        verbose_name_plural = _("shreddings")
        constraints = [
            models.CheckConstraint(
                condition=Q(done_at__isnull=True)
                | Q(data_fingerprint__regex="^[0-9a-f]{64}$")
                & Q(index_fingerprint__regex="^[0-9a-f]{64}$"),
                name="shredding_says_what",
            ),
            models.CheckConstraint(
                condition=Q(done_by__isnull=True) | ~Q(done_by=F("asked_by")),
                name="shredding_takes_two",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident_id}: {self.done_at or self.asked_at}"
