"""How a language makes phrases with counts, lists and particles, where a catalogue cannot.

A language that is not in PHRASES gets phrases without grammar, whose words are in its catalogue.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.formats import number_format
from django.utils.translation import get_language, gettext

from foundations.languages import shorter_codes

# Between a count and its unit, because a count alone at the start of a line is misread.
_NO_BREAK = "\u00a0"


class Phrases:
    """The phrases of any language: a name, and its count in brackets."""

    def leaked(self, items: Sequence[str]) -> str:
        """Returns the sentence that these items of a person leaked."""
        return gettext("Leaked: %(items)s") % {"items": self.joined(items)}

    def joined(self, items: Sequence[str]) -> str:
        """Returns the items as a list."""
        return gettext(", ").join(items)

    def counted(self, name: str, count: int, unit: str, units: str) -> str:  # noqa: ARG002
        """Returns a data class with its count; `unit` is counted once, `units` several times."""
        return f"{name}{_NO_BREAK}({self.number(count, unit)})"

    def bare(self, name: str, unit: str) -> str:  # noqa: ARG002  # English uses it
        """Returns a data class without a count."""
        return name

    def number(self, count: int, unit: str) -> str:  # noqa: ARG002  # others use it
        """Returns the count of something whose name stands elsewhere."""
        return number_format(count, force_grouping=True)


class KoreanPhrases(Phrases):
    """주소 2개, and 이 or 가 by the last syllable."""

    def leaked(self, items: Sequence[str]) -> str:
        """Returns the sentence with the particle that the last syllable needs."""
        listed = self.joined(items)
        return f"{listed}{'이' if _ends_in_consonant(listed) else '가'} 유출되었습니다"

    def joined(self, items: Sequence[str]) -> str:
        """Returns the items with commas."""
        return ", ".join(items)

    def counted(self, name: str, count: int, unit: str, units: str) -> str:  # noqa: ARG002
        """Returns the name, the count and the counter word."""
        return f"{name}{_NO_BREAK}{self.number(count, unit)}"

    def number(self, count: int, unit: str) -> str:
        """Returns "2건": there is a counter word for each kind of thing."""
        return f"{count:,}{unit}"


@dataclass(frozen=True)
class NounPhrases(Phrases):
    """2 Adressen: the count before a noun in the singular or plural, and a word for "and".

    `sentence` says that {items} leaked. It has a form that needs neither gender nor number, such as
    a colon. A count is at least 1; a language that has no plural forms has the same noun twice.
    """

    sentence: str
    last: str  # between the last two items, with its spaces

    def leaked(self, items: Sequence[str]) -> str:
        """Returns "Your name and 2 addresses leaked"."""
        return self.sentence.format(items=self.joined(items))

    def joined(self, items: Sequence[str]) -> str:
        """Returns "a, b and c"."""
        return self.before_last(items).join(filter(None, [", ".join(items[:-1]), *items[-1:]]))

    def before_last(self, items: Sequence[str]) -> str:  # noqa: ARG002  # Spanish uses it
        """Returns what stands before the last item."""
        return self.last

    def counted(self, name: str, count: int, unit: str, units: str) -> str:  # noqa: ARG002
        """Returns the count and the noun."""
        return f"{self.number(count, unit)}{_NO_BREAK}{unit if count == 1 else units}"

    def bare(self, name: str, unit: str) -> str:  # noqa: ARG002
        """Returns the noun as a sentence needs it: in lower case, but for German."""
        return unit


class SpanishPhrases(NounPhrases):
    """The word y is e before the sound i."""

    def before_last(self, items: Sequence[str]) -> str:
        """Returns " e " before "identificador" and "historial", but not before "hielo"."""
        return " e " if re.match(r"h?[ií](?![aeou])", items[-1], re.IGNORECASE) else self.last


class JapanesePhrases(Phrases):
    """住所2件: the name, the count and a counter word, without spaces."""

    def leaked(self, items: Sequence[str]) -> str:
        """Returns the sentence; its particle never changes."""
        return f"{self.joined(items)}が漏えいしました"

    def joined(self, items: Sequence[str]) -> str:
        """Returns the items with Japanese commas."""
        return "、".join(items)

    def counted(self, name: str, count: int, unit: str, units: str) -> str:  # noqa: ARG002
        """Returns the name, the count and the counter word."""
        return f"{name}{self.number(count, unit)}"

    def number(self, count: int, unit: str) -> str:
        """Returns "2件"."""
        return f"{count:,}{unit}"


@dataclass(frozen=True)
class ChinesePhrases(Phrases):
    """2个地址: the count, a measure word and the name, without spaces. `sentence` has {items}."""

    sentence: str

    def leaked(self, items: Sequence[str]) -> str:
        """Returns the sentence."""
        return self.sentence.format(items=self.joined(items))

    def joined(self, items: Sequence[str]) -> str:
        """Returns the items with 、 and 和 before the last one."""
        return "和".join(filter(None, ["、".join(items[:-1]), *items[-1:]]))

    def counted(self, name: str, count: int, unit: str, units: str) -> str:  # noqa: ARG002
        """Returns the count, the measure word and the name."""
        return f"{self.number(count, unit)}{name}"

    def number(self, count: int, unit: str) -> str:
        """Returns "2个"."""
        return f"{count:,}{unit}"


PHRASES: dict[str, Phrases] = {
    "ko": KoreanPhrases(),
    "en": NounPhrases("Your {items} leaked", " and "),
    "ja": JapanesePhrases(),
    "zh-hans": ChinesePhrases("您的{items}已泄露"),
    "zh-hant": ChinesePhrases("您的{items}已外洩"),
    "vi": NounPhrases("Dữ liệu của bạn đã bị lộ: {items}", " và "),
    "de": NounPhrases("Abgeflossen sind Ihre Daten: {items}", " und "),
    # A no-break space before the colon, as French typography has it.
    "fr": NounPhrases("Vos données divulguées\u00a0: {items}", " et "),
    "es": SpanishPhrases("Se han filtrado sus datos: {items}", " y "),
}
_PLAIN = Phrases()


def phrases() -> Phrases:
    """Returns the phrases of the active language."""
    codes = shorter_codes(get_language() or "")
    return next((PHRASES[code] for code in codes if code in PHRASES), _PLAIN)


def _ends_in_consonant(text: str) -> bool:
    """Returns whether the last character is a Hangul syllable with a final consonant.

    Unicode orders the syllables in blocks of 28, and only the first of a block has no final
    consonant.
    """
    last = text[-1:]
    return "가" <= last <= "힣" and (ord(last) - ord("가")) % 28 != 0
