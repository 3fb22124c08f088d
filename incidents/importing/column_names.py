"""Recognises what a column holds by its name, in the languages in which shops and forums export.

A name is compared without case, spaces and marks. If it is unknown as a whole, its last words are
looked up: `Default Address Zip` is a `zip`. The names are in column_names.toml: those of the
exports of common products (docs/import-recipes.md) and their usual translations.
"""

import re
import tomllib
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path

REFERENCE, NAME, FIRST_NAME, LAST_NAME = "reference", "name", "first name", "last name"
EMAIL, PHONE, LANGUAGE, DATE = "email", "phone", "language", "date"
EMAIL_PART, PHONE_PART = "email part", "phone part"  # one of several columns with one contact
CLASS = "class:"  # before the slug of a data class
DATE_OF = "date of:"  # the same: a column with the dates of its values
_NAME_OR_PART = "name or part"  # in column_names.toml
_LAST_NAME_OR_NICKNAME = "last name or nickname"
_NOTHING = "nothing"  # the same: a known name that has no role

# Words before a name that say whose it is. The names of others are not those of the member: of
# recipients, of relatives, and of those who sell or serve.
_OWNERS = re.compile(
    r"^(?:customer|member|user|client|buyer|guest|patient|student|requester|requestor|"
    r"attendee|invitee|participant|registrant|respondent|subscriber|회원|고객|"
    r"사용자|구성원|주문자|구매자|가입자|예매자|신청자|작성자|환자|학생|계약자|응답자|"
    r"참가자|수강생|客户|客戶|顧客|会员)"
)
# Words before an address or number that say where.
_PLACES_OF_OWNERS = re.compile(r"^(?:자택|집|회사|직장|거주지|본인|自宅|勤務先|rechnungsadresse)")
_CONTACT_OF_STAFF = r"(?=id|nm|name|tel|phone|hp|mobile|mail|email)"
_OTHERS = re.compile(
    r"recipient|receiver|consignee|shipto|shipping|^ship(?=[a-z])(?!ped)|"
    r"deliver(?!ynote|ymemo|ymess|yoffice)|수령|수취|받는|배송지명|収件|收件|收货|收貨|受取|届け先|"
    r"送付先|配送先|emergency|guardian|parent(?!id)|spouse|nextofkin|children|seller|vendor|merchant|"
    r"assistant|manager|supervisor|referr|recommender|assignee|assignedto|booker|sponsor|upline|"
    rf"(?:agent|agency|rider|driver|courier|dealer|broker|branch|doctor|physician|teacher|advisor|"
    rf"salesrep|createdby|modifiedby|updatedby){_CONTACT_OF_STAFF}|"
    r"비상|보호자|학부모|법정대리|대리점|대리인|담당|판매자|판매점|공급사|공급자|추천인|배우자|가족|"
    r"지인|상사|고객센터|라이더|배달원|피보험자|수익자|기사(?:명|님|이름|전화|연락|휴대)|설계사|"
    r"주치의|상담사|상담원|답변자|처리자|등록자|수정자|승인자|가맹점|(?:매장|지점)(?:명|전화|연락)|"
    r"紹介者|直上者|担当|緊急連絡|保護者|"
    r"配偶|推荐人|推薦人|紧急联系|緊急聯絡|监护人|監護人|客服|导购|业务员|業務員|卖家|賣家|"
    r"empfanger|lieferadr|liefername|sachbearbeiter|vertreter|verkaufer|notfall|destinataire|"
    r"livraison|vendeur|ducommercial|conjoint|tuteur|parrain|destinatari|vendedor|venditore|"
    r"emergenza|urgence"
)
# Contacts of another person if the file names contacts without such a word, too: an owner may be
# the customer who owns a car, or the salesman who has the customer.
_PERHAPS_OTHERS = re.compile(
    rf"owner{_CONTACT_OF_STAFF}|^to(?=email|mail)|(?:store|shop){_CONTACT_OF_STAFF}|^cc(?=email)"
)
# Questions of forms: in English, German, French, Spanish, Korean and Japanese.
_QUESTION = re.compile(
    r"(?:(?:what(?:'s| is| are)|please \w+|enter|type) )?your (?P<en>[^?]+)\W*|"
    r"(?:wie (?:lautet|ist|sind) )?ihre? (?P<de>[^?]+)\W*|"
    r"(?:quel(?:le)? est )?votre (?P<fr>[^?]+)\W*|(?:¿?cu[aá]l es )?(?:su|tu) (?P<es>[^?]+)\W*|"
    r"(?P<ko>[^을를]+)[을를]? *(?:적어|입력|기재|기입|작성|써|남겨|알려).*|"
    r"(?P<ja>[^を]+)を(?:ご?入力|ご?記入|お?書き|お?教え).*",
    re.IGNORECASE | re.DOTALL,
)
_MARKS = re.compile(r"[\W_]+")
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ADVERTISEMENT = "ad"  # is a name in Turkish, and none in `user_ad`
_IN_BRACKETS = re.compile(r"(.*?)\s*[(（\[]([^()（）\[\]]*)[)）\]]\s*", re.DOTALL)
_MOST_CHARACTERS = 200  # of a column's name whose notes in brackets are read, one after another
_FAMILY_FIRST = re.compile(r"[\u3040-\u30ff\u3400-\u9fff가-힣]+")


def _plain(text: str) -> str:
    return _MARKS.sub("", _without_accents(unicodedata.normalize("NFKC", text).casefold()))


def _without_accents(text: str) -> str:
    """Returns the text without the accents of Latin letters; Hangul and Kana stay composed."""
    if text.isascii():
        return text
    parts = (unicodedata.normalize("NFD", char) for char in text)
    return "".join(
        part[0] if "a" <= part[0] <= "z" else unicodedata.normalize("NFC", part) for part in parts
    )


@cache
def _words() -> dict[str, str]:
    text = Path(__file__).with_name("column_names.toml").read_text(encoding="utf-8")
    found: dict[str, str] = {}
    for role, names in tomllib.loads(text).items():
        for name in names:
            found.setdefault(_plain(name), role)
    return found


@cache
def _roles() -> dict[str, str]:
    meant = {_NAME_OR_PART: NAME, _LAST_NAME_OR_NICKNAME: LAST_NAME, _NOTHING: ""}
    return {word: meant.get(role, role) for word, role in _words().items()}


def role_of(column: str) -> str:
    """Returns the role that a column has by its name; "" if the name is unknown.

    A role is one of the constants here, or CLASS and the slug of a data class. A column of another
    person, such as a recipient or a guardian, has no role.
    """
    plain = _plain(column)
    if plain in _roles():
        return _roles()[plain]
    if _OTHERS.search(plain):
        return ""
    found = len(column) <= _MOST_CHARACTERS and _IN_BRACKETS.fullmatch(column)
    if found:
        return _role_with_brackets(found[1], found[2])
    return _role_asked(column) or _role_of_owned(plain) or _role_by_last_words(column)


def _role_asked(column: str) -> str:
    """Returns the role of a column that is named by a question of a form: `What's your name?`."""
    text = unicodedata.normalize("NFKC", column[:_MOST_CHARACTERS]).replace("\u2019", "'")
    asked = _QUESTION.fullmatch(text.strip())
    return _roles().get(_plain(asked[asked.lastgroup or 0]), "") if asked else ""


def _role_with_brackets(column: str, note: str) -> str:
    """Returns the role of a column such as `お名前(姓)`, `Name [Required]` and `City (Billing)`."""
    role, said = role_of(column), _plain(note)
    if role == NAME and _roles().get(said) in (FIRST_NAME, LAST_NAME):
        return _roles()[said]
    if said in _NOTES:
        return role
    return role_of(f"{note} {column}" if said in _OF_PERSONS else f"{column} {note}")


def _role_of_owned(plain: str) -> str:
    owned = _OWNERS.sub("", plain)
    if owned != plain and owned not in _OF_ANYONE and owned in _roles():
        return _roles()[owned]
    role = _roles().get(_PLACES_OF_OWNERS.sub("", plain), "")
    return role if role in (EMAIL, PHONE, CLASS + "physical-addresses") else ""


def _role_by_last_words(column: str) -> str:
    words = [_plain(word) for word in _MARKS.split(_CAMEL.sub(" ", column)) if word]
    for count in (3, 2, 1):
        role = _roles().get("".join(words[-count:]), "") if count < len(words) else ""
        if role and _may_end_with(words, count, role):
            return _ENTRANCE_CODES if _is_of_entrance(words, role) else role
    return ""


def _may_end_with(words: list[str], count: int, role: str) -> bool:
    """Returns whether a column whose last `count` words have the role has it as a whole.

    A single last word says little: `tax_id` and `group_name` are no id and no name. So do some
    words before it: a `mac_address` is no postal address, and a `gift card number` no credit card.
    """
    if "".join(words[-count:]) in _NAME_OF_ANYTHING or (count == 1 and role in _VAGUE):
        return False
    is_clear = role not in _CLASSES_OF_PERSONS and words[-1] not in _WORDS_OF_ANYTHING
    return is_clear or _is_of_entrance(words, role) or _are_of_persons(words[:-count], role)


def _are_of_persons(words: list[str], role: str) -> bool:
    return set(words) <= _OF_PERSONS_BY_CLASS.get(role, _OF_PERSONS)


def _is_of_entrance(words: list[str], role: str) -> bool:
    return role == CLASS + "passwords" and _ENTRANCE.search("".join(words)) is not None


def may_be_part_of_name(column: str) -> bool:
    """Returns whether the name of a column means a whole name or a part of one, as 이름 and nom."""
    words, plain = _words(), _plain(column)
    return words.get(plain, words.get(_OWNERS.sub("", plain))) == _NAME_OR_PART


def may_be_name(column: str) -> bool:
    """Returns whether a column that is named as one of logins may hold the names of people."""
    return _plain(column) == "username"


def may_be_nickname(column: str) -> bool:
    """Returns whether the name of a column means a last name, or a nickname next to one."""
    return _words().get(_plain(column)) == _LAST_NAME_OR_NICKNAME


def is_family_name_first(columns: Iterable[str]) -> bool:
    """Returns whether columns of parts of a name are in a language that writes the family first."""
    return all(_FAMILY_FIRST.fullmatch(_MARKS.sub("", column)) for column in columns)


def is_known(text: str) -> bool:
    """Returns whether a text is one of the names of columns, as a whole."""
    return _plain(text) in _roles()


def known_in(texts: Iterable[str]) -> int:
    """Returns how many texts are names of columns, each as a whole."""
    return sum(map(is_known, texts))


def is_of_another(column: str) -> bool:
    """Returns whether the name of a column says that it holds data of another person."""
    plain = _plain(column)
    return plain not in _roles() and bool(_OTHERS.search(plain))


def may_be_of_another(column: str) -> bool:
    """Returns whether a column of contacts may be of another person, as `Owner Email` may be."""
    return _PERHAPS_OTHERS.search(_plain(column)) is not None


def rank_of_reference(column: str) -> int:
    """Returns how clearly the name of a column of ids says that they are those of the people.

    In a list of orders or contacts, `customer_id` is the person's, and `id` the row's, and an
    `account id` that of a company.
    """
    plain = _plain(column)
    if plain.startswith("account"):
        return 0
    return 2 if _OWNERS.search(plain) or plain.startswith(("contact", "person")) else 1


def is_row_id(column: str) -> bool:
    """Returns whether a column of ids is named without saying whose they are."""
    return _plain(column) in ("id", "pk", "uid", "recordid")


def is_part_of_place(column: str) -> bool:
    """Returns whether a column says where an address is, but is none alone: a state or country."""
    return _PART_OF_PLACE.search(_plain(column)) is not None


def is_of_bank(column: str) -> bool:
    """Returns whether the name of a column says that it is about a bank account."""
    return _BANK.search(_plain(column)) is not None


def is_account_number(column: str) -> bool:
    """Returns whether an account is meant that may be of a customer or of a bank."""
    return _plain(column) in ("accountnumber", "accountno")


def is_of_owner(column: str) -> bool:
    """Returns whether the name of a column says that it holds data of the member, or of a buyer."""
    return bool(_OWNERS.search(_plain(column)))


_VAGUE = {REFERENCE, NAME, DATE, CLASS + "purchases", CLASS + "support-tickets"}
# Words for a first name that are also those for a name of anything, as of a domain or of a user.
_NAME_OF_ANYTHING = frozenset(
    map(_plain, ("имя", "ім'я", "όνομα", "jméno", "vardas", "vārds", "tên", "名"))
)
_ENTRANCE_CODES = CLASS + "entrance-codes"
_ENTRANCE = re.compile("door|entrance|gate|lobby|현관|출입|공동")
_BANK = re.compile("bank|iban|bic|swift|routing|sortcode|은행|계좌|예금주|口座|银行|銀行")
# Classes of which the last words of a name are also those of things that are no person's.
_CLASSES_OF_PERSONS = {
    CLASS + slug
    for slug in (
        *("physical-addresses", "credit-cards", "bank-account-numbers", "passwords"),
        *("dates-of-birth", "government-issued-ids"),
    )
}
_WORDS_OF_ANYTHING = {"login", "pass", "language"}
# Words before those last words that leave them a person's, and further ones for some classes.
_WORDS_OF_PERSONS = (
    "billing bill mailing postal home work office business company default primary main permanent "
    "current residential residence legal registered contact customer member user client buyer "
    "guest patient person personal my own private mb mem cust address addr street privat "
    "rechnungs wohn facturation facturacion fatturazione 1 2 3 4 5 주문자 구매자 회원 고객 사용자 "
    "자택 집 거주지 본인 청구지 회사 직장 주민등록"
)
_OF_PERSONS = frozenset(_WORDS_OF_PERSONS.split())
_OF_PERSONS_BY_CLASS = {
    CLASS + "physical-addresses": _OF_PERSONS | {"card"},
    CLASS + "credit-cards": {"credit", "debit", "payment", "bank", "default", "primary"},
    CLASS + "bank-account-numbers": _OF_PERSONS | {"bank", "refund", "환불"},
    CLASS + "passwords": _OF_PERSONS
    | {"account", "login", "hashed", "encrypted", "plain", "old", "web", "site", "로그인"},
    LANGUAGE: _OF_PERSONS | {"preferred"},
}
# Words that a prefix such as `member` does not make the person's.
_OF_ANYONE = {_ADVERTISEMENT, *map(_plain, ("card number", "card no", "카드번호"))}
# What brackets after a name say without changing its meaning.
_NOTES = frozenset(
    map(
        _plain,
        (
            *("required", "optional", "upload only", "read only", "utc", "kst", "metadata"),
            *("필수", "선택", "전체", "도로명", "지번", "名称", "必須", "任意"),
            *("請求先", "注文者", "구매자", "주문자", "본인"),
        ),
    )
)
_PART_OF_PLACE = re.compile(
    r"(?:state|province|region|country|(?:state|province|region|country)code|land1?|pays|pais|via|cap|"
    r"uf|regio|county|district|town|국가|시도|省份|国家|國家|страна)$"
)
