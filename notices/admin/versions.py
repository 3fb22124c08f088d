"""The desk's page of a statement version, with the parts that notices add to it."""

from email.message import EmailMessage
from functools import partial
from typing import Any

from django.conf import settings
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from accounts.admin_site import desk_path, require, staff_of
from accounts.models import User
from notices import decisions
from notices.admin import previews, tests_to_oneself
from notices.admin.history import translate_history
from notices.message_samples import sample_mail
from notices.models import Notice
from notices.tests_to_oneself import own_contact, takes_texts
from statements.admin.versions import StatementVersionAdmin
from statements.models import Statement, StatementVersion

TELL = "notices.add_notice"

# The app `statements` does not import notices, so this page replaces its page.
admin.site.unregister(StatementVersion)


@admin.register(StatementVersion)
class NotifyingVersionAdmin(StatementVersionAdmin):
    """Adds message previews, the notice of a correction, and a link to draft the next notice."""

    change_form_template = "admin/notices/statementversion/change_form.html"
    previews_template = "admin/notices/statementversion/previews.html"

    def get_urls(self) -> list[Any]:
        own = partial(desk_path, self)
        return [
            own("<int:pk>/mail/<str:language>/", self.mail, "mail"),
            own("<int:pk>/own-test/", require_POST(self.own_test), "own_test"),
            own("<int:pk>/tell-again/", require_POST(self.draft_correction), "draft_correction"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        context = dict(extra_context or {})
        version = self.get_object(request, object_id)
        if version and request.user.has_perm(TELL):
            context["may_tell_again"] = decisions.corrects_sent_version(version)
        if version:
            ways = _ways_of_test(version, staff_of(request))
            context |= tests_to_oneself.form_context(staff_of(request), ways)
        return super().change_view(request, object_id, form_url, context)

    def samples(self, version: StatementVersion, language: str) -> dict[str, Any]:
        """Returns the mail and the SMS that a made-up person would receive."""
        return _samples(version, language)

    def mail(self, request: HttpRequest, pk: int, language: str) -> HttpResponse:
        """Returns the HTML part of the sample mail as a page that can load and run nothing."""
        require(request, "statements.view_statementversion")
        if language not in dict(settings.LANGUAGES):
            raise Http404
        version = get_object_or_404(StatementVersion, pk=pk)
        return previews.html_preview(_sample_mail(version, language))

    def own_test(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Sends the usual notice of this version, also of a draft, to the signed-in user."""
        tests_to_oneself.require_test(request)
        version = get_object_or_404(StatementVersion, pk=pk)
        is_text = request.POST.get("channel") == Notice.Channel.SMS
        notice = _notice_of(version, Notice.Channel.SMS if is_text else Notice.Channel.EMAIL)
        if entry := tests_to_oneself.send(request, notice):
            self.log_change(request, version, translate_history(entry))
        return redirect("admin:statements_statementversion_change", pk)

    def draft_correction(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Drafts the notice to the people who received an earlier version.

        A second person approves it.
        """
        require(request, TELL)
        version = get_object_or_404(StatementVersion, pk=pk)
        try:
            notice = decisions.draft_correction(version, by=staff_of(request))
        except decisions.NothingToCorrectError:
            messages.error(request, _("Nobody has received an earlier version."))
            return redirect("admin:statements_statementversion_change", pk)
        self.log_change(request, version, _("Drafted the notice of the correction."))
        messages.success(request, _("Drafted. Now another person has to approve it."))
        return redirect("admin:notices_notice_change", notice.pk)

    def published_message(self, version: StatementVersion, *, by: User) -> SafeString | str:
        """Adds the usual next step: a link to draft the notice about this version."""
        return _next_step(super().published_message(version, by=by), version, by=by)


def _usual_notice(version: StatementVersion) -> dict[str, str]:
    """Returns the usual `kind` of a notice of this version, and the `topic` of an alert."""
    if version.statement.kind == Statement.Kind.NOTICE:
        return {"kind": "mandatory"}
    is_advisory = version.statement.kind == Statement.Kind.ADVISORY
    return {"kind": "alert", "topic": "scams" if is_advisory else "updates"}


def _sample_message(version: StatementVersion, language: str, channel: str) -> bytes:
    """Returns the encoded message that a made-up person would receive over the channel."""
    return sample_mail(_notice_of(version, channel), language).data


def _notice_of(version: StatementVersion, channel: str) -> Notice:
    """Returns the usual notice of this version over the channel, unsaved."""
    incident, usual = version.statement.incident, _usual_notice(version)
    return Notice(incident=incident, version=version, channel=channel, **usual)


def _ways_of_test(version: StatementVersion, user: User) -> list[Notice]:
    """Returns the notices that the user can send to themselves: by mail, and by text message if a
    gateway is set up and the user has a verified number.
    """
    mail, text = (_notice_of(version, each) for each in (Notice.Channel.EMAIL, Notice.Channel.SMS))
    has_number = own_contact(user, text.channel) and takes_texts(text)
    return [mail, text] if has_number else [mail]


def _sample_mail(version: StatementVersion, language: str) -> EmailMessage:
    return previews.parse_mail(_sample_message(version, language, Notice.Channel.EMAIL.value))


def _short_text(version: StatementVersion, language: str, channel: str) -> str:
    data = _sample_message(version, language, channel)
    return previews.push_text(data) if channel == Notice.Channel.PUSH else data.decode()


def _samples(version: StatementVersion, language: str) -> dict[str, Any]:
    mail = _sample_mail(version, language)
    other_channels = {value: label for value, label in Notice.Channel.choices if value != "email"}
    return {
        "subject": str(mail["Subject"]),
        "text": previews.mail_part(mail, "plain"),
        "short": [
            (label, _short_text(version, language, channel))
            for channel, label in other_channels.items()
        ],
    }


def _next_step(published: str, version: StatementVersion, *, by: User) -> SafeString | str:
    if not by.has_perm(TELL):
        return published + " " + _("Next, an editor drafts the notice that tells people.")
    query = QueryDict(mutable=True)
    query["version"] = str(version.pk)
    query.update(_usual_notice(version))
    return format_html(
        '{} <a href="{}?{}">{}</a>',
        published,
        reverse("admin:notices_notice_add"),
        query.urlencode(),
        _("Draft the notice that tells people"),
    )
