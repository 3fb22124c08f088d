"""Deliveries on the desk: a look-up by address or message code, for support."""

import logging

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _

from accounts import desk_look_ups
from accounts.admin import ReadOnlyAdmin
from accounts.admin_site import desk_path, require, staff_of
from notices.forms.notices import DeliveryLookUpForm
from notices.message_codes import message_code
from notices.models import Delivery

logger = logging.getLogger(__name__)


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    """A look-up in place of the list. The desk has no list of all recipients."""

    def has_delete_permission(self, request: HttpRequest, obj: Delivery | None = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        return [desk_path(self, "", self.look_up, "changelist")]

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
