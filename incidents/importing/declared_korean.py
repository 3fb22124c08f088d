"""Decides whether text can be Korean in CP949 as a person declared it, though its letters are rare.

Names in hanja and rare syllables such as 뷁 are not of common Hangul. See docs/decisions/0124.
"""

import re

from incidents.importing import common_characters, letter_statistics
from incidents.importing.encoding_guesses import kana_encoding
from incidents.importing.encoding_samples import decoded, share_of_lines
from incidents.importing.likely_encodings import likely_letters
from incidents.importing.reading import CP949

# Frequent in Korean family names and given names, as they are written in hanja.
_HANJA = frozenset(
    "金李朴崔鄭姜趙尹張林韓吳徐申權黃安宋柳洪全高文孫梁裵裴白許南沈盧河郭成車朱禹具辛任羅田閔陳池嚴元蔡千方孔玄"
    "咸卞廉邊呂秋都石蘇愼宣薛馬吉延魏表明奇房潘玉王印諸卓鞠魚殷片龍芮慶昔夫賈太景"
    "秀賢英美智民正永相順熙淑貞俊鎬浩載宰昌東哲容勳勇炫眞珍善仁義禮信在中大小一宇佑旭鉉植基泰奎圭承尙尚宗鍾鐘"
    "光國建京敬慧惠恩銀姬希喜娟妍蓮愛華花和煥桓勝昇星聖世時始新雄雲允潤庸佳嘉佐先鮮峰奉炳秉範甫輔福鳳寶彬"
    "赫亨炯衡鎭鎮晋振震周柱州主株濟第弟道度燾敏旻玟珉旼敦德斗杜來烈列連麗禮老魯祿綠丹達談堂代潭起琪琦錡其己"
    "春夏冬西北江山海川水火木土日月年萬百億千三四五六七八九十二"
)
_RUNS = re.compile(r"([A-Za-z]?)([^\x00-\x7f]+)(?=([A-Za-z]?))")
_SYLLABLE, _CHARACTER = re.compile("[\uac00-\ud7a3]"), re.compile("[\u4e00-\u9fff\uf900-\ufaff]")
_OTHERS = ("euc-jp", "shift_jis", "gb18030", "big5", "johab")
_NEARLY_ALL, _MOST_MIXED, _MOST_LATIN = 0.9, 0.25, 0.5
_FEWEST_FREQUENT, _SHARE_FREQUENT = 2, 0.2


def may_be_korean(sample: bytes) -> bool:
    """Returns whether a sample can be Korean in CP949, and looks like no other encoding.

    Each line must be decodable. Text of another encoding has syllables and hanja in one word,
    stands next to Latin letters, or consists of letters that are frequent in that encoding.
    """
    if share_of_lines(sample, CP949) < 1:
        return False
    runs = set(_RUNS.findall(decoded(sample, CP949)))
    words = {run for _before, run, _after in runs}
    with_latin = sum(bool(before or after) for before, _run, after in runs)
    mixed = sum(map(_is_mixed, words))
    if not words or with_latin > _MOST_LATIN * len(runs) or mixed > _MOST_MIXED * len(words):
        return False
    return not _is_of_other(sample, _share_of_known("".join(words)))


def _is_mixed(word: str) -> bool:
    return bool(_SYLLABLE.search(word) and _CHARACTER.search(word))


def _share_of_known(text: str) -> float:
    """Returns the share of Hangul syllables and frequent hanja among the letters of Korean."""
    syllables, characters = _SYLLABLE.findall(text), _CHARACTER.findall(text)
    known = len(syllables) + sum(sign in _HANJA for sign in characters)
    return known / max(1, len(syllables) + len(characters))


def _is_of_other(sample: bytes, known: float) -> bool:
    """Returns whether the letters are those of another encoding. `known` is for the text as Korean.

    Syllables alone may be likely letters of one byte by chance.
    """
    if kana_encoding(sample) or any(_is_frequent_in(other, sample) for other in _OTHERS):
        return True
    return known < _NEARLY_ALL and likely_letters(sample).are_likely


def _is_frequent_in(encoding: str, sample: bytes) -> bool:
    if share_of_lines(sample, encoding) < 1:
        return False
    words = letter_statistics.words_of(decoded(sample, encoding))
    found, share = common_characters.common_in(words)
    return found >= _FEWEST_FREQUENT and share >= _SHARE_FREQUENT
