"""The course of an incident's figures over time."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from incidents.models.incident import Incident


class FigurePoint(models.Model):
    """The value of one figure of an incident at one time; see incidents.figure_points.

    It is stored, because the course could later be found by a scan of millions of rows only.
    """

    incident = models.ForeignKey(
        Incident,
        verbose_name=_("incident"),
        on_delete=models.CASCADE,
        related_name="figure_points",
        db_index=False,
    )
    figure = models.CharField(_("figure"), max_length=20)  # a DeskFigure.key
    at = models.DateTimeField(_("at"))
    value = models.PositiveBigIntegerField(_("value"))

    class Meta:
        verbose_name = _("point of a figure")
        verbose_name_plural = _("points of figures")
        constraints = [
            # also the index by which the page reads the points
            models.UniqueConstraint(fields=["incident", "figure", "at"], name="figure_point_once")
        ]

    def __str__(self) -> str:
        return f"{self.incident_id} {self.figure}: {self.value}"
