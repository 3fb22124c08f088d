"""Published words in the desk: drafts are edited, a second person publishes, then they stand."""

from functools import cache, partial
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.contrib.admin.options import BaseModelAdmin
from django.core.exceptions import PermissionDenied
from django.db.models import URLField
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.http import require_POST

from accounts.admin_site import desk_path, require, staff_of
from accounts.models import User
from statements import markdown, publishing
from statements.admin import live_lint
from statements.admin.live_lint import DraftFindings, by_section
from statements.forms.publishing import PublishForm, WaiveForm, WithdrawWaiverForm
from statements.legal import review
from statements.models import Advisory, Section, Statement, StatementVersion, TimelineEntry
from statements.public import version_context

LANGUAGES = settings.LANGUAGES
DRAFT, PUBLISH = "statements.add_statementversion", "statements.publish_statementversion"


def is_frozen(obj: Any) -> bool:
    """Whether the statement, or the version, is published: the database refuses changes then."""
    if isinstance(obj, Statement):
        return obj.is_published()
    return isinstance(obj, StatementVersion) and obj.is_published


class Titled:
    """A column for the title, under a heading in the reader's language."""

    @admin.display(description=gettext_lazy("Title"))
    def titled(self, version: StatementVersion) -> str:
        return version.title


class FrozenOncePublished(BaseModelAdmin):
    """Only shown, to everyone, once the object (or an inline's parent) is published."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not is_frozen(obj) and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not is_frozen(obj) and super().has_delete_permission(request, obj)


class AdvisoryInline(FrozenOncePublished, admin.StackedInline):
    model = Advisory
    fields = [
        ("issuer_ko", "issuer_en"),
        ("issued_on", "severity"),
        ("hotline", "original_url"),
    ]
    formfield_overrides = {URLField: {"assume_scheme": "https"}}

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not is_frozen(obj) and super().has_add_permission(request, obj)


class VersionInline(Titled, admin.TabularInline):
    """The versions are edited on their own pages."""

    model = StatementVersion
    fields = ["number", "titled", "state", "published_at", "approved_by"]
    readonly_fields = ["number", "titled", "state", "published_at", "approved_by"]
    show_change_link = True
    can_delete = False
    view_on_site = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Statement)
class StatementAdmin(FrozenOncePublished, admin.ModelAdmin):
    list_display = ["slug", "kind", "incident", "created_at"]
    list_filter = ["kind", "incident"]
    fields = ["incident", "kind", "slug", "editors"]
    readonly_fields = ["editors"]
    actions = None
    view_on_site = False

    def get_inlines(self, request: HttpRequest, obj: Statement | None) -> list[Any]:
        """Only an advisory has an issuer."""
        if obj and obj.kind == Statement.Kind.ADVISORY:
            return [AdvisoryInline, VersionInline]
        return [VersionInline] if obj else []

    def get_urls(self) -> list[Any]:
        draft = desk_path(self, "<int:pk>/draft/", require_POST(self.draft_view), "draft")
        return [draft, *super().get_urls()]

    def save_model(self, request: HttpRequest, obj: Statement, form: Any, change: bool) -> None:
        """Whoever saves this page, or the advisory on it, cannot publish the first version."""
        super().save_model(request, obj, form, change)
        obj.editors.add(staff_of(request))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {**(extra_context or {}), "may_draft": request.user.has_perm(DRAFT)}
        return super().change_view(request, object_id, form_url, context)

    def draft_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Opens the statement's draft, making it from the last version if there is none."""
        require(request, DRAFT)
        draft = publishing.draft_next(get_object_or_404(Statement, pk=pk), by=staff_of(request))
        return redirect("admin:statements_statementversion_change", draft.pk)


class SectionInline(FrozenOncePublished, admin.StackedInline):
    model = Section
    fields = [
        ("key", "position", "basis"),
        ("heading_ko", "heading_en"),
        ("body_ko", "body_en"),
        "found",
    ]
    readonly_fields = ["found"]
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not is_frozen(obj) and super().has_add_permission(request, obj)

    @admin.display(description=gettext_lazy("The check says"))
    def found(self, section: Section) -> SafeString:
        """What is said against this section; the script fills it while somebody writes."""
        return format_html('<div class="findings" data-findings>{}</div>', self._found(section))

    def _found(self, section: Section) -> SafeString:
        if section.pk is None or section.version.is_published:
            return SafeString()
        return self._findings(section.version).of_section(section)

    @cache  # noqa: B019  # Django makes an inline anew for each request
    def _findings(self, version: StatementVersion) -> DraftFindings:
        return live_lint.saved_draft_findings(version)


@admin.register(StatementVersion)
class StatementVersionAdmin(Titled, FrozenOncePublished, admin.ModelAdmin):
    list_display = ["statement", "number", "titled", "state", "published_at"]
    list_display_links = ["statement", "number"]
    list_filter = ["state", "statement__kind", "statement__incident"]
    list_select_related = ["statement__incident"]
    fields = [
        ("statement", "number", "state"),
        ("title_ko", "title_en"),
        "title_found",
        ("change_reason_ko", "change_reason_en"),
        "display_until",
        ("created_by", "editors", "approved_by"),
        ("published_at", "hash"),
    ]
    readonly_fields = [
        *("statement", "number", "state"),
        *("created_by", "editors", "approved_by", "published_at", "hash", "title_found"),
    ]
    inlines = [SectionInline]
    actions = None
    view_on_site = False
    previews_template = "admin/statements/statementversion/previews.html"

    class Media:
        js = ["js/live_lint.js"]

    @admin.display(description=gettext_lazy("The check says"))
    def title_found(self, version: StatementVersion) -> SafeString:
        """What is said against the title."""
        found = "" if version.is_published else live_lint.saved_draft_findings(version).of_title()
        return format_html('<div class="findings" data-findings="title">{}</div>', found)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Drafts are made from a statement, with the next number."""
        return False

    def get_urls(self) -> list[Any]:
        own = partial(desk_path, self)
        return [
            own("<int:pk>/preview/", self.preview, "preview"),
            own("<int:pk>/previews/", self.previews, "previews"),
            own("<int:pk>/live-lint/", require_POST(self.live_lint), "live_lint"),
            own("<int:pk>/publish/", self.publish, "publish"),
            own("<int:pk>/waive/", self.waive, "waive"),
            own("<int:pk>/waivers/<slug:rule>/withdraw/", self.withdraw_waiver, "withdraw_waiver"),
            *super().get_urls(),
        ]

    def save_model(
        self, request: HttpRequest, obj: StatementVersion, form: Any, change: bool
    ) -> None:
        """Whoever saves a draft has a hand in its words, and cannot publish them."""
        super().save_model(request, obj, form, change)
        obj.editors.add(staff_of(request))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = {**(extra_context or {}), "may_draft": request.user.has_perm(DRAFT)}
        draft = self.get_object(request, object_id)
        if draft and not draft.is_published:
            may_publish = request.user.has_perm(PUBLISH)
            had_a_hand = publishing.has_contributed(draft, staff_of(request))
            context["findings"] = live_lint.saved_draft_findings(draft)
            context["may_publish"] = may_publish and not had_a_hand
            context["waits_for_second"] = had_a_hand
        return super().change_view(request, object_id, form_url, context)

    def live_lint(self, request: HttpRequest, pk: int) -> HttpResponse:
        """What the check says of the words in the forms, by section; saves nothing."""
        draft = get_object_or_404(StatementVersion, pk=pk, state=StatementVersion.State.DRAFT)
        if not self.has_change_permission(request, draft):
            raise PermissionDenied
        form = self.get_form(request, draft, change=True)(request.POST, instance=draft)
        [(formset, _inline)] = self.get_formsets_with_inlines(request, draft)
        found = live_lint.edited_draft_findings(form, formset(request.POST, instance=draft))
        summary = render_to_string("admin/statements/statementversion/blocking.html", found)
        return JsonResponse(found | {"summary": summary.strip()})

    def previews(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows what a customer gets, in each language."""
        require(request, "statements.view_statementversion")
        version = get_object_or_404(StatementVersion, pk=pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Preview"),
            "opts": self.opts,
            "version": version,
            "samples": [
                {"language": code, "name": name, **self.samples(version, code)}
                for code, name in LANGUAGES
            ],
        }
        return render(request, self.previews_template, context)

    def samples(self, version: StatementVersion, language: str) -> dict[str, Any]:
        """Returns what the preview shows in one language besides the page itself."""
        return {}

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The version as the customer sees it, in the language asked for."""
        require(request, "statements.view_statementversion")
        version = get_object_or_404(StatementVersion, pk=pk)
        language = request.GET.get("language")
        with override(language if language in dict(LANGUAGES) else settings.LANGUAGE_CODE):
            return render(request, "statements/preview.html", version_context(version))

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows both languages side by side and what is missing; publishes on confirmation."""
        require(request, PUBLISH)
        version = get_object_or_404(StatementVersion, pk=pk, state=StatementVersion.State.DRAFT)
        staff = staff_of(request)
        form = PublishForm(request.POST or None, version=version, by=staff)
        if request.method == "POST" and form.publish():
            self.log_change(request, version, _("Published."))
            messages.success(request, self.published_message(version, by=staff))
            return redirect("admin:statements_statementversion_change", pk)
        found = form.refused or publishing.publishing_findings(version, by=staff)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Publish {version}").format(version=version),
            "opts": self.opts,
            "version": version,
            "form": form,
            "blocking": by_section([finding for finding in found if finding.blocks]),
            "warnings": by_section([finding for finding in found if not finding.blocks]),
            "waivers": [(review.name_of(each.rule), each) for each in version.waivers.all()],
            "may_waive": WaiveForm(version=version, by=staff).rules,
            "languages": LANGUAGES,
            "rows": _side_by_side(version),
        }
        return render(request, "admin/statements/statementversion/publish.html", context)

    def published_message(self, version: StatementVersion, *, by: User) -> SafeString | str:
        """Returns what the desk says after `by` published the version."""
        return _("Published: {version}.").format(version=version)

    def waive(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks an approver why a duty that is not met shall not keep the draft back."""
        require(request, PUBLISH)
        version = get_object_or_404(StatementVersion, pk=pk, state=StatementVersion.State.DRAFT)
        form = WaiveForm(request.POST or None, version=version, by=staff_of(request))
        if request.method == "POST" and form.waive():
            self.log_change(request, version, f"{_('Waived.')} {form.cleaned_data['rule']}")
            return redirect("admin:statements_statementversion_publish", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Waive a duty"),
            "opts": self.opts,
            "version": version,
            "form": form,
        }
        return render(request, "admin/statements/statementversion/waive.html", context)

    def withdraw_waiver(self, request: HttpRequest, pk: int, rule: str) -> HttpResponse:
        """Asks why a draft's waiver does not hold any more."""
        require(request, PUBLISH)
        version = get_object_or_404(StatementVersion, pk=pk, state=StatementVersion.State.DRAFT)
        waiver = get_object_or_404(version.waivers, rule=rule)
        form = WithdrawWaiverForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason, by = form.cleaned_data["reason"], staff_of(request)
            publishing.withdraw_waiver(version, rule=rule, reason=reason, by=by)
            self.log_change(request, version, f"{_('Withdrew a waiver.')} {rule}")
            return redirect("admin:statements_statementversion_publish", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Withdraw a waiver"),
            "explanation": f"{review.name_of(rule)}: {waiver.reason}",
            "button": _("Withdraw"),
            "back": reverse("admin:statements_statementversion_publish", args=[pk]),
            "form": form,
            "opts": self.opts,
        }
        return render(request, "admin/statements/regulators/step.html", context)


@admin.register(TimelineEntry)
class TimelineEntryAdmin(admin.ModelAdmin):
    list_display = ["happened_on", "text_en", "basis", "incident"]
    list_filter = ["incident", "basis"]
    fields = [
        ("incident", "happened_on", "basis"),
        ("text_ko", "text_en"),
        ("source_ko", "source_en"),
    ]


def _side_by_side(version: StatementVersion) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """A row of the publishing page each: label, basis, and the text in each language."""

    def both(instance: Any, name: str) -> list[tuple[str, str]]:
        return [(code, getattr(instance, f"{name}_{code}")) for code, _name in LANGUAGES]

    rows = [(_("Title"), "", both(version, "title"))]
    if version.number > 1:
        rows.append((_("Why it changed"), "", both(version, "change_reason")))
    for section in version.sections.all():
        texts = [(code, markdown.render(text)) for code, text in both(section, "body")]
        rows.append((section.heading, section.get_basis_display(), [*texts]))
    return rows
