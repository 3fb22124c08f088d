"""Access to texts that staff write in both languages: the columns `<name>_ko` and `<name>_en`."""

from django.conf import settings
from django.db.models import Model
from django.utils.translation import get_language


def in_language(instance: Model, name: str, language: str | None = None) -> str:
    """Returns the text `name` of `instance` in `language`, or in Korean if it is empty there.

    The default of `language` is the active language.
    """
    wanted = (language or get_language() or settings.LANGUAGE_CODE)[:2]
    text: str = getattr(instance, f"{name}_{wanted}", "") or getattr(instance, f"{name}_ko")
    return text
