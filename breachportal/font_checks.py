"""The system check of `manage.py check --deploy` that documents can show people's names."""

from typing import Any

from django.core import checks

from foundations import documents

# Characters of names that the fonts in the repository lack, by the package that has them.
SAMPLES = {
    "fonts-noto-cjk": "髙橋张伟\U00020bb7",
    "fonts-noto-color-emoji": "😀",
    "fonts-noto-core": "ሰላም",
}


def check_fonts(**_kwargs: Any) -> list[checks.CheckMessage]:
    """Returns a warning for each package of fonts whose characters no installed font has."""
    return [
        checks.Warning(
            "PDF documents write some characters of names as numbers, such as "
            f"{', '.join(sorted(missing))}.",
            hint=f"Install {package}, or name its folder in DOCUMENT_FONTS.",
            id="breachportal.W001",
        )
        for package, sample in SAMPLES.items()
        if (missing := documents.missing_glyphs(sample))
    ]
