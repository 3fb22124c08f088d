"""The model of the states of sign-in codes that the database holds while Redis is away."""

from django.db import models


class CodeState(models.Model):
    """A state of a sign-in code, or a count of a limit, while Redis is away; see `code_states`.

    The key is a keyed hash, so a row shows neither an address nor a network.
    """

    key = models.CharField(max_length=200, primary_key=True)
    number = models.PositiveIntegerField(default=0)
    value = models.JSONField(null=True)
    expires_at = models.DateTimeField(db_index=True)  # read by the hourly purge

    class Meta:
        default_permissions = ()  # no page of the desk shows it

    def __str__(self) -> str:
        return self.key
