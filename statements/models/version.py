"""The versions of a statement and their sections: immutable once published."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from foundations.localized_fields import LocalizedTextField
from incidents.models import Basis
from statements import markdown
from statements.models.statement import Statement


class StatementVersionQuerySet(models.QuerySet["StatementVersion"]):
    """Querysets of versions by who may read them."""

    def published(self) -> "StatementVersionQuerySet":
        """Returns the published versions of all incidents, public or not."""
        return self.filter(state=StatementVersion.State.PUBLISHED)

    def public(self) -> "StatementVersionQuerySet":
        """Returns the published versions of public incidents: every visitor may read them."""
        shown = self.published().filter(statement__incident__is_public=True)
        return shown.select_related("statement__incident", "statement__advisory")

    def current(self) -> "StatementVersionQuerySet":
        """Returns the newest public version of each statement."""
        return self.public().order_by("statement_id", "-number").distinct("statement_id")


class StatementVersion(models.Model):
    """One version of a statement, in all languages. Immutable once published (a trigger)."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        PUBLISHED = "published", _("published")

    statement = models.ForeignKey(
        Statement, verbose_name=_("statement"), on_delete=models.PROTECT, related_name="versions"
    )
    number = models.PositiveIntegerField(_("version"))
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.DRAFT)
    # A draft may be saved incomplete; publishing checks that it is complete.
    title = LocalizedTextField(_("title"), max_length=200, blank=True)
    change_reason = LocalizedTextField(
        _("why it changed"),
        is_long=True,
        blank=True,
        help_text=_("From the second version on."),
    )
    display_until = models.DateField(
        _("shown at least until"), help_text=_("At least 30 days from publication.")
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("created by"),
        on_delete=models.PROTECT,
        related_name="+",
        editable=False,
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    # All editors and not only the last one. Otherwise an editor could publish after another user
    # has saved the draft.
    editors = models.ManyToManyField(
        settings.AUTH_USER_MODEL, verbose_name=_("edited by"), related_name="+", editable=False
    )
    approved_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("approved by"),
        on_delete=models.PROTECT,
        related_name="+",
        null=True,
        editable=False,
    )
    published_at = models.DateTimeField(_("published"), null=True, editable=False)
    # The claims about each data class at publication:
    # [{"class": slug, "state": ..., "basis": ...}].
    class_states = models.JSONField(default=list, editable=False)
    previous_hash = models.CharField(max_length=64, blank=True, editable=False)
    hash = models.CharField(_("SHA-256"), max_length=64, blank=True, editable=False)

    objects = StatementVersionQuerySet.as_manager()

    class Meta:
        verbose_name = _("statement version")
        verbose_name_plural = _("statement versions")
        ordering = ["statement", "number"]
        permissions = [("publish_statementversion", _("Can publish a statement version"))]
        constraints = [
            models.UniqueConstraint(fields=["statement", "number"], name="version_number_once"),
            models.UniqueConstraint(
                fields=["statement"], condition=Q(state="draft"), name="one_draft_a_statement"
            ),
            models.CheckConstraint(
                condition=Q(state="draft", published_at__isnull=True, hash="")
                | Q(state="published", published_at__isnull=False, approved_by__isnull=False)
                & ~Q(hash=""),
                name="published_is_approved_and_hashed",
            ),
            models.CheckConstraint(
                condition=Q(approved_by__isnull=True) | ~Q(approved_by=F("created_by")),
                name="published_by_a_second_person",
            ),
        ]

    def __str__(self) -> str:
        title = str(self.title) or self.statement.get_kind_display()
        return gettext("{title}, version {number}").format(title=title, number=self.number)

    def get_absolute_url(self) -> str:
        """Returns the permanent address of the version."""
        return reverse(
            "statement_version",
            args=[self.statement.incident.slug, self.statement.slug, self.number],
        )

    def get_record_url(self) -> str:
        """Returns the address of the bytes that the version's SHA-256 is computed from."""
        return reverse(
            "version_record", args=[self.statement.incident.slug, self.statement.slug, self.number]
        )

    @property
    def is_published(self) -> bool:
        """Returns whether the version is published and can no longer change."""
        return self.state == self.State.PUBLISHED


class Section(models.Model):
    """One section of a version, in all languages; its body is Markdown."""

    class Key(models.TextChoices):
        """The subject of a section. Each item that a law requires has a key (see the law files)."""

        APOLOGY = "apology", _("Our apology")
        DATA_ITEMS = "data_items", _("What leaked")
        WHEN_AND_HOW = "when_and_how", _("When and how it happened")
        LIKELY_CONSEQUENCES = "likely_consequences", _("What this can lead to")
        SELF_PROTECTION_STEPS = "self_protection_steps", _("What you can do")
        MEASURES_TAKEN = "measures_taken", _("What we are doing")
        RESPONSE_AND_REMEDY = "response_and_remedy_procedure", _("How we respond and help")
        RIGHTS_AND_REMEDIES = "rights_and_remedies", _("Your rights")
        DEPARTMENT_AND_CONTACT = "department_and_contact", _("Whom to ask")
        NOT_KNOWN_YET = "not_known_yet", _("What we do not know yet")
        BODY = "body", _("Text")

    version = models.ForeignKey(
        StatementVersion,
        verbose_name=_("statement version"),
        on_delete=models.CASCADE,
        related_name="sections",
    )
    key = models.CharField(_("section"), max_length=30, choices=Key.choices)
    position = models.PositiveSmallIntegerField(_("position"))
    basis = models.CharField(
        _("basis"), max_length=13, choices=Basis.choices, default=Basis.COMPANY
    )
    heading = LocalizedTextField(_("heading"), max_length=200, blank=True)
    body = LocalizedTextField(
        _("text"),
        is_long=True,
        blank=True,
        help_text=_(
            "**bold**, “- ” before each item of a list, [words](https://address) for a link"
        ),
    )

    class Meta:
        verbose_name = _("section")
        verbose_name_plural = _("sections")
        ordering = ["version", "position"]
        constraints = [
            models.UniqueConstraint(fields=["version", "position"], name="section_position_once")
        ]

    def __str__(self) -> str:
        return str(self.get_key_display())

    @property
    def label(self) -> str:
        """Returns the section's own heading in the active language, else the label of its key."""
        return str(self.heading) or str(self.Key(self.key).label)

    @property
    def html(self) -> SafeString:
        """Returns the body as HTML for a page, in the active language."""
        return markdown.render(str(self.body))
