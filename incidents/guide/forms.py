"""The questions of the guide, one form each, in the order in which they are asked."""

from collections.abc import Mapping
from itertools import chain, count
from typing import Any, ClassVar
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from foundations.languages import (
    LocalizedText,
    default_language,
    desk_language,
    portal_codes,
    portal_languages,
)
from foundations.localized_fields import show_languages
from incidents.forms import IncidentForm
from incidents.guide.incident_templates import filled, incident_templates
from incidents.models import Basis, DataClass, Incident
from incidents.models.incident import default_phone_region, default_time_zone
from incidents.models.jurisdiction import jurisdiction_choices

NO_TEMPLATE = "none"
Known = Mapping[str, Any]  # the checked answers before a question, by the names of their fields


class Question:
    """The question of a form of the guide, and suggestions for its answer."""

    asks: ClassVar[Any]

    @classmethod
    def suggested(cls, known: Known) -> dict[str, Any]:  # noqa: ARG003  # for subclasses
        """Returns the initial answer for a person who has given the `known` answers before."""
        return {}


class TemplateQuestion(Question, forms.Form):
    """The template that suggests the later answers."""

    asks = gettext_lazy("What kind of incident is it?")

    template = forms.ChoiceField(label=gettext_lazy("Kind"), widget=forms.RadioSelect)

    def __init__(self, *args: Any, known: Known, **kwargs: Any) -> None:  # noqa: ARG002
        super().__init__(*args, **kwargs)
        choices = [
            (key, f"{each.name}. {each.description}") for key, each in incident_templates().items()
        ]
        none = (NO_TEMPLATE, _("None of these: nothing is filled in"))
        self.fields["template"].choices = [*choices, none]  # type: ignore[attr-defined]


class IncidentQuestion(Question, IncidentForm):
    """A question about some fields of the incident, checked as the incident's own form does."""

    def __init__(self, *args: Any, known: Known, **kwargs: Any) -> None:
        self.known = known
        super().__init__(*args, **kwargs)
        del self.fields["reason"]
        show_languages(self, _languages(known))

    def needed_languages(self, cleaned: dict[str, Any]) -> list[str]:
        """Returns the languages that were chosen before."""
        return cleaned.get("languages") or _languages(self.known)


class LanguagesQuestion(IncidentQuestion):
    """The languages of the incident's texts, and its time zone and region."""

    asks = gettext_lazy("In which languages and where?")

    languages = forms.MultipleChoiceField(
        label=gettext_lazy("Languages"),
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Each statement is published in all of them."),
    )

    class Meta:
        model = Incident
        fields = ["languages", "default_language", "time_zone", "phone_region"]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["languages"].choices = portal_languages()  # type: ignore[attr-defined]

    @classmethod
    def suggested(cls, known: Known) -> dict[str, Any]:  # noqa: ARG003
        """Returns the languages and the place of the portal."""
        return {
            "languages": _first_languages(),
            "default_language": default_language(),
            "time_zone": default_time_zone(),
            "phone_region": default_phone_region(),
        }


class CompanyQuestion(IncidentQuestion):
    """The company's name."""

    asks = gettext_lazy("Which company lost the data?")

    class Meta:
        model = Incident
        fields = ["company"]


class AwareQuestion(IncidentQuestion):
    """The moment from which the legal clocks count."""

    asks = gettext_lazy("When did the company become aware?")

    class Meta:
        model = Incident
        fields = ["aware_at"]

    aware_at = forms.DateTimeField(
        label=gettext_lazy("Became aware"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
    )

    def __init__(self, *args: Any, known: Known, **kwargs: Any) -> None:
        super().__init__(*args, known=known, **kwargs)
        zone = zone_of(known)
        now = date_format(timezone.localtime(timezone=zone), "DATETIME_FORMAT")
        self.fields["aware_at"].help_text = _(
            "The legal clocks count from this moment. Write it in the time zone of the incident, "
            "%(zone)s. There it is now %(now)s."
        ) % {"zone": zone.key, "now": now}


def _day_input() -> forms.DateInput:
    return forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d")


class AccessQuestion(IncidentQuestion):
    """The days of the access, and whether it came from outside."""

    asks = gettext_lazy("What is known of the access?")

    class Meta:
        model = Incident
        fields = ["began_on", "ended_on", "illegal_access"]
        widgets: ClassVar[dict[str, Any]] = {"began_on": _day_input(), "ended_on": _day_input()}

    def clean(self) -> dict[str, Any]:
        """Rejects an access that ends before it begins, or in the future."""
        cleaned = super().clean()
        began, ended = cleaned.get("began_on"), cleaned.get("ended_on")
        if began and ended and ended < began:
            self.add_error("ended_on", _("The access ended before it began."))
        for name in ("began_on", "ended_on"):
            day = cleaned.get(name)
            if day and day > timezone.localdate():
                self.add_error(name, _("This day is in the future."))
        return cleaned


class LawsQuestion(Question, forms.Form):
    """The jurisdictions whose laws apply."""

    asks = gettext_lazy("Which laws apply?")

    jurisdictions = forms.MultipleChoiceField(
        label=gettext_lazy("Jurisdictions"),
        choices=jurisdiction_choices,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Those of the people, not only that of the company."),
    )

    def __init__(self, *args: Any, known: Known, **kwargs: Any) -> None:  # noqa: ARG002
        super().__init__(*args, **kwargs)


class ClassesQuestion(Question, forms.Form):
    """The data classes that leaked, and the basis of these claims."""

    asks = gettext_lazy("Which data leaked?")

    involved = forms.ModelMultipleChoiceField(
        DataClass.objects.all(),
        label=gettext_lazy("Leaked"),
        widget=forms.CheckboxSelectMultiple,
    )
    basis = forms.ChoiceField(
        label=gettext_lazy("Basis"), choices=Basis.choices, initial=Basis.COMPANY
    )

    def __init__(self, *args: Any, known: Known, **kwargs: Any) -> None:  # noqa: ARG002
        super().__init__(*args, **kwargs)

    @classmethod
    def suggested(cls, known: Known) -> dict[str, Any]:
        """Returns the classes of the template."""
        return {"involved": _of_template(known, "involved"), "basis": Basis.COMPANY}


class OtherClassesQuestion(Question, forms.Form):
    """The data classes that possibly leaked, and those that did not."""

    asks = gettext_lazy("Which other data is in question?")

    possibly = forms.ModelMultipleChoiceField(
        DataClass.objects.all(),
        label=gettext_lazy("Possibly leaked"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    not_involved = forms.ModelMultipleChoiceField(
        DataClass.objects.all(),
        label=gettext_lazy("Did not leak"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("Only what the company has examined. Customers rely on it."),
    )

    def __init__(self, *args: Any, known: Known, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        leaked = [each.pk for each in known.get("involved", ())]
        others = DataClass.objects.exclude(pk__in=leaked)
        for name in ("possibly", "not_involved"):
            self.fields[name].queryset = others  # type: ignore[attr-defined]

    @classmethod
    def suggested(cls, known: Known) -> dict[str, Any]:
        """Returns the other classes of the template. That a class did not leak, a person says."""
        return {"possibly": _of_template(known, "possibly")}

    def clean(self) -> dict[str, Any]:
        """Rejects a class with two answers."""
        cleaned = super().clean() or {}
        both = set(cleaned.get("possibly", ())) & set(cleaned.get("not_involved", ()))
        if both:
            names = ", ".join(sorted(str(each) for each in both))
            self.add_error("not_involved", _("Marked twice: %(names)s") % {"names": names})
        return cleaned


class PeopleQuestion(IncidentQuestion):
    """The number of accounts as the company states it."""

    asks = gettext_lazy("How many accounts does the company state?")

    class Meta:
        model = Incident
        fields = ["reported_count"]


class TitleQuestion(IncidentQuestion):
    """The incident's title and its web address."""

    asks = gettext_lazy("What is the incident called?")

    class Meta:
        model = Incident
        fields = ["title", "slug"]

    @classmethod
    def suggested(cls, known: Known) -> dict[str, Any]:
        """Returns the template's title with the company's name, and an address of both."""
        names = known["company"].by_language()
        template = incident_templates().get(known.get("template", ""))
        title = filled(template.title, company=names) if template else LocalizedText()
        words = next((slugify(text) for text in names.values() if slugify(text)), "incident")
        return {"title": title, "slug": _free_slug(f"{words[:40]}-{known['aware_at']:%Y}")}


def _free_slug(wanted: str) -> str:
    """Returns the slug with the next free number, which the first incident of a year has not."""
    taken = set(Incident.objects.filter(slug__startswith=wanted).values_list("slug", flat=True))
    numbered = (f"{wanted}-{number}" for number in count(2))
    return next(slug for slug in chain([wanted], numbered) if slug not in taken)


class SummaryQuestion(IncidentQuestion):
    """The summary that customers read first."""

    asks = gettext_lazy("What happened, in ten seconds?")

    class Meta:
        model = Incident
        fields = ["summary"]

    @classmethod
    def suggested(cls, known: Known) -> dict[str, Any]:
        """Returns the template's summary with the names of the leaked classes."""
        template = incident_templates().get(known.get("template", ""))
        if template is None:
            return {}
        involved = list(known.get("involved", ()))
        classes = {
            code: ", ".join(each.name.in_language(code) for each in involved)
            for code in _languages(known)
        }
        names = known["company"].by_language()
        return {"summary": filled(template.summary, company=names, classes=classes)}


class ContactQuestion(IncidentQuestion):
    """The department, and the contacts that the company really uses."""

    asks = gettext_lazy("Whom can customers ask?")

    class Meta:
        model = Incident
        fields = ["department", "contact_phone", "contact_email", "official_contacts"]


QUESTIONS: dict[str, Any] = {
    "template": TemplateQuestion,
    "languages": LanguagesQuestion,
    "company": CompanyQuestion,
    "aware": AwareQuestion,
    "access": AccessQuestion,
    "laws": LawsQuestion,
    "classes": ClassesQuestion,
    "other-classes": OtherClassesQuestion,
    "people": PeopleQuestion,
    "title": TitleQuestion,
    "summary": SummaryQuestion,
    "contact": ContactQuestion,
}


def zone_of(known: Known) -> ZoneInfo:
    """Returns the time zone that was chosen before, else that of the portal."""
    return ZoneInfo(known.get("time_zone") or default_time_zone())


def _languages(known: Known) -> list[str]:
    return known.get("languages") or _first_languages()


def _first_languages() -> list[str]:
    """Returns the portal's first language and those of its others that the desk speaks.

    A company rarely writes in all nine languages that customers may read.
    """
    first, *others = portal_codes()
    return [first, *(code for code in others if desk_language(code) == code)]


def _of_template(known: Known, name: str) -> list[int]:
    template = incident_templates().get(known.get("template", ""))
    slugs = getattr(template, name) if template else ()
    leaked = [each.pk for each in known.get("involved", ())]
    found = DataClass.objects.filter(slug__in=slugs).exclude(pk__in=leaked)
    return list(found.values_list("pk", flat=True))
