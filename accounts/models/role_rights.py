"""The model of the permissions that the portal gave a role."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils.translation import gettext_lazy as _


class RoleRights(models.Model):
    """The permissions that the portal gave a role last; see accounts.team.roles.

    If the group has others, the company changed it by hand.
    """

    name = models.CharField(_("role"), max_length=150, unique=True)
    rights = ArrayField(models.CharField(max_length=200))  # "app.codename", in their order

    class Meta:
        verbose_name = _("permissions of a role")
        verbose_name_plural = _("permissions of roles")
        default_permissions = ()

    def __str__(self) -> str:
        return self.name
