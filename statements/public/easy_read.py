"""The page in easy words about an incident, in the languages whose template has its text."""

from typing import Any

from django.conf import settings
from django.template.exceptions import TemplateDoesNotExist
from django.template.loader import get_template
from django.urls import reverse
from django.utils.translation import get_language, override

from accounts import code_texts
from incidents.models import Incident, IncidentDataClass


def template_name(language: str) -> str:
    """Returns the name of the page's template in a language; "" if there is none."""
    name = f"statements/easy/{language}.html"
    try:
        get_template(name)
    except TemplateDoesNotExist:
        return ""
    return name


def has_page(incident: Incident, language: str | None) -> bool:
    """Returns whether the incident has the page in a language."""
    return language in incident.languages and bool(template_name(language))


def url_of(incident: Incident) -> str:
    """Returns the page's address in the active language; "" if it has none."""
    if not has_page(incident, get_language()):
        return ""
    return reverse("easy_read", args=[incident.slug])


def context(incident: Incident) -> dict[str, Any]:
    """Returns the context of the page. Its language menu has only languages with the page."""
    leaked = incident.class_states.filter(state=IncidentDataClass.State.INVOLVED)
    return {
        "incident": incident,
        "leaked": [one.data_class for one in leaked.select_related("data_class")],
        "easy_languages": _links(incident),
        "takes_numbers": code_texts.are_offered(),
    }


def _links(incident: Incident) -> list[dict[str, str]]:
    links = []
    for code, name in settings.LANGUAGES:
        with override(code):
            if url := url_of(incident):
                links.append({"code": code, "name": name, "url": url})
    return links


def languages_of(incident: Incident) -> list[str]:
    """Returns the languages of the portal in which the incident has the page."""
    return [link["code"] for link in _links(incident)]
