"""The forms for the accounts of the response team."""

from typing import Any

from allauth.usersessions.models import UserSession
from django import forms
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from accounts.admin_site import role_name
from accounts.contacts import is_usable_email, normalise_email
from accounts.models import Invitation, User
from accounts.second_factor import end_other_sessions


class RolesField(forms.ModelMultipleChoiceField):
    """Roles by their names in the active language."""

    def label_from_instance(self, obj: Group) -> str:
        """Returns the role's name."""
        return role_name(obj.name)


class InvitationForm(forms.ModelForm):
    """The address that is invited, the roles, and the language of the mail."""

    groups = RolesField(
        label=_("Roles"), queryset=Group.objects.all(), widget=forms.CheckboxSelectMultiple
    )

    class Meta:
        model = Invitation
        fields = ["email", "groups", "language"]

    def clean_email(self) -> str:
        """Returns the normalised address.

        Refuses one that is not complete, one that is invited already, and one of the team: its
        roles change on the page of the user. So does a deactivated account.
        """
        email = normalise_email(self.cleaned_data["email"])
        if not is_usable_email(email):
            raise ValidationError(_("Enter a whole e-mail address, such as name@example.com."))
        if Invitation.objects.pending().filter(email=email).exists():
            raise ValidationError(_("An invitation of this address is pending."))
        users = User.objects.filter(email=email) | User.objects.filter(
            emailaddress__email=email, emailaddress__verified=True
        )
        for user in users.distinct():
            if user.is_staff or not user.is_active:
                text = _("%(user)s has an account here: change it on the page of the user.")
                raise ValidationError(text, params={"user": user})
        return email


class AcceptInvitationForm(forms.Form):
    """The name by which colleagues know the invited person."""

    name = forms.CharField(
        label=_("Your name"),
        help_text=_("Your colleagues see it on the response desk. Customers do not."),
        max_length=100,
        error_messages={"required": _("Enter your name.")},
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )

    def clean_name(self) -> str:
        """Returns the name in one line. Refuses characters that are not shown."""
        name = " ".join(self.cleaned_data["name"].split())
        if not name.isprintable():
            raise ValidationError(_("Enter your name."))
        return name


class EndStaffSessionForm(forms.Form):
    """Ends one session of a member of the team, or all of them if none is chosen."""

    session = forms.ModelChoiceField(queryset=UserSession.objects.none(), required=False)

    def __init__(self, data: Any = None, *, user: User) -> None:
        super().__init__(data)
        self.user = user
        of_user = UserSession.objects.filter(user=user)
        self.fields["session"].queryset = of_user  # type: ignore[attr-defined]

    def save(self, request: HttpRequest) -> None:
        """Signs the member out there at once; the session of `request` itself goes on."""
        if chosen := self.cleaned_data["session"]:
            chosen.end()
        else:
            end_other_sessions(request, self.user)
