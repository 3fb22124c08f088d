"""The desk's page on which a person chooses what messages to receive, and how."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from accounts.admin_site import staff_of
from incidents.models import Incident, MessageChoice, MessageKind


class MessageChoiceForm(forms.ModelForm):
    """What the person receives, and how. The webhooks are those of the settings."""

    kinds = forms.MultipleChoiceField(
        label=gettext_lazy("Subjects"),
        choices=MessageKind.choices,
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    webhooks = forms.MultipleChoiceField(
        label=gettext_lazy("Webhooks"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("All who read the channel see the messages. Each is sent once."),
    )

    class Meta:
        model = MessageChoice
        fields = ["by_mail", "webhooks", "kinds"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(name, name) for name in settings.DESK_WEBHOOKS]
        self.fields["webhooks"].choices = names  # type: ignore[attr-defined]
        if not names:
            del self.fields["webhooks"]


def page(desk: "ModelAdmin[Incident]", request: HttpRequest) -> HttpResponse:
    """Shows and stores the choice of the signed-in person."""
    user = staff_of(request)
    choice = MessageChoice.objects.filter(user=user).first() or MessageChoice(user=user)
    form = MessageChoiceForm(request.POST or None, instance=choice)
    if request.method == "POST" and form.is_valid():
        form.save()
        messages.success(request, _("Your choice is stored."))
        return redirect("admin:incidents_incident_messages")
    context = {
        **desk.admin_site.each_context(request),
        "title": _("Messages to you"),
        "opts": desk.opts,
        "form": form,
    }
    return TemplateResponse(request, "incidents/desk/messages.html", context)
