"""The states that more than one model names."""

from django.db import models
from django.utils.translation import gettext_lazy as _

# Each recipient of a notice ends in exactly one of these states. Notice and Chunk have a counter of
# the same name for each.
END_STATES = ("accepted", "bounced", "suppressed", "unreachable", "in_doubt", "cancelled")


class ChunkState(models.TextChoices):
    """What a worker may do with a chunk: Chunk.State."""

    DUE = "due", _("due")
    LEASED = "leased", _("leased")
    DONE = "done", _("done")
