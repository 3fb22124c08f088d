"""The wording rules by language. A language that is not here has the finding `no_rules`."""

from statements.wording.chinese import RULES_OF_CHINESE
from statements.wording.english import RULES_OF_ENGLISH
from statements.wording.french import RULES_OF_FRENCH
from statements.wording.german import RULES_OF_GERMAN
from statements.wording.japanese import RULES_OF_JAPANESE
from statements.wording.korean import RULES_OF_KOREAN
from statements.wording.language_rules import LanguageRules
from statements.wording.spanish import RULES_OF_SPANISH
from statements.wording.vietnamese import RULES_OF_VIETNAMESE

WORDING_RULES: dict[str, LanguageRules] = {
    "ko": RULES_OF_KOREAN,
    "en": RULES_OF_ENGLISH,
    "ja": RULES_OF_JAPANESE,
    "zh-hans": RULES_OF_CHINESE,
    "zh-hant": RULES_OF_CHINESE,
    "de": RULES_OF_GERMAN,
    "fr": RULES_OF_FRENCH,
    "es": RULES_OF_SPANISH,
    "vi": RULES_OF_VIETNAMESE,
}
