"""A look-up of who is affected, for support."""

import logging
from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _

from accounts.admin import ReadOnlyAdmin
from accounts.admin_site import desk_path, require
from incidents.forms import LookUpForm
from incidents.leaks import batches_of, leaked_classes_of
from incidents.models import AffectedPerson, DataClass

logger = logging.getLogger(__name__)


@admin.register(AffectedPerson)
class AffectedPersonAdmin(ReadOnlyAdmin, admin.ModelAdmin):
    """A look-up by address, for support; a list of everybody exists nowhere."""

    def get_urls(self) -> list[URLPattern]:
        return [desk_path(self, "", self.look_up, "changelist")]

    def look_up(self, request: HttpRequest) -> HttpResponse:
        """Which rows carry an address, and which classes leaked: names of classes, no values.

        By POST, so that the address stands in no URL and no access log.
        """
        require(request, "incidents.view_affectedperson")
        form = LookUpForm(request.POST or None)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Look up an affected person"),
            "opts": self.opts,
            "form": form,
        }
        if form.is_valid():
            context["found"] = self._described(request, form)
        return TemplateResponse(request, "incidents/desk/look_up.html", context)

    def _described(self, request: HttpRequest, form: LookUpForm) -> list[dict[str, Any]]:
        """What the page says of each row; leaves a record of who looked."""
        people, ids = form.cleaned_data["people"], form.person_ids()
        logger.info("user %s looked up people %s", request.user.pk, [str(pk) for pk in ids])
        for person in people:
            self.log_change(request, person, _("Looked up."))
        classes, batches = leaked_classes_of(ids), batches_of(ids)
        catalogue = DataClass.objects.in_bulk()
        return [
            {
                "person": person,
                "batches": batches.get(person.pk, []),
                "classes": [catalogue[pk].name for pk in classes.get(person.pk, [])],
            }
            for person in people
        ]
