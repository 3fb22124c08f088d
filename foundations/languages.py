"""The portal's languages, and the texts that people write in them.

Texts of one thing in several languages are one value, a LocalizedText. No code needs the name of a
language: languages are data, in settings.LANGUAGES and at each incident.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import final

from babel import Locale, UnknownLocaleError
from django.conf import settings
from django.utils.functional import lazy
from django.utils.translation import get_language, get_language_info, to_locale

# A language code as Django writes it: "ko", "pt-br", "zh-hant". It has at most CODE_LENGTH letters.
CODE = re.compile(r"[a-z]{2,3}(?:-[a-z0-9]{2,8})*")
CODE_LENGTH = 12
SOURCE_LANGUAGE = "en"  # of the messages in the code, and of the output of commands


def portal_languages() -> list[tuple[str, str]]:
    """Returns (code, own name) of each language of the portal, the default language first."""
    return sorted(settings.LANGUAGES, key=lambda entry: entry[0] != settings.LANGUAGE_CODE)


def portal_codes() -> list[str]:
    """Returns the codes of the portal's languages, the default language first."""
    return [code for code, _name in portal_languages()]


def portal_language(code: str) -> str:
    """Returns the portal's language for a reader of `code`: the same one, or the default."""
    codes = portal_codes()
    return next((one for one in shorter_codes(code) if one in codes), default_language())


def portal_name() -> str:
    """Returns the company's name in the active language, else in the portal's first one."""
    code = portal_language(get_language() or "")
    return str(settings.PORTAL_NAME.get(code, settings.PORTAL_HOST))


def default_language() -> str:
    """Returns settings.LANGUAGE_CODE, the language of readers whose language is not known."""
    return str(settings.LANGUAGE_CODE)


def is_kept_whole(code: str) -> bool:
    """Returns whether lines break at spaces only: the words of Korean are not broken."""
    return bool({"ko"} & set(shorter_codes(code)))


def desk_language(code: str) -> str:
    """Returns `code` if the desk speaks this language, else SOURCE_LANGUAGE.

    If customers of the portal read another language of the desk and not SOURCE_LANGUAGE, it is
    that one.
    """
    if code in settings.DESK_LANGUAGES:
        return code
    offered = [one for one in portal_codes() if one in settings.DESK_LANGUAGES]
    return SOURCE_LANGUAGE if SOURCE_LANGUAGE in offered or not offered else offered[0]


def default_desk_language() -> str:
    """Returns the desk's language of a team whose language is not known."""
    return desk_language(default_language())


def desk_languages() -> list[tuple[str, str]]:
    """Returns (code, own name) of each language of the desk."""
    return with_own_names(settings.DESK_LANGUAGES)


def account_languages() -> list[tuple[str, str]]:
    """Returns (code, own name) of each language that an account can have.

    They are those of the portal, then the desk's others, for accounts of the team.
    """
    return [*portal_languages(), *(one for one in desk_languages() if one[0] not in portal_codes())]


def with_own_names(codes: Iterable[str]) -> list[tuple[str, str]]:
    """Returns (code, own name) of each language, in the given order."""
    return [(code, own_name(code)) for code in codes]


def own_name(code: str) -> str:
    """Returns a language's name in the language itself; the code if Django does not know it."""
    return dict(settings.LANGUAGES).get(code) or _info(code).get("name_local") or code


def shorter_codes(code: str) -> list[str]:
    """Returns the code, then the code with fewer and fewer subtags: zh-hant-hk, zh-hant, zh."""
    parts = code.split("-")
    return ["-".join(parts[:number]) for number in range(len(parts), 0, -1)]


def _translated_name(code: str) -> str:
    # Of CLDR: some of Django's own names have a country, such as 英語(米国).
    try:
        reader = Locale.parse(to_locale(get_language() or SOURCE_LANGUAGE))
        if name := reader.languages.get(to_locale(code)):
            return str(name)
    except (UnknownLocaleError, ValueError):
        pass
    return _info(code).get("name_translated") or dict(settings.LANGUAGES).get(code) or code


# Returns a language's name in the language of the reader; translated when it is shown.
translated_name = lazy(_translated_name, str)


def _info(code: str) -> Mapping[str, str]:
    try:
        info: Mapping[str, str] = get_language_info(code)
    except KeyError:
        return {}
    return info


@final
class LocalizedText:
    """A text that people write, by language. Immutable.

    A blank text is no text, and no language occurs twice. `str()` returns the text that a reader
    of the active language gets (see `language_for`).
    """

    __slots__ = ("_texts",)
    # Neither the languages nor the characters are meant by "each" of it, so it has no iteration.
    __iter__ = None

    def __init__(self, texts: "Mapping[str, str] | LocalizedText | None" = None) -> None:
        """Takes the texts by language code. Raises ValueError for another key or value."""
        given = texts.by_language() if isinstance(texts, LocalizedText) else (texts or {})
        if not isinstance(given, Mapping):
            raise ValueError(f"{given!r} is not a mapping of languages to texts")
        for code, text in given.items():
            if not (isinstance(code, str) and CODE.fullmatch(code) and isinstance(text, str)):
                raise ValueError(f"{code!r}: {text!r} is not a text in a language")
        self._texts = {code: text for code, text in given.items() if text.strip()}

    def get(self, language: str) -> str:
        """Returns the text in exactly this language, or ""."""
        return self._texts.get(language, "")

    def language_for(self, wanted: str) -> str:
        """Returns the language of the text that a reader of `wanted` gets; "" without any text.

        It is `wanted`, else the same language with fewer subtags, such as without its region, else
        SOURCE_LANGUAGE, which most readers of another language know, else the first language of
        the portal with a text, else the first other language by its code.
        """
        order = [*shorter_codes(wanted), SOURCE_LANGUAGE, *portal_codes(), *sorted(self._texts)]
        return next((code for code in order if code in self._texts), "")

    def in_language(self, wanted: str | None = None) -> str:
        """Returns the text that a reader of `wanted` gets; the default is the active language."""
        return self.get(self.language_for(wanted or get_language() or default_language()))

    @property
    def lines(self) -> list[str]:
        """Returns the lines of the text in the active language."""
        return self.in_language().splitlines()

    def languages(self) -> list[str]:
        """Returns the codes of the languages that have a text."""
        return list(self._texts)

    def missing(self, languages: Sequence[str]) -> list[str]:
        """Returns those of `languages` that have no text, in their order."""
        return [code for code in languages if code not in self._texts]

    def only(self, languages: Sequence[str]) -> "LocalizedText":
        """Returns the texts in these languages."""
        return LocalizedText({code: self._texts.get(code, "") for code in languages})

    def by_language(self) -> dict[str, str]:
        """Returns the texts by language code; a new dictionary."""
        return dict(self._texts)

    def in_order(self) -> list[tuple[str, str]]:
        """Returns (language code, text), in the order of the portal's languages."""
        order = dict.fromkeys([*portal_codes(), *sorted(self._texts)])
        return [(code, self._texts[code]) for code in order if code in self._texts]

    def __or__(self, other: "Mapping[str, str] | LocalizedText") -> "LocalizedText":
        """Returns the texts with those of `other` in their place; a blank one removes its own."""
        given = other.by_language() if isinstance(other, LocalizedText) else dict(other)
        return LocalizedText(self._texts | given)

    def __str__(self) -> str:
        return self.in_language()

    def __format__(self, spec: str) -> str:
        return format(str(self), spec)

    def __bool__(self) -> bool:
        return bool(self._texts)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, LocalizedText):
            return self._texts == other._texts
        return self._texts == other if isinstance(other, Mapping) else NotImplemented

    def __hash__(self) -> int:
        return hash(frozenset(self._texts.items()))

    def __repr__(self) -> str:
        return f"LocalizedText({self._texts!r})"
