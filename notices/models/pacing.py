"""How far senders are in their sending plans, and the people of a notice by provider group."""

from django.db import models

from notices.models.notice import Notice


class SendingPace(models.Model):
    """How far one sender is in one plan with one provider group. All notices of the sender share
    it, because the provider sees the sender and not the notice.

    `sender` is the relay and the domain in From.
    """

    sender = models.CharField(max_length=300)
    plan = models.CharField(max_length=40)
    group = models.CharField(max_length=40)
    step = models.PositiveSmallIntegerField(default=0)
    step_at = models.DateTimeField()
    admitted = models.BigIntegerField(default=0)
    refused_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["sender", "plan", "group"], name="one_pace_a_group")
        ]

    def __str__(self) -> str:
        return f"{self.sender}/{self.plan}/{self.group}"


class NoticeGroup(models.Model):
    """The people of a notice in one provider group: how many there are, by an estimate from a
    sample, and how many were tried. Only notices with a plan have these rows.
    """

    notice = models.ForeignKey(Notice, on_delete=models.CASCADE, related_name="groups")
    group = models.CharField(max_length=40)
    people = models.BigIntegerField(default=0)
    tried = models.BigIntegerField(default=0)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["notice", "group"], name="one_group_a_notice")
        ]

    def __str__(self) -> str:
        return f"{self.notice_id}/{self.group}"
