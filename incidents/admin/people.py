"""The look-up of affected people, for support."""

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
    """The look-up by address. The desk has no list of all affected people."""

    def get_urls(self) -> list[URLPattern]:
        return [desk_path(self, "", self.look_up, "changelist")]

    def look_up(self, request: HttpRequest) -> HttpResponse:
        """Shows the rows with an address, and the names of the data classes that leaked.

        It shows no values. The form uses POST, because URLs are logged. Raises RightMissingError.
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
            context["found"] = self._found_rows(request, form)
        return TemplateResponse(request, "incidents/desk/look_up.html", context)

    def _found_rows(self, request: HttpRequest, form: LookUpForm) -> list[dict[str, Any]]:
        """Returns what the page shows of each row, and records the look-up of each person."""
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
