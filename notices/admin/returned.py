"""What came back, in the desk: the list of suppressed addresses, and counts of returned mail."""

import logging
from functools import partial
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin import ShownOnly
from accounts.admin_site import grouped, own_page, require, staff_of
from accounts.contacts import is_usable_email, normalise_email, normalise_phone
from accounts.models import User
from incidents.sealing import SealingError
from notices.models import Notice, ReturnedMail, Suppression
from notices.own_words import in_words
from notices.returned import suppressing

logger = logging.getLogger(__name__)
Channel = Notice.Channel
BY_HAND = [Suppression.Source.STRANGER, Suppression.Source.REQUEST]


def _address_field() -> forms.CharField:
    return forms.CharField(
        label=gettext_lazy("E-mail address or phone number"),
        widget=forms.TextInput(attrs={"autocomplete": "off", "class": "vTextField"}),
    )


class AddressForm(forms.Form):
    """An address as somebody gives it; it is looked up or added, and kept nowhere."""

    address = _address_field()

    def clean_address(self) -> str:
        """The one spelling; `channel` is what it belongs to."""
        typed: str = self.cleaned_data["address"]
        email = normalise_email(typed)
        if is_usable_email(email):
            self.channel = Channel.EMAIL.value
            return email
        if phone := normalise_phone(typed):
            self.channel = "sms"
            return phone
        raise forms.ValidationError(_("This is neither an e-mail address nor a phone number."))


class SuppressionForm(AddressForm, forms.ModelForm):
    """Adds an address, with a reason."""

    class Meta:
        model = Suppression
        fields = ["incident", "source", "reason"]

    field_order = ["address", "incident", "source", "reason"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        labels = dict(Suppression.Source.choices)
        self.fields["source"] = forms.ChoiceField(
            label=_("Why"),
            # Nothing is chosen beforehand: one of them keeps a notice back that the law demands.
            choices=[
                ("", "---------"),
                *((source.value, labels[source.value]) for source in BY_HAND),
            ],
            help_text=_(
                "An address that belongs to somebody else gets no notice at all; a request ends "
                "alerts only, because nobody can waive a notice that the law demands."
            ),
        )

    def clean(self) -> dict[str, Any]:
        """Finds the address's index, and refuses it where it stands already."""
        cleaned: dict[str, Any] = super().clean() or {}
        if "address" not in cleaned:
            return cleaned
        incident, self.instance.channel = cleaned.get("incident"), self.channel
        try:
            self.instance.index = suppressing.index_in(self.channel, cleaned["address"], incident)
        except SealingError as error:
            self.add_error("incident", in_words(str(error)))
            return cleaned
        live = Suppression.objects.live()
        same = {"index": self.instance.index, "channel": self.channel, "incident": incident}
        if live.filter(**same).exists():
            self.add_error("address", _("This address is on the list already."))
        return cleaned


class LiftForm(forms.Form):
    """Lets an address be written to again."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        max_length=500,
        widget=forms.TextInput(attrs={"class": "vTextField"}),
    )

    def __init__(self, *args: Any, entry: Suppression, by: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.entry, self.by = entry, by

    def lift(self) -> bool:
        """False, with the reason in the form, if it was lifted before."""
        if not self.is_valid():
            return False
        if suppressing.lift(self.entry, by=self.by, reason=self.cleaned_data["reason"]):
            return True
        self.add_error(None, _("This entry was lifted before."))
        return False


@admin.register(Suppression)
class SuppressionAdmin(admin.ModelAdmin):
    """Nobody can read an address here; whoever knows one can look it up."""

    form = SuppressionForm
    change_list_template = "admin/notices/suppression/change_list.html"
    list_display = ["id", "channel", "holds_for", "source", "added_at", "added_by", "lifted_at"]
    list_filter = ["source", "channel", "incident"]
    list_select_related = ["incident", "added_by"]
    show_full_result_count = False
    actions = None

    def has_change_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        """An entry is lifted, not edited."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Suppression | None = None) -> bool:
        """Why somebody was not told has to be seen later."""
        return False

    def get_fields(self, request: HttpRequest, obj: Suppression | None = None) -> list[Any]:
        if obj is None:
            return ["address", "incident", "source", "reason"]
        shown = ["channel", "holds_for", "source", "reason", "added_by", "added_at"]
        return [*shown, "lifted_by", "lifted_at", "lifted_reason"]

    @admin.display(description=gettext_lazy("incident"), ordering="incident")
    def holds_for(self, obj: Suppression) -> str:
        """Which incident's notices it keeps back."""
        return str(obj.incident or _("all incidents"))

    def save_model(self, request: HttpRequest, obj: Suppression, form: Any, change: bool) -> None:
        obj.added_by = staff_of(request)
        super().save_model(request, obj, form, change)

    def get_urls(self) -> list[URLPattern]:
        own = partial(own_page, self)
        return [
            own("look-up/", self.look_up, "look_up"),
            own("<int:pk>/lift/", self.lift, "lift"),
            *super().get_urls(),
        ]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        may_lift = request.user.has_perm("notices.change_suppression")
        context = {**(extra_context or {}), "may_lift": may_lift}
        return super().change_view(request, object_id, form_url, context)

    def look_up(self, request: HttpRequest) -> HttpResponse:
        """Whether an address is on the list. By POST: it has no place in a URL or a log."""
        require(request, "notices.view_suppression")
        form = AddressForm(request.POST or None)
        found: list[Suppression] = []
        if form.is_valid():
            found = _found(form)
            keys = [entry.pk for entry in found]
            logger.info("user %s looked up suppressions %s", request.user.pk, keys)
        context = self._context(request, _("Look up an address")) | {"form": form, "found": found}
        return TemplateResponse(request, "admin/notices/suppression/look_up.html", context)

    def lift(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Asks why, then lets the address be written to again."""
        require(request, "notices.change_suppression")
        entry = get_object_or_404(Suppression, pk=pk)
        form = LiftForm(request.POST or None, entry=entry, by=staff_of(request))
        if request.method == "POST" and form.lift():
            self.log_change(request, entry, f"{_('Lifted.')} {form.cleaned_data['reason']}")
            messages.success(request, _("Lifted."))
            return redirect("admin:notices_suppression_change", pk)
        explanation = _("The address can be written to again, from the next message on.")
        if entry.source == Suppression.Source.STRANGER:
            belongs = _(
                "It stands here because it belongs to somebody else, whom notices reach then."
            )
            explanation = f"{explanation}\n{belongs}"
        context = self._context(request, _("Lift this entry")) | {
            "explanation": explanation,
            "button": _("Lift"),
            "form": form,
            "original": entry,
        }
        return TemplateResponse(request, "incidents/desk/ask.html", context)

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "opts": self.opts}


def _found(form: AddressForm) -> list[Suppression]:
    try:
        entries = suppressing.entries_of(form.channel, form.cleaned_data["address"])
        return list(entries.select_related("incident", "added_by"))
    except SealingError as error:
        form.add_error(None, in_words(str(error)))
        return []


@admin.register(ReturnedMail)
class ReturnedMailAdmin(ShownOnly, admin.ModelAdmin):
    """How much came back, day by day; unknown addresses in numbers are an attack or a mistake."""

    list_display = ["day", "outcome", grouped(ReturnedMail, "number")]
    list_display_links = None
    list_filter = ["outcome"]
    actions = None

    def has_delete_permission(self, request: HttpRequest, obj: ReturnedMail | None = None) -> bool:
        return False
