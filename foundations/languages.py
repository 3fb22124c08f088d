"""Texts that people write in both languages live in two columns, `<name>_ko` and `<name>_en`."""

from django.conf import settings
from django.db.models import Model
from django.utils.translation import get_language


def in_language(instance: Model, name: str, language: str | None = None) -> str:
    """The text `name` of `instance` in `language` (default: the active one), else in Korean."""
    wanted = (language or get_language() or settings.LANGUAGE_CODE)[:2]
    text: str = getattr(instance, f"{name}_{wanted}", "") or getattr(instance, f"{name}_ko")
    return text
