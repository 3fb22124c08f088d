"""The message check on messages as readers paste them: the layouts of mail programs in Korea and
elsewhere, forwarded mails, links that mail filters rewrote, footers. All people are made up.
"""
# ruff: noqa: E501 (a line of a layout stays one line here)

from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from urllib.parse import quote

import pytest
from django.core import mail
from django.test import Client
from django.utils.translation import override

from accounts import emails, mail_codes
from notices import message_codes
from scams import message_check, pasted_text
from scams.look_alikes import SuspicionReason
from scams.message_check import MessageVerdict
from tests.notice_factory import delivery_to

pytest_plugins = ["tests.messages.sent_notice"]

OURS = "notice@portal.example"
PORTAL = "http://127.0.0.1:8000"
EVIL = "https://refund.evil.example.com/pay"


def quoted(text: str) -> str:
    return "\n".join(f"> {line}" for line in text.splitlines())


# Heads of the reader's own copy, and of one that was forwarded. {text} is our message.
OWN_HEADS = {
    "naver_page": "[한빛마켓] 개인정보 유출 안내\n보낸사람\n한빛마켓<notice@portal.example>\n"
    "받는사람\n김민지<minji@naver.com>\n2025년 11월 18일 (화) 오후 8:30\n\n{text}",
    "naver_page_one_line": "보낸사람 한빛마켓<notice@portal.example>\n"
    "받는사람 김민지<minji@naver.com>\n2025. 11. 18. 20:30\n\n{text}",
    "naver_page_vip": "중요 제목 개인정보 유출 안내\n보낸사람\nVIP\n한빛마켓<notice@portal.example>\n"
    "받는사람\n<minji@naver.com>\n25.11.18 20:30\n\n{text}",
    "naver_forward": '-----Original Message-----\nFrom: "한빛마켓"<notice@portal.example>\n'
    'To: "김민지"<minji@naver.com>;\nCc:\nSent: 2025-11-18 (화) 20:30:11 (GMT+09:00)\n'
    "Subject: [한빛마켓] 개인정보 유출 안내\n\n{text}",
    "daum_forward": "--------- 원본 메일 ---------\n보낸사람 : 한빛마켓 <notice@portal.example>\n"
    "받는사람 : <minji@hanmail.net>\n참조 :\n"
    "날짜 : 2025년 11월 18일 화요일, 20시 30분 11초 +0900\n제목 : 개인정보 유출 안내\n\n{text}",
    "daum_page": "개인정보 유출 안내\n보낸사람\n한빛마켓\nnotice@portal.example\n받는사람\n김민지\n"
    "minji@daum.net\n25.11.18 20:30\n\n{text}",
    "kakao_page": "보낸 사람\n한빛마켓 <notice@portal.example>\n받는 사람\nminji@kakao.com\n"
    "2025.11.18. 20:30\n\n{text}",
    "outlook_ko": "보낸 사람: 한빛마켓 <notice@portal.example>\n"
    "보낸 날짜: 2025년 11월 18일 화요일 오후 8:30\n받는 사람: minji@example.com\n"
    "제목: 개인정보 유출 안내\n\n{text}",
    "outlook_ko_bold": "*보낸 사람:* 한빛마켓 <notice@portal.example>\n"
    "*보낸 날짜:* 2025-11-18 20:30\n*받는 사람:* 김민지 <minji@example.com>\n"
    "*참조:* 김서준 <seojun@example.com>; 김하늘 <haneul@example.com>; 이바다 <bada@example.com>\n"
    "*제목:* 안내\n\n{text}",
    "outlook_en": "________________________________\nFrom: Hanbit <notice@portal.example>\n"
    "Sent: Tuesday, November 18, 2025 8:30 PM\nTo: Minji Kim <minji@example.com>\n"
    "Subject: About your data\n\n{text}",
    "outlook_en_classic": "-----Original Message-----\nFrom: Hanbit [mailto:notice@portal.example]\n"
    "Sent: Tuesday, November 18, 2025 8:30 PM\nTo: minji@example.com\n"
    "Subject: About your data\n\n{text}",
    "apple_ko": "전달된 메시지:\n\n> 보낸 사람: 한빛마켓 <notice@portal.example>\n"
    "> 제목: 개인정보 유출 안내\n> 날짜: 2025년 11월 18일 오후 8:30:11 GMT+9\n"
    "> 받는 사람: minji@icloud.com\n>\n{quoted}",
    "apple_en": "Begin forwarded message:\n\nFrom: Hanbit <notice@portal.example>\n"
    "Subject: About your data\nDate: 18 November 2025 at 20:30:11 GMT+9\nTo: minji@icloud.com\n"
    "Reply-To: notice@portal.example\n\n{text}",
    "apple_phone_page": "보낸 사람: 한빛마켓\nnotice@portal.example\n받는 사람: 김민지\n"
    "minji@icloud.com\n2025. 11. 18. 오후 8:30\n\n{text}",
    "gmail_ko": "---------- Forwarded message ---------\n보낸사람: 한빛마켓 <notice@portal.example>\n"
    "Date: 2025년 11월 18일 (화) 오후 8:30\nSubject: 개인정보 유출 안내\nTo: <minji@gmail.com>\n\n{text}",
    "gmail_en": "---------- Forwarded message ---------\nFrom: Hanbit <notice@portal.example>\n"
    "Date: Tue, Nov 18, 2025 at 8:30 PM\nSubject: About your data\nTo: <minji@gmail.com>\n\n{text}",
    "gmail_reply": "2025년 11월 18일 (화) 오후 8:30, 한빛마켓 <notice@portal.example>님이 작성:\n\n"
    "{quoted}",
    "apple_reply": "2025. 11. 18. 오후 8:30, 한빛마켓 <notice@portal.example> 작성:\n\n{quoted}",
    "gmail_reply_en": "On Tue, Nov 18, 2025 at 8:30 PM Hanbit <notice@portal.example> wrote:\n{quoted}",
    "gmail_print": "25. 11. 18. 오후 8:31 Gmail - 안내\n\n민지 김 <minji@gmail.com>\n\n한빛마켓 <notice@portal.example>\n"
    "2025년 11월 18일 (화) 오후 8:30\n받는사람: minji@gmail.com\n\n{text}\n"
    "https://mail.google.com/mail/u/0/?ik=1a2b3c&view=pt&search=all&simpl=msg-f:18490 1/2",
    "samsung_ko": "-------- 원본 이메일 --------\n발신: 한빛마켓 <notice@portal.example>\n"
    "날짜: 2025/11/18 20:30 (GMT+09:00)\n수신: minji@example.com\n제목: 안내\n\n{text}",
    "samsung_en": "-------- Original message --------\nFrom: Hanbit <notice@portal.example>\n"
    "Date: 18.11.2025 20:30 (GMT+09:00)\nTo: minji@example.com\nSubject: About your data\n\n{text}",
    "thunderbird": "-------- 전달된 메시지 --------\n제목: \t안내\n날짜: \tTue, 18 Nov 2025 20:30:11 +0900\n"
    "보낸 사람: \t한빛마켓 <notice@portal.example>\n받는 사람: \tminji@example.com\n\n{text}",
    "yahoo": "----- Forwarded Message -----\nFrom: Hanbit <notice@portal.example>\n"
    'To: "minji@example.com" <minji@example.com>\n'
    "Sent: Tuesday, November 18, 2025 at 08:30:11 PM GMT+9\nSubject: About your data\n\n{text}",
    "company_portal": "발신자 : 한빛마켓<notice@portal.example>\n수신자 : 김민지<minji@example.com>\n"
    "일시 : 2025-11-18 20:30:11\n제목 : 안내\n\n{text}",
    "nate_page": "개인정보 유출 안내\n보낸이 : 한빛마켓 <notice@portal.example>\n"
    "받는이 : 김민지 <minji@nate.com>\n2025-11-18 20:30:11\n\n{text}",
    "line_works": "From 한빛마켓 <notice@portal.example>\nTo 김민지 <minji@example.com>\n"
    "2025. 11. 18. (화) 20:30\n\n{text}",
    "hiworks": '보낸사람: "한빛마켓" <notice@portal.example>\n받는사람: "김민지" <minji@example.com>\n'
    "보낸날짜: 2025-11-18(화) 20:30:11\n제목: 개인정보 유출 안내\n\n{text}",
    "proton": "------- Forwarded Message -------\nFrom: Hanbit <notice@portal.example>\n"
    "Date: On Tuesday, November 18th, 2025 at 8:30 PM\nSubject: About your data\n"
    "To: minji@proton.me <minji@proton.me>\n\n> {quoted}",
    "outlook_mobile_ko": "Android용 Outlook 다운로드<https://aka.ms/AAb9ysg>\n"
    "________________________________\n보낸 사람: 한빛마켓 <notice@portal.example>\n"
    "보낸 날짜: 화요일, 11월 18, 2025 8:30:11 오후\n받는 사람: minji@example.com <minji@example.com>\n"
    "제목: 개인정보 유출 안내\n\n{text}",
    "gmail_phone_details": "보낸사람 한빛마켓 • notice@portal.example\n받는사람 minji@gmail.com\n"
    "날짜 2025년 11월 18일 오후 8:30\n표준 암호화(TLS).\n보안 세부정보 보기\n\n{text}",
    "mailto": "From: Hanbit <notice@portal.example<mailto:notice@portal.example>>\n"
    "To: minji@example.com<mailto:minji@example.com>\nDate: 2025-11-18T20:30:11+09:00\n\n{text}",
}


@pytest.mark.parametrize("layout", OWN_HEADS)
@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_head_of_the_readers_own_is_not_called_a_scam(text, layout, ending):
    pasted = OWN_HEADS[layout].format(text=text, quoted=quoted(text)).replace("\n", ending)
    answer = message_check.answer_for(pasted)
    assert answer.strange == []
    assert answer.verdict == MessageVerdict.SENT


FORWARDED = {
    "gmail": "---------- Forwarded message ---------\n보낸사람: 김민지 <minji@gmail.com>\n"
    "Date: 2025년 11월 19일 (수) 오전 9:00\nSubject: Fwd: 안내\nTo: <seojun@naver.com>\n\n",
    "naver": '-----Original Message-----\nFrom: "김민지"<minji@naver.com>\n'
    'To: "김서준"<seojun@naver.com>;\nSent: 2025-11-19 (수) 09:00:00 (GMT+09:00)\n\n',
    "outlook": "보낸 사람: 김민지 <minji@example.com>\n보낸 날짜: 2025년 11월 19일 수요일 오전 9:00\n"
    "받는 사람: 김서준 <seojun@example.com>\n제목: FW: 안내\n\n이거 진짜야?\n\n",
    "reply": "2025. 11. 19. 오전 9:00, 김민지 <minji@icloud.com> 작성:\n\n",
}


@pytest.mark.parametrize("outer", FORWARDED)
@pytest.mark.parametrize("inner", ["naver_forward", "daum_forward", "outlook_ko", "apple_ko"])
def test_the_address_of_a_forwarder_is_asked_about(text, outer, inner):
    pasted = FORWARDED[outer] + OWN_HEADS[inner].format(text=text, quoted=quoted(text))
    answer = message_check.answer_for(pasted)
    assert answer.verdict == MessageVerdict.ASK
    assert all(one.shown.startswith("minji@") for one in answer.strange)


def test_a_mail_that_was_forwarded_twice_is_asked_about(sent, text):
    inner = OWN_HEADS["naver_forward"].format(text=text)
    second = FORWARDED["gmail"] + inner
    first = second.replace("minji@gmail.com", "haneul@daum.net")
    pasted = FORWARDED["outlook"] + quoted(first)
    answer = message_check.answer_for(pasted)
    assert answer.verdict == MessageVerdict.ASK
    assert {one.shown for one in answer.strange} == {"minji@example.com", "haneul@daum.net"}
    page = Client().post("/en/check/answer/", {"text": pasted}).content.decode()
    assert "The code is ours. Check these parts of the message" in page
    assert "treat it as a scam" not in page


@pytest.mark.parametrize(
    "pasted",
    [
        # The innermost sender is not ours.
        "From: Hanbit <help@evil.example.com>\nTo: minji@example.com\nSubject: x\n\n{text}",
        "보낸사람\n한빛마켓<help@evil.example.com>\n받는사람\nminji@naver.com\n\n{text}",
        # A forwarder whose address the text also asks to write to.
        (
            "From: <a@evil.example.com>\nTo: <minji@naver.com>\n\nFrom: <notice@portal.example>\n"
            "To: <minji@naver.com>\n\n{text}\n환불은 a@evil.example.com 으로 문의하십시오."
        ),
        # A forwarder whose address imitates ours.
        (
            "From: <notice@p0rtal.example>\nTo: <minji@naver.com>\n\nFrom: <notice@portal.example>\n"
            "To: <minji@naver.com>\n\n{text}"
        ),
        # Lines like a head below our message, which head nothing.
        "{text}\n\nFrom: <notice@portal.example>\nTo: <help@evil.example.com>",
        "{text}\n\n差出人: notice@portal.example\n宛先: help@evil.example.com",
        "{text}\n\nVon: notice@portal.example\nAn: help@evil.example.com\nSenden Sie die Karte!",
        # A sentence where a name should be.
        (
            "差出人: notice@portal.example\n"
            "宛先: カード番号はこちらまでお送りください help@evil.example.com\n\n{text}"
        ),
        # A reply address that is not ours.
        "From: <notice@portal.example>\nReply-To: <a@evil.example.com>\nTo: <m@naver.com>\n\n{text}",
    ],
)
def test_a_strange_sender_is_still_called_out(text, pasted):
    answer = message_check.answer_for(pasted.format(text=text))
    assert answer.verdict == MessageVerdict.ALTERED


# Links that mail filters rewrote


def proofpoint_v2(url: str) -> str:
    coded = quote(url, safe=":/?=&").replace("%", "-")
    for sign in ":?=&":
        coded = coded.replace(sign, f"-{ord(sign):02X}")
    return f"https://urldefense.proofpoint.com/v2/url?u={coded.replace('/', '_')}&d=DwMFaQ&c=a1"


def proofpoint_v3(url: str) -> str:
    """The characters that v3 replaces are put behind the link, in Base64."""
    replaced = "".join(sign for sign in url if not sign.isascii() or sign in "[]*")
    shown = "".join("*" if not sign.isascii() or sign in "[]*" else sign for sign in url)
    coded = urlsafe_b64encode(replaced.encode()).decode().rstrip("=")
    return f"https://urldefense.com/v3/__{shown}__;{coded}!!Ab_1!xyz$"


WRAPPERS: dict[str, Callable[[str], str]] = {
    "safelinks": lambda url: (
        f"https://apc01.safelinks.protection.outlook.com/?url={quote(url, safe='')}"
        "&data=05%7C02%7Cminji%40example.com%7C0&sdata=abc%3D&reserved=0"
    ),
    "safelinks_without_scheme": lambda url: (
        f"apc01.safelinks.protection.outlook.com/?url={quote(url, safe='')}&data=05"
    ),
    "safelinks_of_html": lambda url: (
        f"https://apc01.safelinks.protection.outlook.com/ap/t-59584e83/?url={quote(url, safe='')}"
        "&amp;data=05%7C02"
    ),
    "urldefense_v1": lambda url: (
        f"https://urldefense.proofpoint.com/v1/url?u={quote(url, safe='')}&k=abc%3D%3D%0A&r=x"
    ),
    "urldefense_v2": proofpoint_v2,
    "urldefense_v3": proofpoint_v3,
    "google": lambda url: (
        f"https://www.google.com/url?q={quote(url, safe='')}&source=gmail&ust=17&usg=AOv"
    ),
    "google_plain": lambda url: f"https://www.google.com/url?sa=D&url={url}",
    "barracuda": lambda url: (
        f"https://linkprotect.cudasvc.com/url?a={quote(url, safe='')}&c=E,1,abc&typo=1"
    ),
    "trend": lambda url: (
        "https://ca-1801.ctp.trendmicro.com/wis/clicktime/v1/query"
        f"?url={quote(url, safe='')}&umid=a&auth=b"
    ),
    "cisco": lambda url: f"https://secure-web.cisco.com/1ab-Cd_ef/{quote(url, safe='')}",
    "sophos": lambda url: (
        "https://ap-southeast-1.protection.sophos.com/?d=portal.example&u="
        f"{b64encode(url.encode()).decode()}&i=abc"
    ),
    "fireeye": lambda url: (
        f"https://protect2.fireeye.com/v1/url?k=a-b&q=1&e=c&u={quote(url, safe='')}"
    ),
    "symantec": lambda url: f"https://clicktime.symantec.com/3Ab?u={quote(url, safe='')}",
    "twice": lambda url: WRAPPERS["safelinks"](proofpoint_v3(url)),
}


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_our_link_in_a_filters_link_is_ours(text, wrapper):
    rewritten = text.replace(PORTAL, WRAPPERS[wrapper](PORTAL))
    assert rewritten != text
    answer = message_check.answer_for(rewritten)
    assert answer.strange == []
    assert answer.verdict == MessageVerdict.SENT


@pytest.mark.parametrize("wrapper", WRAPPERS)
def test_a_foreign_link_in_a_filters_link_is_called_out(text, wrapper):
    answer = message_check.answer_for(f"{WRAPPERS[wrapper](EVIL)}\n{text}")
    assert answer.verdict == MessageVerdict.ALTERED
    assert [one.shown for one in answer.strange] == ["refund.evil.example.com"]


def test_replaced_characters_of_a_rewritten_link_are_restored():
    link = proofpoint_v3("https://한빛.example/길")
    (trace,) = pasted_text.traces_in(link)
    assert trace.value == "한빛.example".encode("idna").decode()


@pytest.mark.parametrize(
    "link",
    [
        # Not the filter's host.
        f"https://safelinks.protection.outlook.com.evil.example.com/?url={quote(PORTAL, safe='')}",
        f"https://evilsafelinks.protection.outlook.example.com/?url={PORTAL}",
        f"https://google.com.evil.example.com/url?q={PORTAL}",
        # A filter on a company's own host: any host can have such a path.
        f"https://mail.evil.example.com/fmlurlsvc/?fewReq=:B:JVE3&url={quote(PORTAL, safe='')}",
        # Two targets, of which a browser opens one.
        f"https://www.google.com/url?q={PORTAL}&url={EVIL}",
        f"https://a.safelinks.protection.outlook.com/?url={quote(PORTAL)}&url={quote(EVIL)}",
        f"https://urldefense.com/v3/__{PORTAL}__;!!__{EVIL}__;!!a!b$",
        # The host of the target is not what it seems.
        f"https://www.google.com/url?q={quote('http://127.0.0.1:8000@evil.example.com/', safe='')}",
        f"https://www.google.com/url?q={quote('http://evil.example.com#127.0.0.1:8000', safe='')}",
        f"https://www.google.com/url?q={quote('http://127.0.0.1:8000 evil', safe='')}",
        # Other services of the same owners.
        f"https://www.google.com/amp?q={PORTAL}",
        f"https://portal@www.google.com/url?q={PORTAL}",
        "https://urldefense.com/v3/__https:/*/x__;!!a!b$",
    ],
)
def test_a_link_that_only_resembles_a_filters_link_is_called_out(text, link):
    answer = message_check.answer_for(f"{link}\n{text}")
    assert answer.verdict == MessageVerdict.ALTERED
    assert answer.strange


def test_a_filters_link_without_a_readable_target_is_asked_about(text):
    link = "https://protect-us.mimecast.com/s/AbCdEf?domain=portal.example"
    answer = message_check.answer_for(text.replace(PORTAL, link))
    assert answer.verdict == MessageVerdict.ASK
    assert [one.reason for one in answer.strange] == [SuspicionReason.REWRITTEN]
    page = Client().post("/en/check/answer/", {"text": text.replace(PORTAL, link)})
    assert "its filter may have rewritten ours" in page.content.decode()


def test_a_foreign_link_beside_a_rewritten_one_is_called_out(text):
    link = "https://protect-us.mimecast.com/s/AbCdEf?domain=portal.example"
    answer = message_check.answer_for(f"{text.replace(PORTAL, link)}\n{EVIL}")
    assert answer.verdict == MessageVerdict.ALTERED


# Footers and banners


@pytest.mark.parametrize(
    "footer",
    [
        "Get Outlook for iOS<https://aka.ms/o0ukef>",
        "Get Outlook for Android<https://aka.ms/AAb9ysg>",
        "iOS용 Outlook 받기<https://aka.ms/o0ukef>",
        "Android용 Outlook 다운로드 (https://aka.ms/AAb9ysg)",
        "나의 iPhone에서 보냄",
        "내 iPad에서 보냄",
        "Sent from my iPhone",
        "Sent from my Galaxy",
        "Galaxy에서 보냈습니다.",
        "Windows용 메일에서 보냄<https://go.microsoft.com/fwlink/?LinkId=550986>",
        "Sent from Mail for Windows 10 <https://go.microsoft.com/fwlink/?LinkId=550986>",
        "Sent from Yahoo Mail on Android <https://go.onelink.me/107872968?pid=InProduct&c=Global>",
        "Sent with Proton Mail secure email.",
        "Virus-free.www.avast.com<https://www.avast.com/sig-email?utm_medium=email>",
        (
            "Some people who received this message don't often get email from notice@portal.example. "
            "Learn why this is important<https://aka.ms/LearnAboutSenderIdentification>"
        ),
        "[외부메일] 이 메일은 외부에서 발송되었습니다. 링크와 첨부 파일에 유의하십시오.",
    ],
)
@pytest.mark.parametrize("quote", ["", "> "])
def test_a_mail_programs_footer_is_not_called_out(text, footer, quote):
    answer = message_check.answer_for(f"{text}\n{quote}{footer}\n")
    assert answer.strange == []
    assert answer.verdict == MessageVerdict.SENT


@pytest.mark.parametrize(
    "line",
    [
        "Get Outlook for iOS<https://evil.example.com>",
        "Get Outlook for iOS<https://aka.ms/evil>",
        "Get Outlook for iOS https://aka.ms/o0ukef https://evil.example.com",
        "나의 iPhone에서 보냄 https://evil.example.com",
        "Virus-free. www.avast.com.evil.example.com",
        "https://mail.google.com.evil.example.com/mail/u/0/",
        "Learn why this is important<https://aka.ms/other>",
        (
            "https://evil.example.com Learn why this is important"
            "<https://aka.ms/LearnAboutSenderIdentification>"
        ),
    ],
)
def test_a_foreign_link_in_a_footer_is_called_out(text, line):
    assert message_check.answer_for(f"{text}\n{line}").verdict == MessageVerdict.ALTERED


# Dates that look like numbers


@pytest.mark.parametrize(
    "date",
    [
        *("2025-11-18 20:30:11", "2025. 11. 18. 20:30", "2025.11.18. 20:30", "25.11.18 20:30"),
        *("2025/11/18 20:30", "2025-11-18T20:30:11+09:00", "18.11.2025 20:30", "11/18/2025 20:30"),
        *("2025. 11. 18.", "25. 11. 18. 오후 8:30", "(2025-11-18 20:30)", "2025-11-18 (화) 20:30"),
        *("18-11-2025 20:30", "Tue, 18 Nov 2025 20:30:11 +0900", "2025.11.18 (화) 오후 8시 30분"),
    ],
)
def test_a_date_is_not_taken_for_a_number(date):
    assert pasted_text.traces_in(f"보낸날짜 {date}\n받음 {date}") == []


@pytest.mark.parametrize(
    ("line", "number"),
    [
        ("2025. 11. 18. 010-9999-8888", "01099998888"),
        ("2025.11.18 1588-1234", "15881234"),
        ("02-2025-1118", "0220251118"),
        ("2025-11-18-9999", "2025-11-18-9999"),
        ("25.11.18.20.30", "25.11.18.20.30"),
        ("010 2025.11.18 1234 5678", "12345678"),
    ],
)
def test_a_number_beside_a_date_is_found(line, number):
    values = [trace.value for trace in pasted_text.traces_in(line)]
    assert pasted_text.normal_number(number) in values


# Account mails


@pytest.fixture
def code_mail(db, settings) -> str:
    emails.send_sign_in_code("minji@example.com", "12345678")
    (message,) = mail.outbox
    return f"보낸사람 : {message.from_email}\n받는사람 : minji@example.com\n\n{message.body}"


@pytest.mark.parametrize("language", ["ko", "en"])
def test_a_sign_in_mail_is_recognised(db, language):
    with override(language):
        emails.send_sign_in_code("minji@example.com", "12345678")
    body = str(mail.outbox[0].body)
    answer = message_check.answer_for(body)
    assert answer.strange == []
    assert answer.verdict == MessageVerdict.SENT
    page = Client().post("/en/check/answer/", {"text": body}).content.decode()
    assert "A mail with a code to sign in" in page
    assert "scam" not in page.partition("<h1>")[2].partition("</h1>")[0]


def test_a_foreign_link_in_a_sign_in_mail_is_called_out(code_mail):
    answer = message_check.answer_for(f"{code_mail}\n{EVIL}")
    assert answer.verdict == MessageVerdict.ALTERED
    assert message_check.answer_for(f"{code_mail}\n1588-1234").verdict == MessageVerdict.ALTERED


def test_a_sign_in_mail_whose_code_we_never_made_has_no_record(code_mail):
    code = mail_codes.account_mail_code()
    other = code_mail.replace(code[:4], "0000" if code[:4] != "0000" else "1111")
    assert message_check.answer_for(other).verdict == MessageVerdict.NO_RECORD


def test_a_code_of_one_kind_is_not_one_of_the_other(sent, sent_once):
    code = message_codes.message_code(delivery_to(sent, sent_once.minji).pk)
    assert mail_codes.made_mail(code) is None
    assert message_codes.delivery_of_code(mail_codes.account_mail_code()) is None


@pytest.mark.parametrize("place", ["above", "below"])
@pytest.mark.parametrize(
    "head",
    [
        "差出人: notice@portal.example\n宛先: カード番号はこちらまでお送りください help@evil.example.com",
        "发件人: notice@portal.example\n收件人: 请将您的银行卡号码和密码发送到这里 help@evil.example.com",
        "Von: notice@portal.example\nAn: senden Sie Ihre Kartennummer bitte an help@evil.example.com",
        "De: notice@portal.example\nPara: envíe el número de su tarjeta a help@evil.example.com",
        "To: please send your card number to help@evil.example.com",
    ],
)
def test_a_request_in_the_shape_of_a_head_is_called_out(text, head, place):
    pasted = f"{head}\n\n{text}" if place == "above" else f"{text}\n\n{head}\n"
    answer = message_check.answer_for(pasted)
    assert answer.verdict == MessageVerdict.ALTERED
    assert "help@evil.example.com" in [one.shown for one in answer.strange]


def test_a_recipient_below_our_message_is_no_readers_address(text):
    below = "\n\nFrom: notice@portal.example\nTo: help@evil.example.com\n"
    assert message_check.answer_for(text + below).verdict != MessageVerdict.SENT
