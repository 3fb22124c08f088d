"""The acts that only superusers may do and that no permission stands for."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

# Shown by the page "Who may do what"; the apps above add theirs in AppConfig.ready.
SUPERUSER_ACTS: list[str | Promise] = [
    _("Invite a member of the response team"),
    _("Confirm rights or an invitation that another superuser asked for"),
    _("Sign another member of the response team out"),
    _("Remove the connection of another member with a company account"),
    _("Make and revoke tokens of the desk’s API"),
]
