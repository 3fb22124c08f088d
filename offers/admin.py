"""Offers on the desk: their facts, the import of codes, and counts. No page shows a code."""

import csv
from collections.abc import Iterator
from functools import partial
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db.models import Count, URLField
from django.db.models.functions import TruncDate
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_safe

from accounts.admin_site import desk_path, require
from accounts.desk_tasks import TaskOverError
from foundations.formatting import number
from foundations.inline_formsets import WordedInlineFormSet
from incidents.admin.facts_admin import FactsAdmin, proposal_link
from incidents.models import Incident
from offers import pool
from offers.desk_forms import CodesForm, OfferForm
from offers.models import Offer, OfferClass, OfferTaking

IMPORT, VIEW = "offers.import_codes", "offers.view_offer"
DAYS_SHOWN = 31


class OfferClassFormSet(WordedInlineFormSet):
    """The data classes of an offer: some if it is for those of whom one of them leaked, or none."""

    def clean(self) -> None:
        """Rejects classes that the audience does not use, and an audience without its classes."""
        super().clean()
        chosen = [
            form
            for form in self.forms
            if form.cleaned_data.get("data_class") and not form.cleaned_data.get("DELETE")
        ]
        by_class = self.instance.audience == Offer.Audience.CLASSES
        if by_class and not chosen:
            raise ValidationError(_("Choose the data classes."))
        if chosen and not by_class:
            raise ValidationError(_("The offer is not for those of certain data classes."))


class OfferClassInline(admin.TabularInline):
    """The data classes of an offer that is for those of certain classes."""

    model = OfferClass
    formset = OfferClassFormSet
    extra = 0


@admin.register(Offer)
class OfferAdmin(FactsAdmin):
    """The offers. One of an incident that has been public is added and changed by two people."""

    form = OfferForm
    change_form_template = "admin/offers/offer.html"
    formfield_overrides = {URLField: {"assume_scheme": "https"}}
    inlines = [OfferClassInline]
    list_display = ["said", "incident", "ends_on", "state"]
    list_filter = ["incident"]
    list_select_related = ["incident"]
    show_full_result_count = False
    fields = [
        "incident",
        "title",
        "text",
        "use",
        ("link", "ends_on"),
        "has_codes",
        ("audience", "notice"),
        "withdrawn_reason",
    ]

    @admin.display(description=gettext_lazy("title"))
    def said(self, row: Offer) -> str:
        """Shows the title in the active language."""
        return str(row.title)

    @admin.display(description=gettext_lazy("state"))
    def state(self, row: Offer) -> str:
        """Shows whether customers may take it."""
        if row.is_withdrawn:
            return _("withdrawn")
        return _("ended") if row.has_ended else _("open")

    def takes_two(self, row: Offer) -> bool:
        """Returns whether the offer's incident has been public."""
        return row.incident.has_been_public

    def incident_of(self, row: Offer) -> Incident:
        """Returns the offer's incident."""
        return row.incident

    def get_urls(self) -> list[URLPattern]:
        own = partial(desk_path, self)
        return [
            own("<int:pk>/codes/", self.codes, "codes"),
            own("<int:pk>/counts.csv", require_safe(self.counts), "counts"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Adds the counts of the offer, and the links of what may be done."""
        offer, context = self.get_object(request, object_id), extra_context or {}
        if isinstance(offer, Offer):
            context = {**context, "tools": _tools(request, offer)}
            if offer.has_codes:
                taken, left = pool.counts_of(offer)
                days = list(_by_day(offer).order_by("-day")[:DAYS_SHOWN])
                context |= {"taken": taken, "left": left, "days": days}
        return super().change_view(request, object_id, form_url, context)

    def codes(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Shows the form of a file of codes, and adds its codes. Raises RightMissingError."""
        require(request, IMPORT)
        offer = get_object_or_404(Offer.objects.select_related("incident"), pk=pk)
        if not offer.has_codes:
            raise TaskOverError(offer, _("This offer has no codes"))
        form = CodesForm(request.POST or None, request.FILES or None, offer=offer)
        added = form.act() if request.method == "POST" else None
        if added is not None:
            words = ngettext("%(n)s code was added.", "%(n)s codes were added.", added)
            done = words % {"n": number(added)}
            self.log_change(request, offer, done)
            messages.success(request, done)
            return redirect("admin:offers_offer_codes", pk)
        taken, left = pool.counts_of(offer)
        context = {
            **self.admin_site.each_context(request),
            "title": _("Import codes"),
            "opts": self.opts,
            "offer": offer,
            "form": form,
            "taken": taken,
            "left": left,
        }
        return TemplateResponse(request, "admin/offers/codes.html", context)

    def counts(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Returns the codes that were handed out by day, as CSV. Raises RightMissingError."""
        require(request, VIEW)
        offer = get_object_or_404(Offer.objects.select_related("incident"), pk=pk)
        response = HttpResponse(content_type="text/csv; charset=utf-8")
        response.headers["Content-Disposition"] = f'attachment; filename="offer-{pk}.csv"'
        rows = csv.writer(response)
        rows.writerow(["day", "handed_out"])
        rows.writerows(_by_day(offer).order_by("day").values_list("day", "handed_out"))
        return response


def _by_day(offer: Offer) -> Any:
    """Returns how many codes were handed out on each day of the incident's time zone."""
    takings = OfferTaking.objects.filter(offer=offer).order_by()
    days = takings.values(day=TruncDate("taken_at", tzinfo=offer.incident.zone))
    return days.annotate(handed_out=Count("pk"))


def _tools(request: HttpRequest, offer: Offer) -> list[tuple[str, str]]:
    return [*proposal_link(request, offer), *_links(request, offer)]


def _links(request: HttpRequest, offer: Offer) -> Iterator[tuple[str, str]]:
    if not offer.has_codes:
        return
    if request.user.has_perm(IMPORT):
        yield reverse("admin:offers_offer_codes", args=[offer.pk]), _("Import codes")
    yield reverse("admin:offers_offer_counts", args=[offer.pk]), _("Counts by day (CSV)")
