"""Judges by the frequency of letters in which encoding a text reads like a language.

Single-byte encodings decode every text. `Ayþe` and `Pawe³` are Ayşe and Paweł in another encoding
than the declared one, and Þórður is a name. What tells them apart is how often languages use each
letter: Turkish has many more ı than Icelandic has ý, which are the same byte.

A word gets the logarithm of the probability of each letter that is not ASCII, in the language that
explains the whole text best, or, at a price, in the best language of each word.
"""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from itertools import repeat
from typing import Final, NamedTuple

_TOKEN = re.compile(r"[^\s\d,;:|\"'\u2019@/()_.&+\-]{2,}")
# Letters that are not ASCII, by language, with their share in its text in per mille. Of languages
# with another alphabet these are the frequent ones. Rounded from public letter counts; factors of
# two do not matter.
_LANGUAGES: Final = {
    "French": "é12 è4 à2 ç3 ê2 ë2 ï2 ô1 î1 â1 û.6 ù.4 œ.5 ü.3 æ.1 ÿ.1",
    "German": "ü10 ö5 ä6 ß3 é.5 è.2 á.2",
    "Spanish": "ó8 í7 á5 é5 ñ3 ú2 ü.4 ç.1 à.1 ò.1",
    "Portuguese": "ã8 ç5 é4 á3 ó3 í3 ê3 ú1.5 õ.6 â1.5 ô1 à.7 ü.1",
    "Italian": "à6 è4 ò2 ù2 ì1.5 é1",
    "Catalan": "à6 é4 è4 ó4 í4 ç2 ò3 ú1.5 ï.5 ü.4",
    "Nordic": "ä12 ö8 å9 ø7 æ6 é.8 ü.4 ë.1",
    "Icelandic": "á18 í16 ð25 ó10 ö8 þ9 é7 ú6 æ9 ý6 ø1 å.3",
    "Dutch": "ë5 é3 ï2 è1 ö1 ü1 ó.5 ê.2",
    "Estonian": "ä12 õ9 ü7 ö3 š.3 ž.3",
    "Irish": "á10 é6 í9 ó7 ú6",
    "Albanian": "ë30 ç4",
    "Polish": "ł18 ó9 ą10 ę11 ś7 ż8 ć4 ń3 ź1",
    "Czech": "í30 á22 é13 ě16 ř12 š8 ž10 č10 ý11 ů7 ú2 ň.5 ó.5 ť.5 ď.4 ö.2 ü.2",
    "Slovak": "á20 í12 é8 ý10 č10 š9 ž9 ú9 ľ4 ť6 ô2 ň2 ó1 ď1.5 ä1 ĺ.3 ŕ.3",
    "Hungarian": "á37 é38 ö10 ó10 ő9 í6 ü6 ú4 ű2",
    "Romanian": "ă24 î14 â9 ș15 ț12",
    "Croatian": "č11 š9 ž6 ć7 đ5",
    "Turkish": "ı50 ş18 ç12 ğ11 ü18 ö8 İ7 â.3 î.2",
    "Turkish in capitals": "ş18 ç12 ğ11 ü18 ö8 İ86",
    "Lithuanian": "ė15 š12 ų14 ž9 į6 ū5 ą7 č4 ę2",
    "Latvian": "ā40 ī23 ē17 š9 ū5 ņ6 ļ5 ž3 č3 ķ2 ģ2",
    "Vietnamese": "à10 á10 ạ8 ả5 ã4 đ24 ê10 ô10 ơ8 ư14 â10 ă5 ó4 í4 ú3 ị4 ì3 ế6 ệ5 ề4 ộ5 ố4 "
    "ồ3 ờ4 ợ4 ớ4 ữ3 ứ3 ự3 ậ4 ấ4 ầ3 ọ3 ò3 ụ3 ủ3 ù2 ý2 ỳ1 ễ3 ể3 ắ2 ặ2 ằ2 ổ2 ỗ1 ở2 ỹ1 ẩ1 ẫ1 "
    "\u030030 \u030130 \u032330 \u030915 \u030315",
    "Greek": "α110 ο98 ι79 ε83 τ85 σ49 ν79 η53 ρ50 π44 κ42 μ34 λ33 ς40 υ43 γ17 δ17 ω16 χ14 "
    "θ11 φ12 β8 ξ6 ζ5 ψ2 ά20 έ15 ή10 ί25 ό20 ύ10 ώ7",
    "Russian": "о110 е85 а80 и74 н67 т63 с55 р47 в45 л44 к35 м32 д30 п28 у26 я20 ы19 ь17 г17 "
    "з16 б16 ч14 й12 х10 ж9 ш7 ю6 ц5 щ4 э3 ф3 ъ.4 ё2",
    "Ukrainian": "о94 а81 и63 і57 н66 в54 е50 р46 т46 л41 с41 к40 д37 м32 у30 п29 з23 г17 "
    "б18 я24 ч14 й14 ь18 х11 ж9 ц8 ю8 ш8 є5 ї6 щ4 ф3 ґ.2",
    "Bulgarian": "а118 и89 о87 е87 т72 н72 с58 р52 в45 л36 д35 к33 п31 м25 з21 я19 ъ16 у16 "
    "г16 б15 ч15 ц10 щ7 ж7 х6 ш4 й4 ю2 ь.3 ф2",
    "Serbian": "а116 и97 о90 е88 н55 р53 с48 т44 ј42 у41 д37 к36 в36 л33 м31 п27 з17 г16 б15 "
    "ч10 ш10 ц8 ж6 њ6 љ5 х5 ћ6 ф2 ђ2 џ.3 ѓ2 ќ2 ѕ.2",
    "Belarusian": "а160 н63 і59 р58 л43 о40 е45 с45 к43 ы37 т40 ў20 у32 в30 д30 я40 м28 п27 "
    "з27 г17 ц17 б15 ь15 ч14 х10 й12 ш9 ж8 э13 ю5 ё5 ф2",
    "Thai": "า80 น70 ร65 ก55 อ60 เ50 ง45 ม40 ย35 ว32 ล32 ท30 ส28 ต28 ด25 บ22 ป20 พ18 ค22 ห22 "
    "แ15 จ15 ข15 ช13 โ8 ไ13 ใ8 ะ20 \u0e3140 \u0e3435 \u0e3530 \u0e368 \u0e3712 \u0e3818 \u0e3912 "
    "\u0e4840 \u0e4935 \u0e478 \u0e4c15 ำ8 ศ8 ณ6 ซ5 ผ6 ถ8 ธ5 ฐ3 ภ5 ษ6 ญ4 ฟ2 ฝ1 ฉ1 ฎ1 ฒ1 ฮ1 ๆ2",
    "Maltese": "ħ12 ż9 ġ8 ċ4 à3 è1 ù1",
    "Esperanto": "ŝ2 ĉ7 ĝ7 ĵ1 ŭ6 ĥ.3",
    "Welsh": "ŵ4 ŷ3 â3 ô2 ê1 î2 ë1 ï1 á1",
    "Hebrew": "י110 ה109 ו104 ל74 א63 ר56 ת50 ב47 מ50 ש44 נ29 ע32 ח25 ד26 ק21 פ17 ם26 כ27 "
    "ג12 ט12 ס15 ז13 צ12 ן15 ך8 ף3 ץ1",
    "Arabic": "ا120 ل110 ي76 م65 و60 ن60 ر55 ب40 ت45 ع40 د38 ه30 ف26 س29 ح24 ك22 ق23 أ21 ة20 "
    "ج16 ش14 ص10 ط10 خ10 ى9 إ9 ض6 ث5 ذ7 ز7 غ6 ظ2 ئ4 ء4 ؤ1 آ2 پ3 چ2 گ3 ک8 ی15",
}
_ALIKE = {"ş": "ș", "ţ": "ț"}  # Romanian as it was written before the letters with a comma
_FOREIGN, _USUAL_SIGN = math.log(0.005), math.log(0.1)
_SIGN, _CONTROL = math.log(0.0005), math.log(0.0001)
_OTHER_LANGUAGE = 2.0  # the price of a word in another language than the words before it
# Signs that stand in words of every language, as in LEGO®, 5€ or Mª, and between words.
_NEUTRAL = frozenset("§©®°€™£‚‘’“”„«»‹›–—…•·ªº¹²³½¼¾\u00a0\u00ad")
_OPENING = frozenset("“‘„‚«‹¿¡–—…•·\u00a0")
_ALONE = frozenset("±×÷¤¬¦µ¶†‡‰¢¥")
_OTHER_SCRIPTS = "\u0370"  # the first letter that is not Latin
# Beside letters: an apostrophe as in D´Angelo, units such as µg, sizes such as L×B, and ½kg.
_BESIDE = frozenset("´×µ½¼¾\u00ad")
# How much better another encoding must read: in all, and for each character. Text with a score of
# _WELL for a character needs no other reading; true text of any alphabet is above _BADLY.
_LEAST, _LEAST_EACH, _WELL, _BADLY = 8.0, 0.7, -2.6, -3.3
_AS_BYTES = -4.2  # and bytes at random are mostly below this, in every encoding
_FEWEST_ODD, _SHARE_ODD = 4, 10  # words, and one of how many


def _table(text: str) -> dict[str, float]:
    shares = {entry[0]: float(entry[1:]) for entry in text.split()}
    shares |= {other: shares[one] for other, one in _ALIKE.items() if one in shares}
    total = sum(shares.values())
    return {letter: math.log(share / total) for letter, share in shares.items()}


_TABLES: Final = {language: _table(text) for language, text in _LANGUAGES.items()}


def words_of(text: str) -> set[str]:
    """Returns the different words that are not ASCII; a value that repeats shows nothing more."""
    return {word for word in _TOKEN.findall(text) if not word.isascii()}


class Reading(NamedTuple):
    """How well words read: `total` is a sum of logarithms, of which 0 is the best."""

    total: float
    signs: int  # the characters that are not ASCII
    words: int
    odd: int  # words with a letter or a sign that the best language does not have


def read(words: Iterable[str]) -> Reading:
    """Returns how well words read in the language that explains them best, or in several."""
    judged = [_judged(word) for word in words]
    if not judged:
        return Reading(0.0, 0, 0, 0)
    by_word = [_scores(one) for one in judged]
    # The words have no order. Two encodings with the same words must get the same sums.
    in_one = dict(zip(_TABLES, map(math.fsum, zip(*by_word, strict=True)), strict=True))
    best = max(in_one, key=in_one.__getitem__)
    mixed = math.fsum(max(scores) - _OTHER_LANGUAGE for scores in by_word)
    odd = sum(any(_is_odd(each, _TABLES[best]) for each in one) for one in judged)
    signs = sum(map(len, judged))
    return Reading(max(in_one[best], mixed), signs, len(judged), odd)


def reads_better(other: Reading, own: Reading) -> bool:
    """Returns whether text reads much better in another encoding than in its own.

    So it does if a tenth of its words have letters that its language does not have.
    """
    is_frequent = own.odd >= _FEWEST_ODD and own.odd * _SHARE_ODD >= own.words
    is_much = other.total - own.total >= _LEAST
    return reads_clearly_better(other, own) or (
        is_frequent and is_much and other.odd * 4 <= own.odd
    )


def reads_clearly_better(other: Reading, own: Reading) -> bool:
    """Returns whether text reads much better by all of its letters, and not by rare ones."""
    if not own.signs or not other.signs or other.total - own.total < _LEAST:
        return False
    each, now = other.total / other.signs, own.total / own.signs
    # Text whose words all fit one language is right: Icelandic may have many names such as Fanný.
    fits_better = own.odd > 0 and other.odd <= own.odd
    if now <= _WELL and each - now >= _LEAST_EACH and fits_better:
        return True
    # Two encodings of one alphabet: each letter shows little, and all of them much.
    is_close = each - now < _LEAST_EACH / 2 or other.total - own.total < 2 * _LEAST
    return now <= _BADLY and not is_close


def is_language(reading: Reading) -> bool:
    """Returns whether text reads as that of any alphabet does."""
    return reading.total >= _BADLY * reading.signs


def may_be_text(reading: Reading) -> bool:
    """Returns whether text reads better than bytes at random do."""
    return reading.total >= _AS_BYTES * reading.signs


def _judged(word: str) -> list[str | float]:
    """Returns the letters of a word that are not ASCII, and the scores of its signs."""
    found: list[str | float] = []
    for place, sign in enumerate(word):
        if sign.isascii():
            continue
        if sign.isalpha() and sign not in "ªºµ":
            is_out_of_place = _is_out_of_place(word, place)
            found.append(_SIGN if is_out_of_place else sign if sign == "İ" else sign.lower())
        elif unicodedata.category(sign)[0] == "M":
            found.append(sign)
        elif sign <= "\x9f" or sign == "\ufffd" or "\udc80" <= sign <= "\udcff":
            found.append(_CONTROL)
        else:
            found.append(_USUAL_SIGN if _is_usual(word, place) else _SIGN)
    return found


def _is_out_of_place(word: str, place: int) -> bool:
    """Returns whether no word has a letter there.

    It stands next to a letter of ASCII and is not Latin, as in `Schдfer`; is the fourth Latin
    letter in a row that is not ASCII, as in `Èâàí`; or is a capital of another alphabet after a
    small letter, as in `хБЮМ`. Many programs leave `GARCíA` and `garcÍa` when they change the case.
    """
    sign, run = word[place], word[max(place - 3, 0) : place]
    before, after = run[-1:], word[place + 1 : place + 2]
    if sign >= _OTHER_SCRIPTS:
        is_next_to_ascii = any(one.isascii() and one.isalpha() for one in (before, after))
        return is_next_to_ascii or (sign.isupper() and before.islower())
    return len(run) == 3 and all("\x7f" < one < _OTHER_SCRIPTS and one.isalpha() for one in run)


def _is_usual(word: str, place: int) -> bool:
    """Returns whether a sign may stand where it is: after a word, or as a quote before one."""
    sign, before, after = word[place], word[max(place - 1, 0) : place], word[place + 1 : place + 2]
    if sign in _BESIDE:
        return True
    if not (before.isalpha() or after.isalpha()):
        return sign in _NEUTRAL or sign in _OPENING or sign in _ALONE
    if after.isalpha() and after.islower():
        return sign in _OPENING
    return sign in _NEUTRAL or sign in _OPENING


def _scores(judged: Sequence[str | float]) -> list[float]:
    """Returns the score of a word in each language."""
    letters = [_in_each(one) for one in judged if isinstance(one, str)]
    signs = sum(one for one in judged if isinstance(one, float))
    totals = map(sum, zip(*letters, strict=True)) if letters else repeat(0.0, len(_TABLES))
    return [signs + total for total in totals]


@lru_cache(maxsize=1 << 10)
def _in_each(letter: str) -> tuple[float, ...]:
    return tuple(table.get(letter, _FOREIGN) for table in _TABLES.values())


def _is_odd(one: str | float, table: Mapping[str, float]) -> bool:
    return one not in table if isinstance(one, str) else one < _USUAL_SIGN
