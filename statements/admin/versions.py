"""The desk's pages of a statement version: edit, preview, publish, and waive what blocks it.

A second person publishes. After that the page is read-only.
"""

from functools import cache, partial
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
)
from django.shortcuts import get_object_or_404, redirect, render
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override
from django.views.decorators.http import require_POST

from accounts.admin_site import desk_path, person_column, require, staff_of
from accounts.desk_tasks import TaskOverError
from accounts.models import User
from foundations.languages import LocalizedText, with_own_names
from statements import markdown, publishing
from statements.admin import live_lint
from statements.admin.frozen import FrozenOncePublished, is_frozen
from statements.admin.live_lint import DraftFindings, findings_by_section
from statements.forms.publishing import PublishForm, WaiveForm, WithdrawWaiverForm
from statements.forms.texts import IncidentTextsFormSet, VersionForm
from statements.legal import review
from statements.models import Section, StatementVersion
from statements.public.contexts import version_context

DRAFT, PUBLISH = "statements.add_statementversion", "statements.publish_statementversion"
CHANGE = "statements.change_statementversion"


class TitleColumn:
    """A column with the title in the active language."""

    @admin.display(description=gettext_lazy("Title"))
    def titled(self, version: StatementVersion) -> str:
        return str(version.title)


class SectionInline(FrozenOncePublished, admin.StackedInline):
    model = Section
    formset = IncidentTextsFormSet
    fields = [
        ("key", "position", "basis"),
        "heading",
        "body",
        "found",
    ]
    readonly_fields = ["found"]
    extra = 0

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return not is_frozen(obj) and super().has_add_permission(request, obj)

    @admin.display(description=gettext_lazy("The check says"))
    def found(self, section: Section) -> SafeString:
        """Returns the findings about this section. A script updates them while an editor types."""
        return format_html('<div class="findings" data-findings>{}</div>', self._found(section))

    def _found(self, section: Section) -> SafeString:
        if section.pk is None or section.version.is_published:
            return SafeString()
        return self._findings(section.version).of_section(section)

    @cache  # noqa: B019  # Django creates a new inline for each request
    def _findings(self, version: StatementVersion) -> DraftFindings:
        return live_lint.saved_draft_findings(version)


# Any, because Django accepts functions as fields and its type stubs only names.
_COLUMNS: Any = [person_column(StatementVersion, name) for name in ("created_by", "approved_by")]
CREATED_BY, APPROVED_BY = _COLUMNS


@admin.register(StatementVersion)
class StatementVersionAdmin(TitleColumn, FrozenOncePublished, admin.ModelAdmin):
    form = VersionForm
    list_display = ["statement", "number", "titled", "state", "published_at"]
    list_display_links = ["statement", "number"]
    list_filter = ["state", "statement__kind", "statement__incident"]
    list_select_related = ["statement__incident"]
    fields = [
        ("statement", "number", "state"),
        "title",
        "title_found",
        "change_reason",
        "display_until",
        (CREATED_BY, "editors", APPROVED_BY),
        ("published_at", "hash"),
    ]
    readonly_fields = [
        *("statement", "number", "state"),
        *(CREATED_BY, "editors", APPROVED_BY, "published_at", "hash", "title_found"),
    ]
    inlines = [SectionInline]
    actions = None
    view_on_site = False
    previews_template = "admin/statements/statementversion/previews.html"

    class Media:
        js = ["js/pointer_up.js", "js/live_lint.js"]

    @admin.display(description=gettext_lazy("The check says"))
    def title_found(self, version: StatementVersion) -> SafeString:
        """Returns the findings about the title. A script updates them while an editor types."""
        found = "" if version.is_published else live_lint.saved_draft_findings(version).of_title()
        return format_html('<div class="findings" data-findings="title">{}</div>', found)

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Returns False, because a draft is created on its statement's page, with its number."""
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
        """Saves the draft, and records the user as its editor, who may then not publish it."""
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
        if draft and request.method == "POST" and request.user.has_perm(CHANGE):
            _open_draft(draft.pk)  # published while an editor wrote
        if draft and not draft.is_published:
            may_publish = request.user.has_perm(PUBLISH)
            has_contributed = publishing.has_contributed(draft, staff_of(request))
            context["findings"] = live_lint.saved_draft_findings(draft)
            context["may_publish"] = may_publish and not has_contributed
            context["waits_for_second"] = has_contributed
        return super().change_view(request, object_id, form_url, context)

    def response_post_save_change(
        self, request: HttpRequest, obj: StatementVersion
    ) -> HttpResponseRedirect:
        """Leads to the page of the incident after “Save”: it has the next step."""
        return redirect("admin:incidents_incident_page", obj.statement.incident_id)

    def live_lint(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Returns the findings about the text in the forms as JSON, by section; saves nothing."""
        require(request, CHANGE)
        draft = get_object_or_404(StatementVersion, pk=pk, state=StatementVersion.State.DRAFT)
        form = self.get_form(request, draft, change=True)(request.POST, instance=draft)
        [(formset, _inline)] = self.get_formsets_with_inlines(request, draft)
        found = live_lint.edited_draft_findings(form, formset(request.POST, instance=draft))
        summary = render_to_string("admin/statements/statementversion/blocking.html", found)
        return JsonResponse(found | {"summary": summary.strip()})

    def previews(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows links to what a customer gets in each language."""
        require(request, "statements.view_statementversion")
        version = get_object_or_404(StatementVersion, pk=pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Preview"),
            "opts": self.opts,
            "version": version,
            "samples": [
                {"language": code, "name": name, **self.samples(version, code)}
                for code, name in _languages(version)
            ],
        }
        return render(request, self.previews_template, context)

    def samples(self, version: StatementVersion, language: str) -> dict[str, Any]:
        """Returns what the preview shows in one language besides the page itself."""
        return {}

    def preview(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows the version as a customer sees it, in the language of the query."""
        require(request, "statements.view_statementversion")
        version = get_object_or_404(StatementVersion, pk=pk)
        language = request.GET.get("language")
        with override(language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE):
            return render(request, "statements/preview.html", version_context(version))

    def publish(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows all languages side by side with all findings; publishes on confirmation."""
        require(request, PUBLISH)
        version, staff = _open_draft(pk), staff_of(request)
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
            "blocking": findings_by_section([each for each in found if each.blocks]),
            "warnings": findings_by_section([each for each in found if not each.blocks]),
            "waivers": [(review.rule_name(each.rule), each) for each in version.waivers.all()],
            "may_waive": WaiveForm(version=version, by=staff).rules,
            "languages": _languages(version),
            "rows": _side_by_side(version),
        }
        return render(request, "admin/statements/statementversion/publish.html", context)

    def published_message(self, version: StatementVersion, *, by: User) -> SafeString | str:
        """Returns the desk's message after `by` published the version."""
        return _("Published: {version}.").format(version=version)

    def waive(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks an approver for the reason why an unmet duty or lint rule does not block."""
        require(request, PUBLISH)
        version = _open_draft(pk)
        form = WaiveForm(request.POST or None, version=version, by=staff_of(request))
        if request.method == "POST" and form.waive():
            self.log_change(request, version, " ".join([_("Waived."), form.cleaned_data["rule"]]))
            messages.success(request, _("Waived. It only warns in this version."))
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
        """Asks for the reason to withdraw a draft's waiver."""
        require(request, PUBLISH)
        version = _open_draft(pk)
        waiver = version.waivers.filter(rule=rule).first()
        if waiver is None:
            gone = version.withdrawn_waivers.filter(rule=rule).last()
            if gone is None:
                raise Http404
            by, at = gone.withdrawn_by, gone.withdrawn_at
            raise TaskOverError(version, _("This waiver is withdrawn"), by=by, at=at)
        form = WithdrawWaiverForm(request.POST or None)
        if request.method == "POST" and form.is_valid():
            reason, by = form.cleaned_data["reason"], staff_of(request)
            publishing.withdraw_waiver(version, rule=rule, reason=reason, by=by)
            self.log_change(request, version, " ".join([_("Withdrew a waiver."), rule]))
            messages.success(request, _("The waiver is withdrawn. What it waived blocks again."))
            return redirect("admin:statements_statementversion_publish", pk)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Withdraw a waiver"),
            "explanation": f"{review.rule_name(rule)}: {waiver.reason}",
            "button": _("Withdraw"),
            "back": reverse("admin:statements_statementversion_publish", args=[pk]),
            "form": form,
            "opts": self.opts,
        }
        return render(request, "admin/statements/regulators/step.html", context)


def _open_draft(pk: int) -> StatementVersion:
    """Returns a draft. Raises TaskOverError if it is published, Http404 if there is none."""
    version = get_object_or_404(StatementVersion, pk=pk)
    if version.is_published:
        at = version.published_at
        raise TaskOverError(version, _("Published already"), by=version.approved_by, at=at)
    return version


def _side_by_side(version: StatementVersion) -> list[tuple[str, str, list[tuple[str, str]]]]:
    """Returns the rows of the publishing page: label, basis, and (language, text) pairs."""

    def each(text: LocalizedText) -> list[tuple[str, str]]:
        return [(code, text.get(code)) for code, _name in _languages(version)]

    rows = [(_("Title"), "", each(version.title))]
    if version.number > 1:
        rows.append((_("Why it changed"), "", each(version.change_reason)))
    for section in version.sections.all():
        texts = [(code, markdown.render(text)) for code, text in each(section.body)]
        rows.append((section.label, section.get_basis_display(), [*texts]))
    return rows


def _languages(version: StatementVersion) -> list[tuple[str, str]]:
    """Returns (code, own name) of the incident's languages, the authority first."""
    return with_own_names(version.statement.incident.languages)
