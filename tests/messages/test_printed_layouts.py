"""The message check on our message as mail programs print, forward and quote it. Most layouts are those
of programs whose heads have no colons, stand on one line, or are in languages beside the portal's.
"""
# ruff: noqa: E501 (a line of a layout stays one line here)

import re

import pytest

from tests.messages.test_encoded_texts import FOREIGN, TEXT, verdict_on

OUR, EVIL = "privacy@hanbit.co.kr", "help@evil.example"
# {sender} is our address, {text} our message; {quoted} is the message with the marks of a quote.
LAYOUTS = {
    "mailbird fwd": "---------- Forwarded message ----------\nFrom: Hanbit <{sender}>\nDate: 18/11/2025 20:30:11\nSubject: 안내\nTo: minji@example.com <minji@example.com>\n\n{text}\nSent with Mailbird [https://www.getmailbird.com/?utm_source=Mailbird&utm_medium=email&utm_campaign=sent-from-mailbird]",
    "mailbird reply": "On 18/11/2025 20:30:11, Hanbit <{sender}> wrote:\n{quoted}",
    "aqua fwd": "--- Forwarded message ---\nFrom: Hanbit <{sender}>\nDate: November 18, 2025 8:30:11 PM\nSubject: 안내\nTo: minji@example.com\n\n{text}\nForwarded with Aqua Mail for Android\nhttps://www.mobisystems.com/aqua-mail\n",
    "outlook new print en": "Outlook\n\nAbout your data\n\nFrom Hanbit <{sender}>\nDate Tue 11/18/2025 8:30 PM\nTo   Minji Kim <minji@example.com>\n\n{text}",
    "outlook new print ko": "Outlook\n\n개인정보 유출 안내\n\n보낸 사람 한빛마켓 <{sender}>\n날짜 2025-11-18 (화) 오후 8:30\n받는 사람 김민지 <minji@example.com>\n\n{text}",
    "outlook new print de": "Outlook\n\nIhre Daten\n\nVon Hanbit <{sender}>\nDatum Di, 18.11.2025 20:30\nAn Minji Kim <minji@example.com>\n\n{text}",
    "outlook new print fr": "Outlook\n\nVos données\n\nDe Hanbit <{sender}>\nDate Mar 18/11/2025 20:30\nÀ Minji Kim <minji@example.com>\n\n{text}",
    "outlook new print ja": "Outlook\n\nお知らせ\n\n差出人 Hanbit <{sender}>\n日付 2025/11/18 (火) 20:30\n宛先 Minji Kim <minji@example.com>\n\n{text}",
    "outlook classic print": "Minji Kim\n\nFrom:\tHanbit <{sender}>\nSent:\tTuesday, November 18, 2025 8:30 PM\nTo:\tminji@example.com\nSubject:\tAbout your data\n\n{text}\n\n1",
    "outlook mac print": "Tuesday, November 18, 2025 at 20:30:11 Korean Standard Time\n\nSubject:\tAbout your data\nDate:\tTuesday, November 18, 2025 at 8:30:11 PM Korean Standard Time\nFrom:\tHanbit <{sender}>\nTo:\tMinji <minji@example.com>\n\n{text}\n\nPage 1 of 1",
    "owa conversation": "Hanbit<{sender}>\n\u200bTo:\u200bYou\u200b\n\u200bTue 11/18/2025 8:30 PM\u200b\n{text}",
    "thunderbird print": "Subject: About your data\nFrom: Hanbit <{sender}>\nDate: 11/18/25, 8:30 PM\nTo: Minji Kim <minji@example.com>\n\n{text}\n\n1 of 1\t11/18/25, 8:31 PM",
    "thunderbird print ko": "제목: 안내\n보낸 사람: 한빛 <{sender}>\n날짜: 25. 11. 18. 오후 8:30\n받는 사람: minji@example.com\n\n{text}",
    "gmail print en": "11/18/25, 8:31 PM Gmail - About your data\n\nMinji Kim <minji@gmail.com>\n\nAbout your data\n1 message\n\nHanbit <{sender}> Tue, Nov 18, 2025 at 8:30 PM\nTo: minji@gmail.com\n\n{text}\nhttps://mail.google.com/mail/u/0/?ik=1a2b3c&view=pt&search=all&permthid=thread-f:1849&simpl=msg-f:1849 1/1",
    "gmail print ko": "25. 11. 18. 오후 8:31 Gmail - 개인정보 유출 안내\n\n김민지 <minji@gmail.com>\n\n개인정보 유출 안내\n메일 1개\n\n한빛마켓 <{sender}> 2025년 11월 18일 (화) 오후 8:30\n받는사람: minji@gmail.com\n\n{text}",
    "naver print": "[한빛마켓] 개인정보 유출 안내\n보낸사람 : 한빛마켓 <{sender}> 25.11.18 20:30\n받는사람 : 김민지 <minji@naver.com>\n\n{text}",
    "naver print 2": '메일제목 : [한빛마켓] 안내\n보낸사람 : "한빛마켓" <{sender}>\n받는사람 : "김민지" <minji@naver.com>\n보낸시각 : 2025-11-18(화) 20:30:11\n참조 :\n\n{text}',
    "daum print": "개인정보 유출 안내\n보낸이 한빛마켓 <{sender}>\n받는이 김민지 <minji@hanmail.net>\n보낸날짜 2025.11.18 20:30\n\n{text}",
    "kakao print": "개인정보 유출 안내\n보낸사람 한빛마켓 <{sender}>\n받는사람 minji@kakao.com\n25.11.18 20:30\n{text}",
    "kakao fwd": "---------- 전달된 메일 ----------\n보낸 사람: 한빛마켓 <{sender}>\n날짜: 2025. 11. 18. 오후 8:30\n제목: 안내\n받는 사람: <minji@kakao.com>\n\n{text}",
    "spark fwd": "---------- Forwarded message ----------\nFrom: Hanbit <{sender}>\nDate: 18 Nov 2025 at 20:30 +0900\nTo: minji@example.com\nSubject: About your data\n\n> {text}",
    "spark reply": "On 18 Nov 2025 at 20:30 +0900, Hanbit <{sender}>, wrote:\n{quoted}",
    "samsung fwd": "-------- 원본 메시지 --------\n보낸 사람: 한빛마켓 <{sender}>\n날짜: 25/11/18 오후 8:30 (GMT+09:00)\n받는 사람: minji@example.com\n제목: 안내\n\n{text}",
    "ios fwd ko": "전달된 메시지 시작:\n\n보낸 사람: 한빛마켓 <{sender}>\n날짜: 2025년 11월 18일 오후 8:30:11 GMT+9\n받는 사람: minji@icloud.com\n제목: 안내\n답장 받는 사람: {sender}\n\n\ufeff{text}",
    "ios fwd en": "Begin forwarded message:\n\nFrom: Hanbit <{sender}>\nDate: November 18, 2025 at 8:30:11 PM GMT+9\nTo: minji@icloud.com\nSubject: About your data\nReply-To: {sender}\n\n\ufeff{text}",
    "proton": "------- Forwarded Message -------\nFrom: Hanbit <{sender}>\nDate: On Tuesday, November 18th, 2025 at 20:30\nSubject: About your data\nTo: minji@proton.me <minji@proton.me>\n\n\n> {text}",
    "proton reply": "On Tuesday, November 18th, 2025 at 8:30 PM, Hanbit <{sender}> wrote:\n\n{quoted}\n\nSent with [Proton Mail](https://proton.me/mail/home) secure email.",
    "fastmail": "----- Original message -----\nFrom: Hanbit <{sender}>\nTo: minji@fastmail.com\nSubject: About your data\nDate: Tuesday, 18 November 2025 8:30 PM\n\n{text}",
    "yahoo": '   ----- Forwarded Message ----- From: Hanbit <{sender}>To: "minji@yahoo.com" <minji@yahoo.com>Cc: Seojun <seojun@example.com>Sent: Tuesday, November 18, 2025 at 08:30:11 PM GMT+9Subject: About your data\n {text}',
    "yahoo footer": "{text}\n\nYahoo Mail: Search, Organize, Conquer<https://mail.onelink.me/107872968?pid=nativeplacement&c=Global_Acquisition_YMktg_315_Internal_EmailSignature&af_sub1=Acquisition>",
    "aol": "{text}\nSent from AOL on Android<https://aol.onelink.me/1025746?pid=x>",
    "bluemail": "-------- Original Message --------\nFrom: Hanbit <{sender}>\nSent: Tue Nov 18 20:30:11 GMT+09:00 2025\nTo: minji@example.com\nSubject: About your data\n\n{text}\n\u2063Get BlueMail for Desktop <https://bluemail.me/download/> \u200b",
    "bluemail reply": "On Nov 18, 2025, at 8:30 PM, Hanbit <{sender}> wrote:\n{quoted}",
    "em client": '------ Original Message ------\nFrom "Hanbit" <{sender}>\nTo minji@example.com\nDate 2025-11-18 20:30:11\nSubject About your data\n\n{text}',
    "em client de": '------ Originalnachricht ------\nVon "Hanbit" <{sender}>\nAn "Minji Kim" <minji@example.com>\nDatum 18.11.2025 20:30:11\nBetreff Ihre Daten\n\n{text}',
    "em client fwd": '------ Forwarded Message ------\nFrom: "Hanbit" <{sender}>\nTo: minji@example.com; seojun@example.com\nSent: 18/11/2025 20:30:11\nSubject: About your data\n\n{text}',
    "k9": "-------- Original Message --------\nFrom: Hanbit <{sender}>\nSent: November 18, 2025 8:30:11 PM GMT+09:00\nTo: minji@example.com\nSubject: About your data\n\n{text}\n-- \nSent from my Android device with K-9 Mail. Please excuse my brevity.",
    "k9 ko": "-------- 원본 메시지 --------\n보낸 사람: 한빛 <{sender}>\n보낸 시간: 2025년 11월 18일 오후 8시 30분 11초 GMT+09:00\n받는 사람: minji@example.com\n제목: 안내\n\n{text}",
    "missive": "---------- Forwarded message ----------\nFrom: Hanbit <{sender}>\nDate: November 18, 2025 at 8:30 PM\nTo: minji@example.com\nCc: Walter Sheltan <walter@example.com>, Nicholas <nicholas@example.org>\nSubject: x\n\n{quoted}",
    "hubspot ja": "---------- メッセージを転送 ---------\n送信元：Hanbit <{sender}>\n日付：2025年11月18日火曜日 20:30:11 +0900\n件名：x\n送信先：minji@example.com\nCC：Walter Sheltan <walter@example.com>\n\n{text}",
    "canary": "{text}\nSent from Canary (https://canarymail.io)",
    "outlook on behalf": "From: Hanbit<mailto:{sender}> <{sender}<mailto:{sender}>> on behalf of Hanbit<mailto:{sender}>\nSent: Tuesday, November 18, 2025 20:30\nTo: minji@example.com <minji@example.com>\nSubject: x\n\n{text}",
    "apple reply-to ko": '> 보낸 사람: 한빛마켓 <{sender}>\n> 제목: 안내\n> 날짜: 2025년 11월 18일 오후 8:30:11 GMT+9\n> 받는 사람: "minji@icloud.com" <minji@icloud.com>\n> 회신: {sender}\n> \n{quoted}',
    "mutt": "----- Forwarded message from Hanbit <{sender}> -----\n\nDate: Tue, 18 Nov 2025 20:30:11 +0900\nFrom: Hanbit <{sender}>\nTo: minji@example.com\nSubject: x\n\n{text}\n\n----- End forwarded message -----",
    "roundcube": "-------- 원본 메시지 --------\n제목: 안내\n날짜: 2025-11-18 20:30\n발신자: 한빛 <{sender}>\n수신자: minji@example.com\n\n{text}",
    "zimbra": 'From: "Hanbit" <{sender}>\nTo: "minji" <minji@example.com>\nSent: Tuesday, November 18, 2025 8:30:11 PM\nSubject: x\n\n{text}',
    "gmail app details en": "Hanbit\n8:30 PM\nto me\nFrom Hanbit • {sender}\nTo minji@gmail.com\nDate Nov 18, 2025, 8:30 PM\nStandard encryption (TLS).\nSee security details\n\n{text}",
    "gmail app details de": "Hanbit\n20:30\nan mich\nVon Hanbit • {sender}\nAn minji@gmail.com\nDatum 18. Nov. 2025, 20:30\nStandardverschlüsselung (TLS).\n\n{text}",
    "gmail app reply vi": "Vào Th 3, 18 thg 11, 2025 vào lúc 20:30 Hanbit <{sender}> đã viết:\n\n{quoted}",
    "outlook mobile de": "Outlook für Android<https://aka.ms/AAb9ysg> beziehen\n________________________________\nVon: Hanbit <{sender}>\nGesendet: Dienstag, November 18, 2025 8:30:11 PM\nAn: minji@outlook.de <minji@outlook.de>\nBetreff: Ihre Daten\n\n{text}",
    "thunderbird zh-tw": "-------- 轉寄郵件 --------\n主旨: \t通知\n日期: \tTue, 18 Nov 2025 20:30:11 +0900\n從: \tHanbit <{sender}>\n到: \tminji@example.com\n\n\n{text}",
    "outlook mobile ja": "Outlook for iOS<https://aka.ms/o0ukef> を入手\n________________________________\n差出人: Hanbit <{sender}>\n送信日時: 火曜日, 11月 18, 2025 8:30:11 午後\n宛先: minji@outlook.jp <minji@outlook.jp>\n件名: お知らせ\n\n{text}",
    "outlook mobile ko": "Android용 Outlook<https://aka.ms/AAb9ysg> 다운로드\n________________________________\n보낸 사람: 한빛마켓 <{sender}>\n보낸 날짜: 화요일, 11월 18, 2025 8:30:11 오후\n받는 사람: minji@outlook.com <minji@outlook.com>\n제목: 안내\n\n{text}",
    "tuta reply": "--\nSecured with Tuta Mail:\nhttps://tuta.com/free-email\n\n\nNov 18, 2025, 20:30 by {sender}:\n{quoted}",
    "ios 18 reply ja": "2025/11/18 20:30、Hanbit <{sender}>のメール:\n\n{quoted}",
    "fairemail reply": "Nov 18, 2025 20:30:11 Hanbit <{sender}>:\n\n{quoted}",
    "ews tr": "Kimden: Hanbit <{sender}>\nGönderildi: 18 Kasım 2025 Salı 20:30\nKime: minji@example.com\nKonu: x\n\n{text}",
}
# The labels of sender, recipient and subject in other languages.
LABELS = {
    "tr": ("Kimden", "Kime", "Konu"),
    "pl": ("Od", "Do", "Temat"),
    "pl, Thunderbird": ("Nadawca", "Adresat", "Temat"),
    "cs": ("Od", "Komu", "Předmět"),
    "sk": ("Od", "Pre", "Predmet"),
    "nl": ("Van", "Aan", "Onderwerp"),
    "it": ("Da", "A", "Oggetto"),
    "it, Thunderbird": ("Mittente", "A", "Oggetto"),
    "pt": ("De", "Para", "Assunto"),
    "da": ("Fra", "Til", "Emne"),
    "sv": ("Från", "Till", "Ämne"),
    "fi": ("Lähettäjä", "Vastaanottaja", "Aihe"),
    "hu": ("Feladó", "Címzett", "Tárgy"),
    "ro": ("De la", "Către", "Subiect"),
    "ru": ("От", "Кому", "Тема"),
    "uk": ("Від кого", "Кому", "Тема"),
    "hr": ("Šalje", "Prima", "Naslov"),
    "et": ("Saatja", "Saaja", "Teema"),
}


def pasted(layout: str, *, sender: str = OUR) -> str:
    quoted = "\n".join(f"> {line}" for line in TEXT.splitlines())
    return LAYOUTS[layout].format(sender=sender, text=TEXT, quoted=quoted)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_our_message_in_a_layout_of_a_mail_program_is_recognised(layout):
    assert verdict_on(pasted(layout)) == "sent"


@pytest.mark.parametrize("layout", LAYOUTS)
def test_what_is_foreign_in_a_layout_is_called_out(layout):
    for foreign in FOREIGN:
        assert verdict_on(f"{pasted(layout)}\n{foreign}\n") == "altered"
    if "{sender}" in LAYOUTS[layout]:
        assert verdict_on(pasted(layout, sender=EVIL)) == "altered"
    if reader := re.search(r"minji@[\w.]+", LAYOUTS[layout]):
        assert verdict_on(f"{pasted(layout)}\n카드번호를 {reader[0]} 으로\n") == "altered"


@pytest.mark.parametrize("language", LABELS)
def test_a_head_in_another_language_names_readers_and_asks_for_nothing(language):
    sender, recipient, subject = LABELS[language]
    head = f"{sender}: Hanbit <{{}}>\n{recipient}: {{}}<{{}}>\n{subject}: x\n\n{TEXT}"
    assert verdict_on(head.format(OUR, "Minji Kim ", "minji@example.com")) == "sent"
    assert verdict_on(head.format(EVIL, "Minji Kim ", "minji@example.com")) == "altered"
    assert verdict_on(head.format(OUR, "kart numaranızı gönderin ", EVIL)) == "altered"
    assert verdict_on(head.format(OUR, "Wyślij Numer Karty Natychmiast ", EVIL)) == "altered"


def test_the_owner_of_a_printed_page_follows_no_forged_sender():
    """A sender's line and a To line with one address name no owner."""
    assert verdict_on(f"고객센터 <{EVIL}>\n\nTo: {EVIL}\n\n{TEXT}") == "altered"


def test_the_owner_of_a_printed_page_is_asked_about_unless_the_page_names_gmail():
    page = f"{{}}{{}}\n안내\n한빛마켓 <{OUR}>\nTo: {{}}\n\n{TEXT}"
    gmail, reader = "11/18/25, 8:31 PM Gmail - 안내\n", "minji@gmail.com"
    assert verdict_on(page.format(gmail, f"Minji Kim <{reader}>", reader)) == "sent"
    assert verdict_on(page.format("", f"Minji Kim <{reader}>", reader)) == "ask"
    assert verdict_on(page.format("", f"피해 보상 담당 <{EVIL}>", EVIL)) == "ask"
    for first in (gmail, "안내\n", ""):
        for owner in (
            f"보상금은 여기로: {EVIL}",
            f"보상금은 여기로 {EVIL}",
            f"피해 보상금 수령 담당 직원 <{EVIL}>",
        ):
            assert verdict_on(page.format(first, owner, EVIL)) == "altered", owner


FOOTERS = (
    "Yahoo Mail: Search, Organize, Conquer",
    "Sent from Yahoo Mail on Android",
    "Sent from AOL for iOS",
    "Get Outlook for iOS https://aka.ms/o0ukef",
    "Sent with Proton Mail secure email.",
    "Virus-free. www.avast.com",
    "Sent with Tutanota; enjoy secure & ad-free emails: https://tuta.com",
    "Sent with Aqua Mail for Android",
    "Sent with Mailbird https://www.getmailbird.com/?utm_source=Mailbird",
)
TRACES = ("https://evil.example/pay", "evil.example/pay", EVIL, "010-9876-5432", "0298765432")


@pytest.mark.parametrize("footer", FOOTERS)
def test_a_footer_hides_no_link_address_or_number(footer):
    """A trace that stands at any blank of a footer, in place of a word, or after it."""
    assert verdict_on(f"{TEXT}\n{footer}\n") == "sent"
    words = footer.split()
    for place in range(1, len(words) + 1):
        for trace in TRACES:
            for end in (place, place + 1, len(words)):
                after = words[end:]
                line = " ".join([*words[:place], trace, *after])
                assert verdict_on(f"{TEXT}\n{line}\n") == "altered", line


def test_the_link_of_a_footer_leads_to_no_other_page():
    line = "Sent from AOL on Android https://aol.onelink.me/{}"
    for page in ("abcd", "1025746?af_web_dp=evil.example", "1025746?u=https%3A%2F%2Fevil.example"):
        assert verdict_on(f"{TEXT}\n{line.format(page)}\n") == "altered", page


@pytest.mark.parametrize(
    "line",
    [
        "전화 klo 02.12.34 -9876",
        "전화 klo 02.12.34 9876",
        "전화 klo 02.12.34 (9876)",
        "call 2025 02.12.34 -5678",
        "call 2025 02.12.34 5678",
    ],
)
def test_a_time_with_dots_hides_no_number(line):
    assert verdict_on(f"{TEXT}\n{line}\n") == "altered"


def test_a_time_with_dots_is_no_number():
    for line in ("18. november 2025 20.30.11 +0100", "18.11.2025 klo 20.30.11"):
        assert verdict_on(f"{line}\n{TEXT}") == "sent", line
