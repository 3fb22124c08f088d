"""Notices on the desk: one person drafts a notice, a second person approves and controls it."""

from collections.abc import Callable
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.db.models import ForeignKey
from django.forms import ModelChoiceField
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from accounts.admin_site import desk_path, number_column, person_column, require, staff_of
from accounts.desk_tasks import TaskOverError
from accounts.step_up import step_up_required
from foundations import documents
from foundations.formatting import moment
from incidents.models import ExposureBatch
from notices import decisions
from notices.admin import (
    approval,
    chosen_audience,
    history,
    letters,
    pauses,
    previews,
    proof_export,
    sending_plans,
    shown_notice,
    sms_figures,
    tests_to_oneself,
)
from notices.admin.history import HistoryMessages
from notices.engine import dry_runs, progress
from notices.engine.dry_runs import AudienceCount
from notices.engine.sending_plans import NO_PLAN
from notices.forms.notices import ApproveForm, CancelForm, DoubtForm, NoticeForm, ReturnForm
from notices.message_codes import message_code, public_part_of_sender
from notices.models import Delivery, Notice
from notices.own_tests import is_own_test
from notices.proof import notice_summary
from statements.models import StatementVersion

State = Notice.State
APPROVE, PAUSE = "notices.approve_notice", "notices.pause_notice"
VIEW, ADD = "notices.view_notice", "notices.add_notice"
_ENDED = (State.CLOSED, State.CANCELLED)
DOUBTS_SHOWN = 200  # messages in doubt on one page


CREATED_BY, APPROVED_BY = (person_column(Notice, name) for name in ("created_by", "approved_by"))


@admin.register(Notice)
class NoticeAdmin(admin.ModelAdmin):
    """The notices. Their pages for approval, doubts and export have forms of notices.forms."""

    form = NoticeForm
    list_display = [
        *("version", "state", number_column(Notice, "planned"), number_column(Notice, "accepted")),
        *("kind", "topic", "created_at"),
    ]
    list_filter = ["state", "kind", "incident"]
    list_select_related = ["version__statement__incident"]
    show_full_result_count = False
    actions = None

    def has_change_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        """Returns False: a notice is not edited. Another version of a text is another notice."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Notice | None = None) -> bool:
        """Returns False: the ledger is the proof. A draft that is not needed is cancelled."""
        return False

    def formfield_for_foreignkey(
        self, db_field: ForeignKey[Any, Any], request: HttpRequest, **options: Any
    ) -> ModelChoiceField | None:
        """Limits the choices to published versions, closed batches and sent mandatory notices."""
        if db_field.name == "version":
            published = StatementVersion.objects.filter(state=StatementVersion.State.PUBLISHED)
            options["queryset"] = published.select_related("statement__incident")
        if db_field.name == "batch":
            options["queryset"] = ExposureBatch.objects.filter(state=ExposureBatch.State.CLOSED)
        if db_field.name == "follows":
            sent = Notice.objects.real().filter(
                kind=Notice.Kind.MANDATORY, planned_at__isnull=False
            )
            options["queryset"] = sent.select_related("version__statement__incident")
        return super().formfield_for_foreignkey(db_field, request, **options)

    def get_fields(self, request: HttpRequest, obj: Notice | None = None) -> list[Any]:
        shown = [CREATED_BY, "created_at", APPROVED_BY, "approved_at", "retries_end"]
        if obj and obj.is_weekly_mail:  # the approvals are those of its alerts: see the summary
            shown = ["created_at", "retries_end"]
        chosen = ["version", "kind", "topic", "channel", "audience", "batch", "follows"]
        chosen += ["begins_at", "ramp", "plan" if obj else "sending_plan"]
        return [*chosen, *([*shown, "closed_at"] if obj else ["test_addresses"])]

    @admin.display(description=gettext_lazy("Retries end"))
    def retries_end(self, obj: Notice) -> Any:
        if obj.deadline_at is None:
            return self.get_empty_value_display()
        return moment(obj.deadline_at)

    @admin.display(description=gettext_lazy("Sending plan"))
    def plan(self, obj: Notice) -> str:
        frozen = obj.frozen_plan["id"] if obj.frozen_plan else ""
        chosen = obj.sending_plan if obj.state == State.DRAFT else frozen or NO_PLAN
        return sending_plans.choice_name(chosen)

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("audience/", require_safe(self.audience), "audience"),
            own("<int:pk>/approve/", self.approve, "approve"),
            own("<int:pk>/own-test/", require_POST(self.own_test), "own_test"),
            own("<int:pk>/return/", self.return_draft, "return"),
            own("<int:pk>/progress/", self.progress, "progress"),
            own("<int:pk>/count/", require_POST(self.count), "count"),
            own("<int:pk>/preview/<str:language>.eml", self.preview, "preview"),
            own("<int:pk>/preview/<str:language>.html", self.html, "html"),
            own("<int:pk>/pause/", require_POST(self.pause), "pause"),
            own("<int:pk>/resume/", require_POST(self.resume), "resume"),
            own("<int:pk>/in-doubt/", self.in_doubt, "in_doubt"),
            own("<int:pk>/proof/", step_up_required(self.proof), "proof"),
            own("<int:pk>/not-reached/", step_up_required(self.not_reached), "not_reached"),
            own("<int:pk>/letters/", step_up_required(self.letters), "letters"),
            own("<int:pk>/letters/reports/", self.letter_reports, "letter_reports"),
            own("<int:pk>/limits/", self.limits, "limits"),
            own("<int:pk>/sending-plan/", self.change_plan, "change_plan"),
            own("<int:pk>/destination/", require_POST(self.destination), "destination"),
            own("<int:pk>/taken-back/", self.taken_back, "taken_back"),
            own("<int:pk>/next-step/", require_POST(self.next_step), "next_step"),
            own("<int:pk>/cancel/", self.cancel, "cancel"),
            own("<int:pk>/summary.pdf", self.summary, "summary"),
            *super().get_urls(),
        ]

    def save_model(self, request: HttpRequest, obj: Notice, form: Any, change: bool) -> None:
        obj.created_by = staff_of(request)
        super().save_model(request, obj, form, change)
        form.save_test_addresses()
        if dry_runs.needs_worker(obj):
            decisions.request_audience_count(obj)  # counted before the second person approves

    def response_add(
        self, request: HttpRequest, obj: Notice, post_url_continue: str | None = None
    ) -> HttpResponse:
        """Redirects to the new notice, which a second person continues with."""
        if is_own_test(obj, staff_of(request)):
            messages.success(request, _("Saved. You may send this test yourself."))
        else:
            messages.success(request, _("Saved. Now another person has to approve it."))
        return _redirect_to_page(obj)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        notice = self.get_object(request, object_id)
        context = {
            **(extra_context or {}),
            "may_export": request.user.has_perm(proof_export.EXPORT),
            "may_export_letters": request.user.has_perms([proof_export.EXPORT, proof_export.OPEN]),
            "languages": shown_notice.languages(notice)
            if notice and notice.channel == "email"
            else [],
            **(_progress(request, notice) if notice else {}),
        }
        if notice and notice.state == State.DRAFT:
            context |= chosen_audience.of_draft(notice)
            ways = [] if notice.channel == Notice.Channel.PUSH else [notice]
            context |= tests_to_oneself.form_context(staff_of(request), ways)
        return super().change_view(request, object_id, form_url, context)

    def audience(self, request: HttpRequest) -> HttpResponse:
        """Returns whom the notice goes to that is being drafted, for static/js/notice_form.js."""
        require(request, ADD)
        context = chosen_audience.of_form(self.get_form(request)(request.GET))
        return TemplateResponse(request, "admin/notices/notice/audience.html", context)

    def progress(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Returns the part of a notice's page that moves, for static/js/live_part.js."""
        notice = _notice(request, pk, right=VIEW)
        context = _progress(request, notice) | {"original": notice}
        return TemplateResponse(request, "admin/notices/notice/progress.html", context)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        response = super().history_view(request, object_id, extra_context)
        if isinstance(response, TemplateResponse):
            return history.translate_history_page(response)
        return response  # the notice does not exist

    def approve(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows the audience and the messages, and approves the notice.

        The second person confirms with the number of people.
        """
        staff = staff_of(request)
        notice = _own_draft(request, pk, only_tests=True) or _notice(request, pk)
        if notice.state != State.DRAFT:
            raise _over(notice)
        counted = dry_runs.current_dry_run(notice)
        form = ApproveForm(request.POST or None, notice=notice, by=staff, people=counted.people)
        if request.method == "POST" and form.approve():
            self.log_change(request, notice, _approval_entry(counted))
            messages.success(request, _approved_words(notice))
            return _redirect_to_page(notice)
        is_waiting = counted.run is None and "uncounted" not in request.GET
        context = self.page_context(request, notice, _("Approve and send")) | {
            "form": form,
            "counted": counted,
            "reloads": is_waiting and counted.is_running and not form.is_bound,
            "shows_form": not is_waiting or form.is_bound,
            "buckets": shown_notice.buckets(counted.run, notice.incident) if counted.run else [],
            "cost": sms_figures.highest_cost(notice, counted.run),
            "refusal": decisions.approval_objection(notice, by=staff, people=counted.people),
            "is_scope_open": not notice.incident.is_scope_complete(),
            "samples": shown_notice.samples(notice),
            **approval.context(notice),
            "begins_late": sending_plans.late_start(notice),
            **sending_plans.approval_context(notice, counted.run),
        }
        return TemplateResponse(request, "admin/notices/notice/approve.html", context)

    def own_test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Sends a test of a draft to the signed-in user. Raises TaskOverError once it is none."""
        staff = tests_to_oneself.require_test(request)
        notice = _notice(request, pk, right=APPROVE if staff.has_perm(APPROVE) else ADD)
        if notice.state != State.DRAFT:
            raise _over(notice)
        if entry := tests_to_oneself.send(request, notice):
            self.log_change(request, notice, entry)
        return _redirect_to_page(notice)

    def return_draft(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for a comment, then returns the draft to its author instead of approving it."""
        notice, form = _notice(request, pk), ReturnForm(request.POST or None)
        if notice.state != State.DRAFT:
            raise _over(notice)
        if form.is_valid():
            comment = form.cleaned_data["comment"]
            done = HistoryMessages.RETURNED_DRAFT.stored(comment=comment)
            act = partial(decisions.return_draft, because=comment)
            return self._act(request, pk, act, done=_("Returned to its author."), entry=done)
        context = self.page_context(request, notice, _("Return this draft")) | {
            "original": notice,
            "form": form,
            "button": _("Return"),
            "explanation": _(
                "The author reads your comment on the notice's page, and drafts another notice. "
                "This one can no longer be approved."
            ),
        }
        return TemplateResponse(request, "incidents/desk/confirm.html", context)

    def count(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Requests a count of the audience from a worker, also if there was one before."""
        notice = _notice(request, pk)
        if notice.state != State.DRAFT:
            raise _over(notice)
        decisions.request_audience_count(notice)
        return redirect("admin:notices_notice_approve", pk)

    def preview(self, request: HttpRequest, pk: int, language: str) -> HttpResponse:
        """Returns the sample mail as a file, to be opened in a mail program."""
        require(request, "notices.view_notice")
        mail = shown_notice.email_sample(pk, language)
        name = f'attachment; filename="notice-{pk}-{language}.eml"'
        return HttpResponse(
            mail.data, content_type="message/rfc822", headers={"Content-Disposition": name}
        )

    def html(self, request: HttpRequest, pk: int, language: str) -> HttpResponse:
        """Returns the HTML part of the sample mail as a page that can load and run nothing."""
        require(request, "notices.view_notice")
        return previews.html_preview(
            previews.parse_mail(shown_notice.email_sample(pk, language).data)
        )

    def pause(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Pauses the notice, for all roles. Messages on the wire are still sent."""
        right = APPROVE if request.user.has_perm(APPROVE) else PAUSE
        return self._act(request, pk, decisions.pause, done=_("Paused."), right=right)

    def resume(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Resumes a paused notice, unless that confirms more people and the user may not.

        The user confirms what the page showed: another pause, or number of people, is read first.
        """
        read = request.POST.get("read", "")
        objection = partial(decisions.resume_objection, by=staff_of(request), read=read)
        act, done = partial(decisions.resume, read=read), _("Goes on.")
        return self._act(request, pk, act, done=done, objection=objection)

    def next_step(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Starts the step after the one that the page showed: a second press starts no other."""
        act = partial(decisions.start_next_step, after=request.POST.get("after", ""))
        return self._act(request, pk, act, done=_("The next step goes."))

    def limits(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows and stores the limits for the automatic pause."""
        return pauses.limits(self, request, _running(request, pk))

    def change_plan(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows and stores the sending plan of a notice that is being sent."""
        return sending_plans.change(self, request, _running(request, pk))

    def destination(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Lets a stopped destination go on."""
        return pauses.let_destination_go_on(self, request, _running(request, pk))

    def taken_back(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows the bounces by reply, and takes back those with one reply."""
        return pauses.take_back(self, request, _notice(request, pk))

    def summary(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Returns the notice's summary as a PDF for an authority, with the counts by end state."""
        require(request, "notices.view_notice")
        related = Notice.objects.select_related("incident", "version__statement__incident")
        notice = get_object_or_404(related, pk=pk)
        if notice.state == State.DRAFT:
            raise _over(notice)
        name = f"notice-{notice.incident.slug}-{notice.pk}"
        return documents.pdf_response(notice_summary.notice_summary(notice), name)

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for confirmation, then cancels the notice for all people who were not sent it.

        The author of a draft may cancel it without the right to approve.
        """
        own = _own_draft(request, pk)
        notice = own or _notice(request, pk)
        if notice.state in _ENDED:
            raise _over(notice)
        form = CancelForm(request.POST if request.method == "POST" else None, notice=notice)
        if form.is_valid():
            decision, right = (decisions.cancel_draft, VIEW) if own else (decisions.cancel, APPROVE)
            return self._act(request, pk, decision, done=_("Cancelled."), right=right)
        context = self.page_context(request, notice, _("Cancel this notice")) | {
            "form": form,
            "to_go": progress.send_progress(notice).to_go,
            "is_draft": notice.state == State.DRAFT,
            "is_planned": notice.planned_at is not None,
            "is_paused": notice.state == State.PAUSED,
        }
        return TemplateResponse(request, "admin/notices/notice/cancel.html", context)

    def in_doubt(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows the messages in doubt, and records what a person decides about them."""
        notice, staff = _notice(request, pk), staff_of(request)
        shown = list(decisions.doubtful(notice).order_by("ended_at", "pk")[:DOUBTS_SHOWN])
        keys = [delivery.pk for delivery in shown]
        form = DoubtForm(request.POST or None, notice=notice, by=staff, shown=keys)
        if request.method == "POST" and (changed := form.decide()):
            decision, reason = form.cleaned_data["decision"], form.cleaned_data["reason"]
            done = HistoryMessages.DECIDED.stored(
                decision_words=decision, number=changed, reason=reason
            )
            self.log_change(request, notice, done)
            messages.success(request, form.decision_message(changed))
            return redirect("admin:notices_notice_in_doubt", pk)
        chosen = request.POST.getlist("deliveries")
        context = self.page_context(request, notice, _("In doubt")) | {
            "form": form,
            "count": Notice.objects.live_counts(pk)["in_doubt"],
            "found": [(row, *_names_of(row, notice), str(row.pk) in chosen) for row in shown],
            "is_open": notice.closed_at is None,
        }
        return TemplateResponse(request, "admin/notices/notice/in_doubt.html", context)

    def proof(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Exports the proof: a file of what each person was sent, and when."""
        return proof_export.export(self, request, _exportable(request, pk), is_proof=True)

    def not_reached(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Shows how many people were not reached and how they can be; exports a file of them."""
        return proof_export.export(self, request, _exportable(request, pk), is_proof=False)

    def letters(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Exports letters with names and addresses, for users who may open contacts."""
        require(request, proof_export.OPEN)
        return letters.export(self, request, _exportable(request, pk))

    def letter_reports(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Records which letters were posted or returned."""
        require(request, proof_export.OPEN)
        return letters.reports(self, request, _exportable(request, pk))

    def _act(
        self,
        request: HttpRequest,
        pk: int,
        decision: Callable[[Notice], bool],
        *,
        done: str,
        entry: str = "",
        right: str = APPROVE,
        objection: Callable[[Notice], str] | None = None,
    ) -> HttpResponse:
        """Makes the decision, shows `done`, and records `entry`, or `done` without one.

        Shows what `objection` returns instead, unless that is "".
        """
        notice = _notice(request, pk, right=right)
        if objection and (reason := objection(notice)):
            messages.error(request, reason)
            return _redirect_to_page(notice)
        if not decision(notice):
            raise _over(notice)
        self.log_change(request, notice, entry or done)
        messages.success(request, done)
        return _redirect_to_page(notice)

    def page_context(self, request: HttpRequest, notice: Notice, title: str) -> dict[str, Any]:
        """Returns the context that every page about a notice needs."""
        site = self.admin_site.each_context(request)
        return {**site, "title": title, "opts": self.opts, "notice": notice}


def _own_draft(request: HttpRequest, pk: int, *, only_tests: bool = False) -> Notice | None:
    """Returns the user's own draft, which they may cancel; None for other notices.

    `only_tests` returns only a test to the user's own addresses, which they may send as well.
    Raises PermissionDenied for a user who may not read notices, and TaskOverError if the notice is
    the user's own and has ended: or, of those tests, is approved.
    """
    require(request, VIEW)
    staff = staff_of(request)
    related = Notice.objects.select_related("incident", "version__statement__incident")
    own = related.filter(pk=pk, created_by=staff).first()
    if own is None or (only_tests and not is_own_test(own, staff)):
        return None
    if own.state in _ENDED or (only_tests and own.state != State.DRAFT):
        raise _over(own)
    return own if own.state == State.DRAFT else None


def _progress(request: HttpRequest, notice: Notice) -> dict[str, Any]:
    """Returns the context of the part that moves: where the notice stands, and what may be done."""
    staff, is_draft = staff_of(request), notice.state == State.DRAFT
    is_own = notice.created_by_id == staff.pk
    return {
        **shown_notice.progress_context(notice),
        "may_approve": staff.has_perm(APPROVE),
        "may_pause": staff.has_perm(PAUSE) or staff.has_perm(APPROVE),
        "may_cancel_draft": is_draft and (is_own or staff.has_perm(APPROVE)),
        "may_send_test": is_draft and is_own_test(notice, staff),
    }


def _names_of(row: Delivery, notice: Notice) -> tuple[str, str]:
    """Returns the code of a delivery, and what a mail server's log names it by; "" for others."""
    is_mail = notice.channel == Notice.Channel.EMAIL
    return message_code(row.pk), public_part_of_sender(row.pk) if is_mail else ""


def _notice(request: HttpRequest, pk: int, *, right: str = APPROVE) -> Notice:
    """Returns a notice for a user with `right`. Raises PermissionDenied, or Http404."""
    require(request, right)
    related = Notice.objects.select_related("incident", "version__statement__incident")
    return get_object_or_404(related, pk=pk)


def _exportable(request: HttpRequest, pk: int) -> Notice:
    """Returns an approved notice for a user who may export the proof.

    Raises PermissionDenied, Http404, or TaskOverError for a notice that is not approved.
    """
    require(request, proof_export.EXPORT)
    related = Notice.objects.select_related("incident", "version__statement__incident", "digest")
    notice = get_object_or_404(related, pk=pk)
    if notice.approved_at is None:
        raise _over(notice)
    return notice


def _running(request: HttpRequest, pk: int) -> Notice:
    """Returns a notice that has not ended, for an approver. Raises as _notice, or TaskOverError."""
    notice = _notice(request, pk)
    if notice.state in _ENDED:
        raise _over(notice)
    return notice


def _over(notice: Notice) -> TaskOverError:
    """Returns what the desk says of an act that the state of the notice does not allow."""
    notice.refresh_from_db()
    if notice.state == State.DRAFT:
        return TaskOverError(notice, _("This notice is not approved yet"))
    if notice.approved_at is None:
        return TaskOverError(notice, notice.get_state_display(), act="Cancelled.")
    what = _("Its state: %(state)s. Approved already") % {"state": notice.get_state_display()}
    return TaskOverError(notice, what, by=notice.approved_by, at=notice.approved_at)


def _approved_words(notice: Notice) -> str:
    if notice.waits_until:
        return _("Approved. It begins on %(time)s.") % {"time": moment(notice.waits_until)}
    return _("Approved. The messages are on their way.")


def _redirect_to_page(notice: Notice) -> HttpResponse:
    return redirect("admin:notices_notice_change", notice.pk)


def _approval_entry(counted: AudienceCount) -> str:
    """Returns the entry about an approval for the notice's history."""
    if counted.people is None:
        return HistoryMessages.APPROVED_UNCOUNTED.stored()
    if counted.at is None:
        return HistoryMessages.APPROVED.stored(people=counted.people)
    at = f"{counted.at:%Y-%m-%d %H:%M}"
    return HistoryMessages.APPROVED_AS_COUNTED.stored(people=counted.people, at=at)
