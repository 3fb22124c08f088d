"""Deliveries on the desk, for support: a look-up by address or code, and messages sent again."""

import logging

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _

from accounts import desk_look_ups
from accounts.admin import ReadOnlyAdmin
from accounts.admin_site import desk_path, require, staff_of
from notices import tasks
from notices.forms.notices import DeliveryLookUpForm
from notices.forms.resends import ResendForm
from notices.message_codes import message_code
from notices.models import Delivery

logger = logging.getLogger(__name__)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    """A look-up in place of the list. The desk has no list of all recipients."""

    def has_delete_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        return [
            desk_path(self, "", self.look_up, "changelist"),
            desk_path(self, "<int:pk>/resend/", self.resend, "resend"),
        ]

    def resend(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks for the reason, then has the message sent again to its person.

        The page of the person leads here; an address that no look-up led to goes back to it. Raises
        RightMissingError.
        """
        require(request, "notices.add_resend")
        related = ("person__incident", "notice__incident", "notice__version__statement")
        rows = Delivery.objects.filter(person__isnull=False).select_related(*related)
        delivery = get_object_or_404(rows, pk=pk)
        page = redirect("admin:incidents_affectedperson_change", delivery.recipient)
        if not (delivery.person and desk_look_ups.is_open(request, delivery.person)):
            return page
        form = ResendForm(request.POST or None, delivery=delivery, by=staff_of(request))
        if request.method == "POST" and form.act():
            tasks.mail_resends.delay_on_commit()
            self.log_change(request, delivery, _("Had it sent again."))
            messages.success(request, _("It is sent again within a minute. This page shows when."))
            return page
        context = {
            **self.admin_site.each_context(request),
            "title": _("Send this message again"),
            "opts": self.opts,
            "delivery": delivery,
            "code": message_code(delivery.pk),
            "form": form,
            "back": page.url,
        }
        return TemplateResponse(request, "admin/notices/notice/resend.html", context)

    def look_up(self, request: HttpRequest) -> HttpResponse:
        """Shows what a person was sent, by the address, number or code that they give.

        Uses POST, because URLs are logged and an address must not be. The look-up is recorded in
        the process log and in the history of each delivery found.
        """
        require(request, "notices.view_delivery")
        form = DeliveryLookUpForm(request.POST or None)
        found: list[Delivery] = []
        if form.is_valid():
            found = list(form.cleaned_data["deliveries"])
            keys = [delivery.pk for delivery in found]
            logger.info("user %s looked up deliveries %s", request.user.pk, keys)
            desk_look_ups.record(form, by=staff_of(request), about=Delivery, found=len(keys))
        for delivery in found:
            self.log_change(request, delivery, _("Looked up."))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Look up deliveries"),
            "opts": self.opts,
            "form": form,
            "found": [(delivery, message_code(delivery.pk)) for delivery in found],
        }
        return TemplateResponse(request, "admin/notices/notice/look_up.html", context)
