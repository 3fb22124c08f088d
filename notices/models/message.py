"""The messages of a notice: rendered and encoded once for each language."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from foundations.languages import CODE_LENGTH, portal_languages
from notices.models.notice import Notice


class NoticeMessage(models.Model):
    """A notice's message in one language, rendered and MIME-encoded once at its approval.

    `mime` holds slots (notices.message_templates.SLOTS) that are filled for each person. Each slot
    begins with `marker`, which is random, so that no text and no value can contain a slot.
    """

    notice = models.ForeignKey(
        Notice, verbose_name=_("notice"), on_delete=models.CASCADE, related_name="messages"
    )
    language = models.CharField(_("language"), max_length=CODE_LENGTH, choices=portal_languages)
    # The one message to a contact of many people; see notices.engine.held_back.
    is_for_shared_contact = models.BooleanField(default=False, editable=False)
    marker = models.CharField(max_length=40, editable=False)
    mime = models.BinaryField(editable=False)
    # {"customer": the address of a person without a name, "classes": {data class id: name}}
    slot_texts = models.JSONField(editable=False)

    class Meta:
        verbose_name = _("message")
        verbose_name_plural = _("messages")
        constraints = [
            models.UniqueConstraint(
                fields=["notice", "language", "is_for_shared_contact"],
                name="one_message_a_language",
            )
        ]

    def __str__(self) -> str:
        return f"{self.notice} {self.language}"
