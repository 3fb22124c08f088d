"""What happened, to whom.

One incident of the model case has 33.7 million affected people and some 150 million exposures, so:
the keys of people come from the data (a PRF of the source's own id), rows carry no more than they
must, and whatever a page shows is found by an index or kept as a count.
"""

import hashlib
import uuid
from collections.abc import Iterable, Sequence

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models, transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from breachportal.languages import in_language
from incidents import sealing


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
        self.data_keyset, self.index_keyset = sealing.new_incident_keysets(self.slug)

    def seal(self) -> sealing.IncidentSeal:
        """Opens and seals this incident's data.

        Raises KeysetShreddedError, and SealingError if the master keyset is not the right one.
        """
        if self.data_keyset is None or self.index_keyset is None:
            raise sealing.KeysetShreddedError(f"the data of incident {self.slug} is shredded")
        return sealing.incident_seal(*self.keysets())

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
                raise sealing.KeysetShreddedError(f"the data of incident {self.slug} is shredded")
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
        states = {batch.state for batch in self.batches.all()}
        return ExposureBatch.State.CLOSED in states and ExposureBatch.State.OPEN not in states


class ContactChangeQuerySet(models.QuerySet["ContactChange"]):
    """Changes of contacts by where they stand."""

    def waiting(self) -> "ContactChangeQuerySet":
        """Neither confirmed nor withdrawn."""
        return self.filter(confirmed_at__isnull=True, withdrawn_at__isnull=True)


class ContactChange(models.Model):
    """New official contacts of an incident that is public: proposed by one, confirmed by another.

    Customers tell real calls from scams by them, so nobody alone can send a nation to another
    number. The rows are the record of every change, with what stood there before.
    """

    FIELDS = ("contact_phone", "contact_email", "official_contacts_ko", "official_contacts_en")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="+"
    )
    contact_phone = models.CharField(_("telephone"), max_length=50, blank=True)
    contact_email = models.EmailField(_("e-mail"), blank=True)
    official_contacts_ko = models.TextField(_("official contacts (Korean)"), blank=True)
    official_contacts_en = models.TextField(_("official contacts (English)"), blank=True)
    reason = models.TextField(_("reason"), help_text=_("Why they change, for who confirms it."))
    # {field: text}, as it was when the change was confirmed.
    before = models.JSONField(default=dict, editable=False)
    proposed_by = models.ForeignKey(
        User, verbose_name=_("proposed by"), on_delete=models.PROTECT, related_name="+"
    )
    proposed_at = models.DateTimeField(_("proposed"), auto_now_add=True)
    confirmed_by = models.ForeignKey(
        User, verbose_name=_("confirmed by"), on_delete=models.PROTECT, related_name="+", null=True
    )
    confirmed_at = models.DateTimeField(_("confirmed"), null=True)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True)

    objects = ContactChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of contacts")
        verbose_name_plural = _("changes of contacts")
        ordering = ["-proposed_at"]
        permissions = [("confirm_contactchange", _("Can confirm changes of contacts"))]
        constraints = [
            models.CheckConstraint(
                condition=Q(confirmed_by__isnull=True, confirmed_at__isnull=True)
                | Q(confirmed_at__isnull=False) & ~Q(confirmed_by=F("proposed_by")),
                name="contacts_confirmed_by_a_second_person",
            ),
            models.UniqueConstraint(
                fields=["incident"],
                condition=Q(confirmed_at__isnull=True, withdrawn_at__isnull=True),
                name="one_waiting_change_of_contacts",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.incident} {self.proposed_at:%Y-%m-%d}"

    def confirm(self, by: User) -> bool:
        """Puts the contacts in force; False if it waits no more, or `by` proposed it."""
        with transaction.atomic():
            rows = ContactChange.objects.waiting().select_for_update(of=("self",))
            change = rows.select_related("incident").exclude(proposed_by=by).filter(pk=self.pk)
            if (found := change.first()) is None:
                return False
            # An import refers to the incident until it is loaded.
            incident = Incident.objects.select_for_update(no_key=True).get(pk=found.incident_id)
            found.before = {name: getattr(incident, name) for name in self.FIELDS}
            for name in self.FIELDS:
                setattr(incident, name, getattr(found, name))
            incident.save(update_fields=self.FIELDS)
            found.confirmed_by, found.confirmed_at = by, timezone.now()
            found.save(update_fields=["before", "confirmed_by", "confirmed_at"])
        return True

    def withdraw(self) -> bool:
        """Takes the proposal back; False if it waits no more."""
        waiting = ContactChange.objects.waiting().filter(pk=self.pk)
        return bool(waiting.update(withdrawn_at=timezone.now()))


class DataClass(models.Model):
    """A kind of data: how it is named, masked, and what to do when it leaks."""

    class Sensitivity(models.IntegerChoices):
        LOW = 1, _("low")
        MEDIUM = 2, _("medium")
        HIGH = 3, _("high")

    class Masking(models.TextChoices):
        NAME = "name", _("name: first and last character stay")
        EMAIL = "email", _("e-mail: first character and ending stay")
        PHONE = "phone", _("phone: prefix and last four digits stay")
        ADDRESS = "address", _("address: city and district stay")
        SECRET = "secret", _("secret: nothing stays")
        TEXT = "text", _("text: first characters stay")

    # Small, so that an exposure's list of classes stays small.
    id = models.SmallAutoField(primary_key=True)
    slug = models.SlugField(_("slug"), unique=True)
    hibp_name = models.CharField(
        _("Have I Been Pwned name"),
        max_length=100,
        blank=True,
        help_text=_("Two classes may share one: theirs are coarser."),
    )
    name_ko = models.CharField(_("name (Korean)"), max_length=100)
    name_en = models.CharField(_("name (English)"), max_length=100)
    # "2 addresses and 1 entrance code leaked"
    unit_ko = models.CharField(
        _("counted as (Korean)"), max_length=50, help_text=_("The counter only, such as 개 or 건.")
    )
    unit_en = models.CharField(_("counted as (English, one)"), max_length=50)
    units_en = models.CharField(_("counted as (English, several)"), max_length=50)
    is_one_each = models.BooleanField(
        _("one a person"),
        default=False,
        help_text=_('One of it is told without its number: "your name", not "1 name".'),
    )
    sensitivity = models.SmallIntegerField(_("sensitivity"), choices=Sensitivity.choices)
    masking = models.CharField(_("masking"), max_length=10, choices=Masking.choices)
    actions_ko = models.TextField(
        _("what to do (Korean)"), blank=True, help_text=_("One step a line.")
    )
    actions_en = models.TextField(
        _("what to do (English)"), blank=True, help_text=_("One step a line.")
    )
    position = models.PositiveSmallIntegerField(_("position"), default=100)

    class Meta:
        verbose_name = _("data class")
        verbose_name_plural = _("data classes")
        ordering = ["position", "slug"]

    def __str__(self) -> str:
        return self.name or self.slug

    @property
    def name(self) -> str:
        """In the active language."""
        return in_language(self, "name")

    @property
    def actions(self) -> list[str]:
        """In the active language, a step each."""
        return in_language(self, "actions").splitlines()


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
        """What each asks is in notices/legal/, whose files name them (a system check)."""

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


class ExposureBatch(models.Model):
    """A scope version: one or more files that together say whose data leaked, as then known."""

    class State(models.TextChoices):
        OPEN = "open", _("open: files may be loaded")
        CLOSED = "closed", _("closed: complete")
        WITHDRAWN = "withdrawn", _("withdrawn")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="batches"
    )
    number = models.PositiveIntegerField(_("scope version"))
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.OPEN)
    note = models.TextField(_("note"), blank=True)
    opened_at = models.DateTimeField(_("opened"), auto_now_add=True)
    closed_at = models.DateTimeField(_("closed"), null=True, editable=False)
    # When its people were counted; see incidents.counting.
    counted_at = models.DateTimeField(_("counted"), null=True, editable=False)
    withdrawn_at = models.DateTimeField(_("withdrawn"), null=True, editable=False)
    withdrawn_reason = models.TextField(_("reason for the withdrawal"), blank=True)

    class Meta:
        verbose_name = _("exposure batch")
        verbose_name_plural = _("exposure batches")
        ordering = ["incident", "number"]
        constraints = [
            models.UniqueConstraint(fields=["incident", "number"], name="scope_version_once"),
            models.UniqueConstraint(
                fields=["incident"], condition=Q(state="open"), name="one_open_batch"
            ),
        ]

    def __str__(self) -> str:
        words = _("{incident}, scope version {number}")
        return words.format(incident=self.incident, number=self.number)

    @property
    def code(self) -> str:
        """As commands name it."""
        return f"{self.incident.slug} v{self.number}"

    def withdraw(self, reason: str) -> bool:
        """Takes a closed batch back: its exposures stand no longer. False if it is not closed.

        The people who remain are counted by incidents.counting.withdraw.
        """
        closed = ExposureBatch.objects.filter(pk=self.pk, state=self.State.CLOSED)
        return bool(
            closed.update(
                state=self.State.WITHDRAWN, withdrawn_at=timezone.now(), withdrawn_reason=reason
            )
        )


class BatchChangeQuerySet(models.QuerySet["BatchChange"]):
    """Changes of scope versions by where they stand."""

    def unfinished(self) -> "BatchChangeQuerySet":
        """Those a worker has, or will have."""
        return self.filter(state__in=BatchChange.UNFINISHED)


class BatchChange(models.Model):
    """The closing or withdrawal of a scope version, asked for on the desk and done by a worker.

    It counts every affected person, for a nation minutes; see incidents.batch_changes.
    """

    class Kind(models.TextChoices):
        CLOSE = "close", _("closing")
        WITHDRAW = "withdraw", _("withdrawal")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting for a worker")
        RUNNING = "running", _("under way: people are being counted")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    UNFINISHED = (State.WAITING, State.RUNNING)

    batch = models.ForeignKey(
        ExposureBatch,
        verbose_name=_("exposure batch"),
        on_delete=models.CASCADE,
        related_name="changes",
    )
    kind = models.CharField(_("change"), max_length=8, choices=Kind.choices)
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.WAITING)
    reason = models.TextField(_("reason for the withdrawal"), blank=True)
    # One line that names files and versions, never anybody.
    refusal = models.TextField(_("why it failed"), blank=True)
    asked_by = models.ForeignKey(
        User, verbose_name=_("asked by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    asked_at = models.DateTimeField(_("asked"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    objects = BatchChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change of a scope version")
        verbose_name_plural = _("changes of scope versions")
        constraints = [
            models.UniqueConstraint(
                fields=["batch"],
                condition=Q(state__in=["waiting", "running"]),
                name="one_change_of_a_batch_at_a_time",
            )
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}: {self.kind} {self.state}"

    @property
    def is_moving(self) -> bool:
        """Whether a worker has it, or will."""
        return self.state in self.UNFINISHED


class ExposureFile(models.Model):
    """One imported file of a batch, and what became of its rows."""

    class State(models.TextChoices):
        LOADING = "loading", _("loading")
        LOADED = "loaded", _("loaded")
        FAILED = "failed", _("failed")

    id = models.AutoField(primary_key=True)
    batch = models.ForeignKey(
        ExposureBatch,
        verbose_name=_("exposure batch"),
        on_delete=models.CASCADE,
        related_name="files",
    )
    # Denormalised for the constraint: a file is loaded once an incident, whatever the batch.
    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="+"
    )
    name = models.CharField(_("file"), max_length=255)
    sha256 = models.CharField("SHA-256", max_length=64)
    size = models.PositiveBigIntegerField(_("bytes"))
    encoding = models.CharField(_("encoding"), max_length=20)
    mapping = models.TextField(_("mapping"), help_text=_("As it was used."))
    state = models.CharField(_("state"), max_length=7, choices=State.choices, default=State.LOADING)
    rows_read = models.PositiveBigIntegerField(_("rows read"), default=0)
    rows_taken = models.PositiveBigIntegerField(_("rows taken"), default=0)
    rows_rejected = models.PositiveBigIntegerField(_("rows rejected"), default=0)
    started_at = models.DateTimeField(_("started"), auto_now_add=True)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    class Meta:
        verbose_name = _("imported file")
        verbose_name_plural = _("imported files")
        constraints = [
            models.CheckConstraint(
                condition=~Q(state="loaded")
                | Q(rows_read=F("rows_taken") + F("rows_rejected"), finished_at__isnull=False),
                name="every_row_taken_or_rejected",
            ),
            models.UniqueConstraint(
                fields=["incident", "sha256"], condition=~Q(state="failed"), name="file_loaded_once"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class AffectedPersonQuerySet(models.QuerySet["AffectedPerson"]):
    """Affected people by who asks."""

    def for_user(
        self, user: User, incidents: Iterable[Incident] | None = None
    ) -> "AffectedPersonQuerySet":
        """The rows that carry one of the user's verified e-mails or phones, in public incidents.

        Computed at each visit, so that a batch loaded later shows by itself. Raises SealingError
        if the keyset of one of them does not open; `incidents` names those that do.
        """
        if incidents is None:
            incidents = Incident.objects.public().filter(shredded_at__isnull=True)
        return self.with_contact(
            emails=user.verified_emails(), phones=user.verified_phones(), incidents=incidents
        )

    def with_contact(
        self, *, emails: Sequence[str], phones: Sequence[str], incidents: Iterable[Incident]
    ) -> "AffectedPersonQuerySet":
        """The rows of `incidents` that carry one of the addresses (normalised) or numbers (E.164).

        Raises SealingError.
        """
        match = Q(pk__in=[])
        for incident in incidents:
            seal = incident.seal()
            match |= Q(
                incident=incident, email_index__in=[seal.email_index(email) for email in emails]
            )
            match |= Q(
                incident=incident, phone_index__in=[seal.phone_index(phone) for phone in phones]
            )
        return self.filter(match).select_related("incident").order_by("-incident__aware_at", "pk")


class AffectedPerson(models.Model):
    """Somebody whose data is in the exposed set. Need not have an account here.

    The primary key is a PRF of the source's own reference under the incident's index keyset: the
    same person in another file or a second attempt is the same row, without a look-up.
    """

    class Relation(models.IntegerChoices):
        MEMBER = 1, _("member")
        FORMER_MEMBER = 2, _("former member")
        RECIPIENT = 3, _("recipient")

    class Reach(models.IntegerChoices):
        """Whether a message could be sent there."""

        USABLE = 1, _("usable")
        MISSING = 2, _("missing")
        UNUSABLE = 3, _("cannot be one")

    id = models.UUIDField(primary_key=True, editable=False)
    incident = models.ForeignKey(
        Incident,
        verbose_name=_("incident"),
        on_delete=models.CASCADE,
        related_name="people",
        db_index=False,
    )
    relation = models.SmallIntegerField(_("relation"), choices=Relation.choices)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    email_reach = models.SmallIntegerField(_("e-mail"), choices=Reach.choices)
    phone_reach = models.SmallIntegerField(_("phone"), choices=Reach.choices)
    email_index = models.UUIDField(null=True, editable=False)
    phone_index = models.UUIDField(null=True, editable=False)
    # {"n": name, "e": e-mail, "p": phone}, each only where there is one.
    contact = models.BinaryField(editable=False)

    objects = AffectedPersonQuerySet.as_manager()

    class Meta:
        verbose_name = _("affected person")
        verbose_name_plural = _("affected people")
        indexes = [
            # AffectedPerson.objects.for_user
            models.Index(
                fields=["email_index"],
                condition=Q(email_index__isnull=False),
                name="person_by_email",
            ),
            models.Index(
                fields=["phone_index"],
                condition=Q(phone_index__isnull=False),
                name="person_by_phone",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(email_reach=1, email_index__isnull=False)
                | Q(email_reach__gt=1, email_index__isnull=True),
                name="usable_email_has_index",
            ),
            models.CheckConstraint(
                condition=Q(phone_reach=1, phone_index__isnull=False)
                | Q(phone_reach__gt=1, phone_index__isnull=True),
                name="usable_phone_has_index",
            ),
        ]

    def __str__(self) -> str:
        return str(self.pk)

    def open_contact(self) -> dict[str, str]:
        """{"n": name, "e": e-mail, "p": phone}, each only where there is one.

        Raises SealingError.
        """
        opened: dict[str, str] = self.incident.seal().open(
            self.contact, person=self.pk, purpose=sealing.CONTACT
        )
        return opened


class ExposureQuerySet(models.QuerySet["Exposure"]):
    """Exposures that still stand."""

    def standing(self) -> "ExposureQuerySet":
        """Without those of withdrawn batches."""
        return self.exclude(file__batch__state=ExposureBatch.State.WITHDRAWN)


class Exposure(models.Model):
    """What one row of one file says leaked of one person.

    `sealed` is a list of [data class id, value] or [data class id, value, ISO date]; a class that
    is in `data_classes` but not in the list leaked as the person's `contact` holds it (name,
    e-mail, phone), and is not stored twice.
    """

    pk = models.CompositePrimaryKey("person_id", "file_id", "line")
    person = models.ForeignKey(
        AffectedPerson,
        verbose_name=_("affected person"),
        on_delete=models.CASCADE,
        related_name="exposures",
        db_index=False,
    )
    file = models.ForeignKey(
        ExposureFile,
        verbose_name=_("imported file"),
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    line = models.PositiveIntegerField(
        help_text="The row's first physical line; the header is line 1."
    )
    data_classes = ArrayField(models.SmallIntegerField(), help_text="DataClass ids, ascending.")
    sealed = models.BinaryField(null=True, editable=False)

    objects = ExposureQuerySet.as_manager()

    class Meta:
        verbose_name = _("exposure")
        verbose_name_plural = _("exposures")

    def __str__(self) -> str:
        return f"{self.person_id} {self.file_id}:{self.line}"


class ScopeCount(models.Model):
    """How many people, kept so that nobody counts a nation for a page; see incidents.counting."""

    incident = models.ForeignKey(
        Incident,
        verbose_name=_("incident"),
        on_delete=models.CASCADE,
        related_name="scope_counts",
        db_index=False,
    )
    # Null: over all closed scope versions of the incident, each person once.
    batch = models.ForeignKey(
        ExposureBatch,
        verbose_name=_("exposure batch"),
        on_delete=models.CASCADE,
        null=True,
        related_name="+",
    )
    relation = models.SmallIntegerField(_("relation"), choices=AffectedPerson.Relation.choices)
    language = models.CharField(_("language"), max_length=2, choices=settings.LANGUAGES)
    # Null: everybody, whatever leaked of them.
    data_class = models.ForeignKey(
        DataClass,
        verbose_name=_("data class"),
        on_delete=models.PROTECT,
        null=True,
        related_name="+",
        db_index=False,
    )
    people = models.PositiveBigIntegerField(_("people"))

    class Meta:
        verbose_name = _("count of people")
        verbose_name_plural = _("counts of people")
        constraints = [
            models.UniqueConstraint(
                fields=["incident", "batch", "relation", "language", "data_class"],
                nulls_distinct=False,
                name="people_counted_once",
            )
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.batch_id}: {self.people}"


class Reveal(models.Model):
    """A record that somebody saw unmasked values: who, whose, when."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        User, verbose_name=_("user"), on_delete=models.SET_NULL, null=True, related_name="reveals"
    )
    person = models.ForeignKey(
        AffectedPerson,
        verbose_name=_("affected person"),
        on_delete=models.CASCADE,
        related_name="reveals",
    )
    at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("reveal")
        verbose_name_plural = _("reveals")

    def __str__(self) -> str:
        return f"{self.person_id} {self.at:%Y-%m-%d %H:%M}"


class Reseal(models.Model):
    """One change of an incident's data key, and how far it is; see incidents.resealing."""

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting until every process knows the new key")
        RUNNING = "running", _("sealing again")
        DONE = "done", _("done: the old keys are gone")

    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="reseals"
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
                fields=["incident"], condition=~Q(state="done"), name="one_reseal_at_a_time"
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


class Upload(models.Model):
    """A smaller file sent through the desk, and what a worker makes of it; see incidents.uploads.

    Its bytes stand sealed in pieces, so that no disk of a web server holds them and a worker may
    run on another machine.
    """

    class State(models.TextChoices):
        TO_CHECK = "to_check", _("waiting to be checked")
        CHECKING = "checking", _("being checked")
        CHECKED = "checked", _("checked: nothing is loaded yet")
        TO_IMPORT = "to_import", _("waiting to be imported")
        IMPORTING = "importing", _("being imported")
        IMPORTED = "imported", _("imported")
        REFUSED = "refused", _("refused")
        DISCARDED = "discarded", _("thrown away")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    incident = models.ForeignKey(
        Incident, verbose_name=_("incident"), on_delete=models.CASCADE, related_name="uploads"
    )
    by = models.ForeignKey(
        User, verbose_name=_("uploaded by"), on_delete=models.SET_NULL, null=True, related_name="+"
    )
    name = models.CharField(_("file"), max_length=255)
    size = models.PositiveBigIntegerField(_("bytes"))
    sha256 = models.CharField("SHA-256", max_length=64)
    mapping = models.TextField(_("mapping"))
    encoding = models.CharField(_("encoding"), max_length=20, blank=True)
    state = models.CharField(
        _("state"), max_length=9, choices=State.choices, default=State.TO_CHECK
    )
    # One line of importing's; it names lines and columns, never a cell's value.
    refusal = models.TextField(_("why it was refused"), blank=True)
    rows_read = models.PositiveBigIntegerField(_("rows read"), default=0)
    rows_taken = models.PositiveBigIntegerField(_("rows taken"), default=0)
    rows_rejected = models.PositiveBigIntegerField(_("rows rejected"), default=0)
    first_rejects = models.JSONField(
        _("first rejects"), default=list, help_text="[line, reason], as the check found them."
    )
    file = models.ForeignKey(
        ExposureFile,
        verbose_name=_("imported file"),
        on_delete=models.SET_NULL,
        null=True,
        related_name="+",
    )
    created_at = models.DateTimeField(_("uploaded"), auto_now_add=True)
    changed_at = models.DateTimeField(_("changed"), auto_now=True)

    class Meta:
        verbose_name = _("uploaded file")
        verbose_name_plural = _("uploaded files")
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["state", "changed_at"], name="upload_by_state")]

    def __str__(self) -> str:
        return self.name

    @property
    def is_moving(self) -> bool:
        """Whether a worker has it, or will."""
        state = self.State
        return self.state in (state.TO_CHECK, state.CHECKING, state.TO_IMPORT, state.IMPORTING)


class UploadPiece(models.Model):
    """Some of an upload's bytes, or of the rows an import of it rejected, sealed."""

    class Kind(models.TextChoices):
        CONTENT = "content"
        REJECTS = "rejects"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    upload = models.ForeignKey(Upload, on_delete=models.CASCADE, related_name="pieces")
    kind = models.CharField(max_length=7, choices=Kind.choices)
    number = models.PositiveIntegerField()
    sealed = models.BinaryField()

    class Meta:
        verbose_name = _("piece of an uploaded file")
        verbose_name_plural = _("pieces of uploaded files")
        constraints = [
            models.UniqueConstraint(fields=["upload", "kind", "number"], name="upload_piece_once")
        ]

    def __str__(self) -> str:
        return f"{self.upload_id} {self.kind} {self.number}"
