"""Reads the language of a person from a cell: `ko`, `deu`, `en-US`, `ZH_TW`, `Deutsch`, `English`.

A person is stored with a language of the incident. What people of another language get is decided
by a person, in the mapping: `languages = { "fr" = "en", "*" = "ko" }`, where `*` stands for all
other values. An undecided value is never replaced.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from django.conf.locale import LANG_INFO
from django.utils.translation import get_language_info, to_locale

from foundations.languages import CODE, CODE_LENGTH, SOURCE_LANGUAGE, own_name, shorter_codes

# What a report shows of a cell: only a word may be a language; anything else may be personal data.
_WORD = re.compile(r"[^\W\d_]{2,}(?:[-_][^\W_]{2,})*")
_UNDECODED = re.compile("[\ud800-\udfff]")
_MOST_LETTERS = 16
OTHER = "*"  # in the mapping and in counts: all values that are not named
MOST_VALUES = 40  # that a count by value holds
_MOST_SHOWN = 12  # values in a sentence

# A function from a cell to the stored language; None for a value that is not decided.
LanguageReader = Callable[[str], str | None]


def value_key(cell: str) -> str:
    """Returns a cell as it is compared with the values of the mapping."""
    return cell.strip().casefold()


def reader(decided: Mapping[str, str], known: Iterable[str], default: str) -> LanguageReader:
    """Returns the reader of the cells of a column.

    `decided` holds languages by value, as the mapping has them. `known` are the languages of the
    incident, and `default` is the one for people whose cell is blank.
    """
    own = {value_key(value): code for value, code in decided.items()}
    codes = frozenset(known)

    @lru_cache(maxsize=1 << 10)
    def read(cell: str) -> str | None:
        key = value_key(cell)
        if not key:
            return own.get(key, default)
        return own.get(key) or language_of(key, codes) or own.get(OTHER)

    return read


def language_of(key: str, known: frozenset[str]) -> str | None:
    """Returns the language of `known` that a value names by its code or its name; else None.

    A code is one of ISO 639-1, 639-2 or 639-3, also as a locale: de, ger, deu, de_DE.UTF-8. A
    region that `known` does not have is left out: en-us names en. A code without a script names
    the only script that `known` has: zh is zh-hant unless zh-hans is there, too.
    """
    if key in known:  # most cells; to read the names takes a tenth of a second
        return key
    if code := _names(known).get(key):
        return code
    locale = re.split("[.@]", key, maxsplit=1)[0]  # of en_US.UTF-8 and fr_BE@euro
    code = _two_letters(locale.replace("_", "-"))
    if not CODE.fullmatch(code):
        return None
    wider = (one for short in shorter_codes(code) for one in (short, *_same(short)))
    found = next((one for one in wider if one in known), None)
    return found or _only_script(code, known)


def _two_letters(code: str) -> str:
    """Returns a code with ISO 639-1 in place of 639-2 or 639-3: ger and deu are de."""
    first, dash, rest = code.partition("-")
    return str(get_global("language_aliases").get(first, first)) + dash + rest


def _same(code: str) -> list[str]:
    """Returns the codes that stand for a language under another code: zh-hant for zh-tw."""
    info: Mapping[str, list[str]] = LANG_INFO.get(code, {})
    return info.get("fallback", [])


def _only_script(code: str, known: frozenset[str]) -> str | None:
    longer = [one for one in known if one.startswith(f"{code}-")]
    return longer[0] if len(longer) == 1 else None


@cache
def _names(codes: frozenset[str]) -> dict[str, str]:
    """Returns each language by its names: its own, and those in English and in `codes`.

    A name of two languages is none: with both scripts of Chinese, "Chinese" is asked about.
    """
    found: dict[str, set[str]] = {}
    for code in codes:
        for name in {own_name(code), *_names_in(SOURCE_LANGUAGE, code)}.union(
            *(_names_in(reader, code) for reader in codes)
        ):
            found.setdefault(value_key(name), set()).add(code)
    return {name: next(iter(them)) for name, them in found.items() if len(them) == 1}


def _names_in(reader: str, code: str) -> set[str]:
    """Returns the names of a language in the language `reader`, without and with its script."""
    names = {get_language_info(code)["name"]} if code in LANG_INFO else set()
    try:
        languages = Locale.parse(reader, sep="-").languages
    except (UnknownLocaleError, ValueError):
        return names
    wanted = (to_locale(code), code.partition("-")[0])
    return names | {str(languages[one]) for one in wanted if one in languages}


def counted(cells: Iterable[str]) -> Counter[str]:
    """Returns the number of cells by value. Values that are no word are counted as OTHER.

    A cell that cannot be decoded is blank, as it is for an import, which counts it as left out.
    """
    counts = Counter[str]()
    for cell, number in Counter(cells).items():
        counts[_shown(value_key(cell))] += number
    return shortened(counts)


def _shown(key: str) -> str:
    if _UNDECODED.search(key):
        return ""
    is_word = len(key) <= _MOST_LETTERS and _WORD.fullmatch(key.partition(".")[0])
    return key if is_word or not key else OTHER


def shortened(counts: Counter[str]) -> Counter[str]:
    """Returns the counts with at most MOST_VALUES values; the others are counted as OTHER."""
    if len(counts) <= MOST_VALUES:
        return counts
    kept = Counter(dict(counts.most_common(MOST_VALUES)))
    kept[OTHER] += counts.total() - kept.total()
    return kept


def undecided(counts: Mapping[str, int], read: LanguageReader) -> dict[str, int]:
    """Returns the counts of the values that `read` does not decide, the most frequent first."""
    found = {value: number for value, number in counts.items() if read(value) is None}
    return dict(sorted(found.items(), key=lambda one: (-one[1], one[0])))


def in_words(counts: Mapping[str, int]) -> str:
    """Returns "fr: 12,310, de: 20" for a sentence; the first values only."""
    shown = list(counts.items())[:_MOST_SHOWN]
    words = [f"{value}: {number:,}" for value, number in shown]
    return ", ".join(words + ["…"] * (len(counts) > len(shown)))


def example(counts: Mapping[str, int], languages: Sequence[str]) -> str:
    """Returns an entry of the mapping for the first value: what its people get, in TOML."""
    return f'"{next(iter(counts))}" = "{languages[0]}"'


def is_language_code(text: str) -> bool:
    """Returns whether a mapping may name the text as the language of people."""
    return len(text) <= CODE_LENGTH and CODE.fullmatch(text) is not None
