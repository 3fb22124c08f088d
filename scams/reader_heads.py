"""Reads what a reader's mail program adds to a message: heads, attributions and footers.

A head is the block of lines that names sender, recipients, date and subject, as Naver, Daum,
Outlook, Apple Mail, Gmail and Samsung write it, in the languages of the portal, with label and
value on one line or on lines of their own. A forwarded mail has one head for each time it was
sent. The addresses of its recipients are the readers', not the message's.
"""

import re
import unicodedata
from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import takewhile

from scams.address_patterns import EMAIL

MOST_LINE_CHARACTERS = 1_000
MOST_RECIPIENTS = 20  # in one line of a head
MOST_NAME_COLUMNS = 32  # before an address; a sentence without blanks is longer
_MOST_WORDS_OF_NAME = 3
_MOST_LINES_TO_OWNER = 3  # of a printed page, beside blank ones
_GMAIL_PAGE = re.compile(r"\bGmail - |^Gmail(?:\t|$)")
_MOST_LINES_BETWEEN = 2  # without a label, between two lines of a head
_OF_BODY = re.compile(
    r"https?://|[\w-]\.[\w-]{1,63}(?::\d{1,5})?/[a-z]|(?<![\w-])[0-9a-z]{4}-[0-9a-z]{4}-[0-9a-z]{4}(?![\w-])",
    re.IGNORECASE,
)
_QUOTE = "> \t*|"


class Label(StrEnum):
    """What a line of a head states."""

    SENDER = "sender"
    RECIPIENT = "recipient"
    OTHER = "other"


_WORDS = {
    Label.SENDER: r"from|보낸 ?사람|보낸 ?이|보내는 ?사람|발신(?:자|인)?"
    r"|差出人|送信者|发件人|發件人|寄件[者人]|von|de|từ|người gửi",
    Label.RECIPIENT: r"to|cc|bcc|delivered-to|받[는은] ?사람|받는 ?이|수신(?:자|인)?"
    r"|(?:숨은 ?)?참조|宛先|收件[人者]|抄送|副本|an|à|a|pour|copie à|para|đến|tới",
    Label.OTHER: r"date|sent|subject|보낸 ?(?:날짜|시간)|받은 ?(?:날짜|시간)|날짜|일시|제 {0,3}목"
    r"|送信日時|日付|日時|件名|发送时间|發送時間|寄件日期|日期|主题|主題|主旨"
    r"|gesendet|datum|betreff|envoyé|objet|sujet|enviado(?: el)?|fecha|asunto|đã gửi|ngày|chủ đề",
}
# The labels of mail programs in other languages. Their values have names, and no sentences.
_OTHER_WORDS = {
    Label.SENDER: r"kimden|gönderen|od|van|da|mittente|från|fra|lähettäjä|feladó|от|отправитель"
    r"|від(?: кого)?|šalje|de la|expeditor(?:ul)?|saatja|nadawca|送信元|從",
    Label.RECIPIENT: r"kime|alıcı|bilgi|do|komu|pre|kopie?|kopie \(cc\)|kópia|dw|aan|till|til"
    r"|kopia|kopi|kopio|para|prima|adresat|vastaanottaja|címzett|másolat(?:ot kap)?|кому|копия"
    r"|копія|către|destinatar(?:ul)?|saaja|送信先|到",
    Label.OTHER: r"tarih|konu|data|temat|dátum|předmět|predmet|onderwerp|oggetto|assunto|dato|ämne"
    r"|emne|päivämäärä|päiväys|aihe|tárgy|дата|тема|naslov|subiect(?:ul)?|dată|kuupäev|teema"
    r"|wysłano|inviato|verzonden|enviad[ao](?: em)?|skickat|sendt|lähetetty|elküldve|отправлено"
    r"|відправлено|gönderildi|odesláno|odoslané|trimis",
}
_AFTER_LABEL = r"[* \t]{0,3}(?::[* \t]{0,3}(?P<rest>.*)|$)"
_LABELS = [
    (label, re.compile(f"(?:{words}){_AFTER_LABEL}", re.IGNORECASE), is_other)
    for is_other, all_words in ((False, _WORDS), (True, _OTHER_WORDS))
    for label, words in all_words.items()
]
# The pages of Naver, LINE WORKS, Outlook and eM Client write label and value on one line without a
# colon. The line may have lost its last ">".
_ONE_ADDRESS = r"[^<>\s@:]{1,64}@[^<>\s@:]{1,255}"
_NAMED = rf"[^:<>@]{{0,100}}<{_ONE_ADDRESS}>?[ \t;]*"
# The owner of a printed page: a name of at most three words, and the address.
_OWNER = re.compile(rf"(?:Gmail\t)?(?:[^:<>@\s]{{1,32}}[ \t]{{1,9}}){{1,3}}<{_ONE_ADDRESS}>?")
# The Gmail app writes "From Hanbit • privacy@hanbit.example".
_AFTER_DOT = rf"[^:<>@•]{{1,100}} • {_ONE_ADDRESS}"
_WITHOUT_COLON = rf"[ \t]+(?P<rest>{_NAMED}|{_AFTER_DOT}|{_ONE_ADDRESS}(?: <{_ONE_ADDRESS}>)?)$"
_LABELS += [
    (Label.SENDER, re.compile(r"보낸 ?사람[ \t]*(?P<rest>[^:]*@.*)"), False),
    (Label.RECIPIENT, re.compile(r"받는 ?사람[ \t]*(?P<rest>[^:]*@.*)"), False),
    *(
        (label, re.compile(f"(?:{_WORDS[label]}){_WITHOUT_COLON}", re.IGNORECASE), True)
        for label in (Label.SENDER, Label.RECIPIENT)
    ),
]
# Words that ask for something, and are no names of recipients.
_REQUEST = re.compile(
    r"\b(?:send|reply|write|contact|call|click|pay|transfer|card|number|password|code|refund|verify"
    r"|confirm|enter|ask|please|your|help|claim|urgent|bitte|senden|schicken|schreiben|antworten"
    r"|anrufen|zahlen|kartennummer|karte|passwort|konto|envoye[rz]|écri(?:re|vez)|répond\w{0,4}"
    r"|contacte[rz]|appele[rz]|paye[rz]|carte|numéro|compte|cliquez|remboursement|veuillez|envíe|enviar"
    r"|escrib(?:a|e|ir)|responda|contacte|llame|pagar|pague|tarjeta|contraseña|cuenta|reembolso"
    r"|invi(?:a|are|ate)|scriv\w{1,6}|rispond\w{1,6}|carta|rimborso|clicca|envie|escreva|cartão|senha"
    r"|clique|gönder\w{0,6}|kart\w{0,8}|stuur|schrijf|kaart\w{0,8}|wyślij|napisz|karty|отправ\w{1,6}"
    r"|напиш\w{1,6}|карт\w{0,4}"
    r"|gửi|liên hệ|trả lời|gọi|chuyển|hoàn tiền|thẻ|mật khẩu|tài khoản|vui lòng)\b"
    r"|보내|송부|회신|답장|문의|연락|전화|입금|송금|이체|환불|카드|계좌|번호|클릭|입력|신청|접수|하세요|주세요"
    r"|십시오|바랍니다|送(?:って|信|付)|返信|連絡|合わせ|電話|振込|返金|カード|番号|口座|暗証|ください|下さい"
    r"|お願い|[发發]送|[请請]|[联聯][系繫络絡]|回[复覆復]|[电電][话話]|[汇匯]款|[转轉][账帳]|退款|[银銀]行|卡[号號]|密[码碼]"
    r"|[账帐帳][号號]|[点點][击擊]",
    re.IGNORECASE,
)
_ATTRIBUTION = re.compile(
    r"(?:님이 (?:작성|쓴 글)|작성|wrote|a écrit|escribió|[写寫]道|đã viết|ha scritto|escreveu"
    r"|napisał(?:\(a\))?|schreef|schrieb|skrev|napsal(?:\(a\))?|пишет|написал(?:\(а\))?|yazdı"
    r"|kirjoitti|írta|a scris)[ \t]*:?$",
    re.IGNORECASE,
)
# The line in which the address comes last, as in German and Japanese.
_ATTRIBUTION_BEFORE = re.compile(
    r"(?:am .{1,100} schrieb|\d{4}年\d{1,2}月\d{1,2}日) ?.{0,100}<[^<>\s@]{1,64}@[^<>\s@]{1,255}>:",
    re.IGNORECASE,
)
# A head whose lines were glued together: ----- Forwarded Message ----- From: <…>To: <…>Subject: …
_FLAT_HEAD = re.compile(r"[ \t]{0,9}-{4,9}[^-\n]{3,60}-{4,9}[ \t]{1,9}(?=[^\s-])")
_GLUED_LABEL = re.compile(
    rf"(?<=[\w>\"')])(?=(?![a-zà-ÿа-я])(?i:{'|'.join([*_WORDS.values(), *_OTHER_WORDS.values()])})"
    r"[ \t]?:[ \t])"
)
_ONE_TO_LINE = re.compile(
    r"(?:(?:to|cc|delivered-to|받는 ?사람|수신|참조)[* ]{0,3}:|받는 ?사람[ \t])(?P<rest>.{0,500})",
    re.IGNORECASE,
)
_LINK_AFTER = r"(?:[ \t]*[<(\[]?(?:https?://)?(?:{links})[>)\]]?){{0,2}}\.?"
# The page of a link: no words of another script, no second link, no telephone number, and no field
# of OneLink that names another page.
_PAGE = (
    r"(?:(?!://|%2f|af_(?:r|\w{0,20}(?:dp|url))=|\d{2,4}-\d{3,4}-\d{4})"
    r"[a-z0-9_/?&=%:.+~#!;*$-])"
)
_OUTLOOK = r"aka\.ms/(?:o0ukef|ghei36|qtex0l|AAb9ysg|AAYgQnX|weboutlook|GetOutlookFor\w{2,8})"
_YAHOO_WORDS = "yahoo mail: search, organi[sz]e, conquer"
_YAHOO = r"(?:(?:go|mail|aol)\.onelink\.me/(?:107872968|1025746)|(?:overview\.)?mail\.yahoo\.com/)"
_WEBMAIL = (
    r"(?:mail\.google\.com/mail/|mail\.(?:naver|worksmobile|kakao)\.com/|mail\.daum\.net/"
    r"|outlook\.(?:live|office|office365)\.com/mail/)"
)
# Lines that mail programs add, each with the only links it may have.
_FOOTERS = [
    re.compile(f"(?:{words})" + _LINK_AFTER.format(links=links), re.IGNORECASE)
    for words, links in (
        (r"(?:get|download) outlook for (?:ios|android|mac|windows)", _OUTLOOK),
        (r"(?:ios|android|mac|windows)용 outlook ?(?:받기|다운로드|가져오기|에서 보냄)", _OUTLOOK),
        (r"sent from outlook for (?:ios|android|mac|windows)", _OUTLOOK),
        (r"(?:ios|android|mac) ?版 ?outlook ?を入手(?:する)?", _OUTLOOK),
        (r"(?:获取|下载) ?outlook for (?:ios|android|mac)", _OUTLOOK),
        (
            r"(?:取得|下載) ?(?:outlook for (?:ios|android|mac)|(?:ios|android|mac) ?版 ?outlook)",
            _OUTLOOK,
        ),
        (r"outlook für (?:ios|android|mac) beziehen", _OUTLOOK),
        (r"(?:téléchargez|obtenez|télécharger|obtenir) outlook pour (?:ios|android|mac)", _OUTLOOK),
        (r"(?:obtener|descargar) outlook para (?:ios|android|mac)", _OUTLOOK),
        (r"tải outlook cho (?:ios|android|mac)", _OUTLOOK),
        (
            r"(?:sent from mail for windows(?: 10)?|windows(?: 10)?용 메일에서 (?:보냄|전송됨))",
            r"go\.microsoft\.com/fwlink/\?LinkId=55098\d",
        ),
        (
            "sent from (?:yahoo mail|aol)(?: (?:on|for) [a-z]{2,10})?|" + _YAHOO_WORDS,
            _YAHOO + _PAGE + "{0,200}",
        ),
        (
            r"sent with proton ?mail(?: secure email)?\.?",
            r"proton(?:mail\.com|\.me)/?(?:mail/home)?",
        ),
        (
            r"virus-free\.?|바이러스 없음\.?",
            r"www\.(?:avast|avg)\.com(?:/sig-email" + _PAGE + "{0,200})?",
        ),
        (r"sent with spark", r"sparkmailapp\.com/source\?from=signature"),
        (r"sent using zoho mail", r"www\.zoho\.com/mail/"),
        (
            (
                "(?:sent with tuta(?:nota)?;?(?: enjoy secure & ad-free emails:)?"
                "|secured with tuta mail:)?"
            ),
            r"tuta\.com(?:/free-email)?/?",
        ),
        (r"sent from nine", r"www\.9folders\.com/?"),
        (r"get bluemail for (?:android|ios|desktop|mobile)", r"bluemail\.me(?:/download)?/?"),
        (
            r"(?:sent (?:from|with|by) |forwarded with )?aqua mail(?: for android| pro)?",
            r"www\.(?:mobisystems\.com/aqua-mail|aqua-mail\.com)/?",
        ),
        ("", r"www\.(?:mobisystems\.com/aqua-mail|aqua-mail\.com)/?"),
        (
            r"sent with mailbird",
            r"(?:www\.)?(?:get)?mailbird\.com/?(?:\?utm_source=Mailbird" + _PAGE + "{0,200})?",
        ),
        (r"sent (?:from|with) canary", r"canarymail\.io/?"),
        # Below a printed page of a mail program in the browser, whose pages need a sign-in.
        (
            "",
            _WEBMAIL + _PAGE + r"{1,400}(?:[ \t]+\d{1,2}/\d{1,2})?",
        ),
    )
]
_FOOTERS.append(
    re.compile(
        r"(?:outlook (?:für|for) (?:ios|android|mac)|(?:ios|android|mac) ?[版용] ?outlook)"
        + _LINK_AFTER.format(links=_OUTLOOK)
        + r"[ \t]*(?:beziehen|を入手(?:する)?|받기|다운로드|가져오기)",
        re.IGNORECASE,
    )
)
_FOOTERS.append(
    re.compile(
        r"sent with \[proton ?mail\]\(https://proton(?:mail\.com|\.me)/?(?:mail/home)?\)"
        r"(?: secure email)?\.?",
        re.IGNORECASE,
    )
)
# The end of a line that Outlook puts above a message from a new sender.
_BANNER_END = re.compile(
    r"(?:learn why this is important|(?:이것|이 문제)이?가? 중요한 이유(?:를 알아보세요| 알아보기)?"
    r"|warum dies wichtig ist|これが重要である理由(?:を確認する)?"
    r"|(?:为什么|為什麼|为何|為何)[这這]一?[点點]?很?重要"
    r"|pourquoi (?:ceci|cela|c[’']est)(?: est)? important|por qué (?:esto )?es importante"
    r"|tại sao điều này (?:lại )?quan trọng)\.?[ \t]*"
    r"[<(\[]?(?:https?://)?aka\.ms/LearnAboutSenderIdentification[>)\]]?[ \t\r]*$",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass
class _Line:
    """A line of a head: its label, and its value with the numbers of the lines it is on."""

    label: Label
    number: int
    is_strict: bool = False  # a value may have only names and addresses, no sentence
    addresses: dict[int, list[str]] = field(default_factory=dict)
    is_request: bool = False  # a value that asks for something
    is_open: bool = False  # the last value ended with a comma

    def has_address(self) -> bool:
        return any(self.addresses.values())


@dataclass(frozen=True)
class Heads:
    """The addresses in a text's heads, in lower case."""

    recipients: Counter[str]
    senders: list[str]  # in the order of the text: the last is that of the innermost message
    owner: str = ""  # of a page that may be a printed page of Gmail, but does not name it


def heads_in(text: str, *, within: int) -> Heads:
    """Returns the addresses in the heads in the first `within` lines of a readable text."""
    lines = [
        part.strip(_QUOTE + "\r")
        for line in text.split("\n")[:within]
        for part in _parts_of_flat_head(line[:MOST_LINE_CHARACTERS])
    ]
    recipients = {number: _one_to_line(line) for number, line in enumerate(lines) if "@" in line}
    senders: dict[int, list[str]] = {
        number: _addresses(line, most_names=30)
        for number, line in enumerate(lines)
        if _is_attribution(line)
    }
    for head in _heads(lines):
        for line in head:
            if line.label == Label.RECIPIENT:
                recipients |= line.addresses
            elif line.label == Label.SENDER:
                senders |= line.addresses
    number, owner = _owner_line(lines)
    is_named = bool(set(owner) & {each for found in recipients.values() for each in found})
    is_of_gmail = bool(_GMAIL_PAGE.search(next(filter(None, lines), "")))
    if is_named and is_of_gmail:
        recipients[number] = owner
    return Heads(
        Counter(address for found in recipients.values() for address in found),
        [address for _number, found in sorted(senders.items()) for address in found],
        owner=owner[0] if is_named and not is_of_gmail else "",
    )


def _is_attribution(line: str) -> bool:
    """Returns whether a line says who wrote what follows."""
    return bool(_ATTRIBUTION.search(line) or _ATTRIBUTION_BEFORE.fullmatch(line))


def _parts_of_flat_head(line: str) -> list[str]:
    """Returns the labelled parts of a head that is on one line, as Yahoo's text has it; else the
    line.
    """
    found = _FLAT_HEAD.match(line)
    return _GLUED_LABEL.split(line[found.end() :]) if found else [line]


def _owner_line(lines: list[str]) -> tuple[int, list[str]]:
    """Returns the number of the line that names the owner of a printed page of Gmail, and the
    owner's address; [] without one.

    It is one of the first lines. The sender's line and a To line with the owner follow it.
    """
    filled = [(number, line) for number, line in enumerate(lines) if line]
    for number, line in filled[:_MOST_LINES_TO_OWNER]:
        owner = _addresses(line, most_names=6) if _OWNER.fullmatch(line) else []
        is_named = not (_labelled(line) or asks_for_something(line) or _is_attribution(line))
        if len(owner) == 1 and is_named:
            after = [EMAIL.findall(each) for later, each in filled if later > number]
            named = [found[0].lower() for found in after if found][:2]
            return number, owner if named[1:] == owner and named[:1] != owner else []
    return 0, []


def lines_above_message(text: str) -> int:
    """Returns the number of lines above the first link or message code, apart from footers.

    A head is above the message. What follows is the message's own, and may be part of a scam.
    """
    lines = (line[:MOST_LINE_CHARACTERS] for line in without_footers(text).split("\n"))
    return sum(1 for _line in takewhile(lambda line: not _OF_BODY.search(line), lines))


def is_above_message(text: str) -> bool:
    """Returns whether a text has neither a link nor a message code."""
    return not _OF_BODY.search(text)


def without_footers(text: str) -> str:
    """Returns the text without the lines that mail programs add and the links in them."""
    lines = _BANNER_END.sub(" ", text).split("\n")
    return "\n".join("" if _is_footer(line) else line for line in lines)


def _is_footer(line: str) -> bool:
    if not 3 < len(line) <= MOST_LINE_CHARACTERS:
        return False
    bare = line.strip(_QUOTE + "\r[]")
    return any(pattern.fullmatch(bare) for pattern in _FOOTERS)


def _heads(lines: list[str]) -> list[list[_Line]]:
    """Returns the heads: runs of labelled lines that name a sender and something else."""
    heads: list[list[_Line]] = []
    head: list[_Line] = []
    between = 0
    for number, text in enumerate(lines):
        found = _labelled(text)
        if found is None:
            between += 1
            if head and between <= _MOST_LINES_BETWEEN:
                _take_value(head[-1], number, text)
            continue
        line, rest = _Line(found[0], number, is_strict=found[2]), found[1]
        if between > _MOST_LINES_BETWEEN or _starts_another(head, line):
            heads.append(head)
            head = []
        between = 0
        head.append(line)
        _take_value(line, number, rest)
    heads.append(head)
    return [head for head in heads if _is_whole(head)]


def _starts_another(head: list[_Line], line: _Line) -> bool:
    return line.label == Label.SENDER and any(one.label == Label.SENDER for one in head)


def _is_whole(head: list[_Line]) -> bool:
    labels = {line.label for line in head}
    return Label.SENDER in labels and len(labels) > 1


def _labelled(text: str) -> tuple[Label, str, bool] | None:
    """Returns the label of a line, the rest of it, and whether that may have names only; None for a
    line without a label.
    """
    for label, pattern, is_strict in _LABELS:
        if match := pattern.fullmatch(text):
            return label, match["rest"] or "", is_strict
    return None


def _take_value(line: _Line, number: int, text: str) -> None:
    """Adds the addresses of `text` to the line: on the label's own line, or on the next ones while
    no address was found, or after a comma.

    A recipient's value that asks for something is part of the scam, and names no recipient.
    """
    if line.has_address() and not (line.is_open and number - 1 in line.addresses):
        return
    if line.label == Label.RECIPIENT:
        line.is_request |= asks_for_something(text) or (
            line.is_strict and not _has_names_only(text)
        )
    line.is_open = text.endswith(",")
    line.addresses[number] = [] if line.is_request else _addresses(text, most_names=6)


def _has_names_only(text: str) -> bool:
    """Returns whether each text beside the addresses is at most three words that begin as names do:
    with no small letter. A request in a language without words in `_REQUEST` is none.
    """
    names = (name.strip(" \t<>()[],;\"'") for name in EMAIL.split(text))
    return all(
        len(words) <= _MOST_WORDS_OF_NAME and not any(word[0].islower() for word in words)
        for words in (name.split() for name in names)
    )


def asks_for_something(text: str) -> bool:
    """Returns whether a text has a word that asks a reader for something."""
    return bool(_REQUEST.search(EMAIL.sub(" ", text)))


def _addresses(text: str, *, most_names: int) -> list[str]:
    """Returns the addresses of a text that holds only addresses after short names.

    Returns none for a text with more than that, because it may be part of the scam.
    """
    addresses = [found.lower() for found in EMAIL.findall(text)]
    *names, after = EMAIL.split(text)
    are_few = len(addresses) <= MOST_RECIPIENTS
    are_short = all(
        len(name.split()) <= most_names and (most_names > 6 or _columns(name) <= MOST_NAME_COLUMNS)
        for name in names
    )
    rest = _ATTRIBUTION.sub("", after).strip(" \t\r<>()[]:;,*\"'|")
    is_written_by = bool(_ATTRIBUTION.search(after))
    return addresses if are_few and are_short and (not rest or is_written_by) else []


def _columns(text: str) -> int:
    """Returns the width of a text. Chinese, Japanese and Korean characters have two columns."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)


def _one_to_line(line: str) -> list[str]:
    """Returns the addresses of a single To line, without a head around it: two at most."""
    match = _ONE_TO_LINE.fullmatch(line)
    if match is None or asks_for_something(match["rest"]):
        return []
    addresses = _addresses(match["rest"], most_names=6)
    return addresses if len(addresses) <= 2 else []
