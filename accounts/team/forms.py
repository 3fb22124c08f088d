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
from accounts.desk_look_ups import ActReasonForm
from accounts.desk_tasks import link_to
from accounts.models import Invitation, RightsGrant, User
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
        if pending := Invitation.objects.pending().filter(email=email).first():
            raise ValidationError(link_to(pending, _("An invitation of this address is pending.")))
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


class EndStaffSessionForm(ActReasonForm):
    """Ends one session of a member of the team, or all of them if none is chosen. Asks why."""

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


class UserForm(forms.ModelForm, ActReasonForm):
    """The form of a user on the desk. New rights wait for another superuser; see RightsGrant.

    Who takes rights away, or deactivates the account, gives a reason.
    """

    FLAGS = ("is_staff", "is_superuser")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["reason"].required = False

    def clean_email(self) -> str:
        """Returns the normalised address. Refuses an address that is not complete."""
        email = normalise_email(self.cleaned_data["email"])
        if not is_usable_email(email):
            raise ValidationError(_("Enter a whole e-mail address, such as name@example.com."))
        return email

    def clean(self) -> dict[str, Any]:
        """Holds back the rights that the user does not have yet.

        A deactivated account has none: who activates it again gives it its rights. Refuses new
        rights if others of the same user wait already.
        """
        cleaned = super().clean() or {}
        before = User.objects.filter(pk=self.instance.pk).first()
        if before and self._takes_from(before, cleaned) and not cleaned.get("reason"):
            self.add_error("reason", _("Write why the account loses rights."))
        active = before if before and (before.is_active or not cleaned.get("is_active")) else None
        self.new_flags = [
            name for name in self.FLAGS if cleaned.get(name) and not getattr(active, name, False)
        ]
        held = set(active.groups.all()) if active else set()
        self.new_groups = [group for group in cleaned.get("groups") or () if group not in held]
        waiting = before and before.rights_grants.waiting().first()
        if self.asks_for_rights and waiting:
            why = _("Other rights of this user wait to be confirmed.")
            raise ValidationError(link_to(waiting, why))
        for name in self.new_flags:
            cleaned[name] = False
        if self.new_groups:
            cleaned["groups"] = [group for group in cleaned["groups"] if group in held]
        return cleaned

    def _takes_from(self, before: User, cleaned: dict[str, Any]) -> bool:
        """Returns whether the account loses a right, or is deactivated."""
        flags = [name for name in ("is_active", *self.FLAGS) if name in self.fields]
        kept = set(cleaned.get("groups") or ()) if "groups" in self.fields else None
        return any(getattr(before, name) and not cleaned.get(name) for name in flags) or (
            kept is not None and not kept.issuperset(before.groups.all())
        )

    @property
    def asks_for_rights(self) -> bool:
        """Returns whether the form asks for rights that the user does not have."""
        return bool(self.new_flags or self.new_groups)

    def ask_for_rights(self, by: User) -> None:
        """Stores the new rights, for another superuser to confirm. The user must be saved."""
        flags = dict.fromkeys(self.new_flags, True)
        grant = RightsGrant.objects.create(user=self.instance, asked_by=by, **flags)
        grant.groups.set(self.new_groups)
