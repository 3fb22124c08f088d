"""The content of a notice's mails: the recipient's own language, name and data classes."""

import re
from email import message_from_bytes, policy
from uuid import uuid4

import pytest
from django.conf import settings as django_settings

from harness import exposure_factory
from incidents.models import DataClass
from notices import decisions, message_codes, message_filling, message_templates, tasks
from notices.message_filling import MessageFiller, Recipient
from notices.models import AlertSubscription, Delivery, Notice, NoticeMessage
from tests.localized import merged
from tests.notice_factory import affected, delivery_to, scam_alert, work
from tests.smtp_server import DROP

pytest_plugins = ["tests.notice_fixtures"]

HOSTILE_NAMES = [
    "민지\r\nBcc: everyone",
    "민지\n.\nMAIL FROM:<x>",
    '<img src=x onerror="alert(1)">',
    "{{ slot }} {} {0} %s",
    "slot-name- slot name",
    "\u202egnp. exe\u0000",
    'Kim & Lee\'s "home"',
    "가" * 500,
]

# With `email.message` some of these lose a space.
TITLES = [
    "개인정보 유출 안내 (2차) Notice about your personal data 주문 번호와 배송지 주소가 포함됩니다",
    "2026년 11월 29일 확인된 개인정보 유출 사고와 고객님께서 하실 수 있는 조치에 대한 두 번째 안내",
    "Coupang 로켓배송 고객 ID, e-mail, 전화번호 유출 안내: 비밀번호 변경 및 2단계 인증 설정 방법",
]


@pytest.fixture
def alert(version, editor, approver, seojun, minji) -> Notice:
    """An approved alert on scams, to which Seojun and Minji subscribe."""
    alert = scam_alert(version, editor, seojun, minji)
    decisions.approve(alert, by=approver)
    return alert


def texts(message) -> tuple[str, str]:
    return tuple(message.get_body((kind,)).get_content() for kind in ("plain", "html"))


def test_each_recipient_reads_their_own_language_name_and_classes(notice, server):
    work(notice)
    (to_minji,), (to_seojun,) = server.to("minji@example.com"), server.to("seojun@example.com")
    assert to_minji["Content-Language"] == "ko"
    assert to_seojun["Content-Language"] == "en"
    for text in texts(to_minji):
        assert "김민지" in text
        assert "개인정보 유출 안내" in text
        assert "이름" in text
        assert "전화번호" in text
        assert "Seojun" not in text
    for text in texts(to_seojun):
        assert "Seojun Lee" in text
        assert "About your data" in text
        assert "Phone numbers" not in text
        assert "김민지" not in text


def test_headers_of_a_mandatory_notice(notice, people, server):
    work(notice)
    (message,) = server.to("minji@example.com")
    assert message["To"] == "minji@example.com"
    assert message["From"] == django_settings.DEFAULT_FROM_EMAIL
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Subject"] == "한빛상점: 개인정보 유출 안내"
    assert message["Date"]
    assert "List-Unsubscribe" not in message
    assert "List-Unsubscribe-Post" not in message
    assert "Precedence" not in message
    assert [part.get_content_type() for part in message.iter_parts()] == ["text/plain", "text/html"]
    assert "김민지" not in str(message["Subject"])
    person = people["minji"]
    assert message["Message-ID"] == f"<{message_codes.message_id(notice.pk, person.pk)}>"
    assert str(person.pk) not in server.taken[0].data.decode()


def test_headers_of_an_alert(alert, seojun, server):
    work(alert)
    (message,) = server.to("seojun@example.com")
    subscription = seojun.subscriptions.get()
    url = message_codes.unsubscribe_url(subscription.pk, "en")
    assert message["List-Unsubscribe"] == f"<{url}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["Auto-Submitted"] == "auto-generated"
    plain, html = texts(message)
    assert url in plain
    assert f'href="{url}"' in html


def test_headers_of_an_automatic_mail(notice, people, version, server):
    work(notice)
    message = server.taken[0].message
    assert message["X-Auto-Response-Suppress"] == "DR, RN, NRN, OOF, AutoReply"
    campaign, incident, kind, sender = message["Feedback-ID"].split(":")
    assert campaign == f"version{version.pk}"
    assert (incident, kind) == (f"incident{version.statement.incident_id}", "notice")
    assert sender == django_settings.MAIL_DOMAIN
    assert "Reply-To" not in message


def test_replies_go_to_the_address_in_the_settings(draft, people, approver, server, settings):
    settings.MAIL_REPLY_TO = "고객 센터 <help@shop.example>"
    decisions.approve(draft, by=approver)
    work(draft)
    (address,) = server.taken[0].message["Reply-To"].addresses
    assert (address.display_name, address.addr_spec) == ("고객 센터", "help@shop.example")


@pytest.mark.parametrize("title", TITLES)
def test_a_title_reads_back_the_same(title, draft):
    draft.version.title |= {"ko": title}
    header = message_templates.render_template(draft, "ko").mime
    parsed = message_from_bytes(bytes(header), policy=policy.default)
    assert parsed["Subject"] == f"한빛상점: {title}"
    seven_bit = message_filling.as_seven_bit(bytes(header))
    assert message_from_bytes(seven_bit, policy=policy.default)["Subject"] == parsed["Subject"]


def test_only_we_can_read_the_delivery_from_the_envelope(notice, people, server):
    work(notice)
    taken = next(one for one in server.taken if one.to == "minji@example.com")
    assert taken.sender.endswith(f"@{django_settings.MAIL_DOMAIN}")
    local = taken.sender.partition("@")[0]
    code, _dash, mac = local.removeprefix("bounce+").partition("-")
    assert message_codes.delivery_of_code(code) == delivery_to(notice, people["minji"]).pk
    assert (
        mac not in taken.message.as_string()
    )  # a person who gets it forwarded cannot make it bounce
    assert len(local) <= 64


def test_no_mail_loads_or_links_to_other_sites(notice, alert, server):
    work(notice)
    work(alert)
    for taken in server.taken:
        html = taken.message.get_body(("html",)).get_content()
        assert not re.search(r"<(img|link|script|iframe|object|form)\b|url\(", html)
        for address in re.findall(r'(?:href|src)="([^"]*)"', html):
            assert address.startswith(django_settings.PORTAL_URL)
    mandatory = server.to("minji@example.com")[0].get_body(("html",)).get_content()
    assert "<a " not in mandatory
    assert django_settings.PORTAL_URL in mandatory


def test_a_mail_has_a_dark_scheme_and_its_code_stays_in_one_line(notice, people, server):
    work(notice)
    for sent in server.taken:
        html = str(sent.message.get_body(("html",)).get_content())
        code = message_codes.message_code(delivery_to(notice, people["minji"]).pk)
        assert '<meta name="color-scheme" content="light dark">' in html
        assert "@media (prefers-color-scheme: dark)" in html
        if people["minji"].decrypt_contact()["e"] in sent.to:
            assert f'<strong style="white-space: nowrap;">{code}</strong>' in html


def test_every_line_is_short_and_ends_as_smtp_wants(notice, people, server, version):
    file = people["minji"].exposures.first().file
    affected(file, "가" * 500, "long@example.com")
    work(notice)
    assert len(server.taken) == 3
    for taken in server.taken:
        assert b"\n" not in taken.data.replace(b"\r\n", b"")
        assert b"\r" not in taken.data.replace(b"\r\n", b"")
        assert max(map(len, taken.data.split(b"\r\n"))) <= 998


@pytest.mark.parametrize("name", ["", "민지", ".com", "A"])
@pytest.mark.parametrize("after", ["", ".", "\r\n.", "\n.", "\r\nkept\r\n.\r\nshort", "님께\r\n"])
@pytest.mark.parametrize("before", ["", "\r\n", "\r", "first\r\n", "\r\n.. dotted\r\n", "Dear "])
def test_a_line_that_begins_with_a_dot_is_known_before_the_send(before, name, after):
    """The mail server would take it for the end of the mail; SMTP adds a dot to such lines."""
    message = NoticeMessage(
        notice=Notice(pk=1, channel=Notice.Channel.EMAIL),
        language="ko",
        marker="slotx",
        mime=f"Subject: x\r\n\r\n{before}slotx-name-{after}slotx-classes-end\r\n".encode(),
        slot_texts={"customer": "", "classes": {}},
    )
    mail = MessageFiller(message).mail(
        Recipient(delivery_id=7, recipient=uuid4(), email="minji@example.com", name=name)
    )
    assert mail.has_dot_line == (b"\r\n." in mail.data)


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_hostile_name_stays_a_name(notice, name):
    frozen = notice.messages.get(language="ko")
    mails = [
        MessageFiller(frozen).mail(
            Recipient(
                delivery_id=7,
                recipient=uuid4(),
                email="minji@example.com",
                name=each,
                data_classes=(DataClass.objects.all()[0].pk,),
            )
        )
        for each in ("민지", name)
    ]
    plain, hostile = (message_from_bytes(mail.data, policy=policy.default) for mail in mails)
    assert hostile.keys() == plain.keys()
    assert not hostile.defects
    assert [part.get_content_type() for part in hostile.iter_parts()] == ["text/plain", "text/html"]
    text, html = texts(hostile)
    shown = message_filling.safe_name(name)
    assert text.startswith(f"{shown}님께")
    assert len(text.splitlines()) == len(texts(plain)[0].splitlines())
    assert re.findall(r"<[a-z]+", html) == re.findall(r"<[a-z]+", texts(plain)[1])
    assert frozen.marker not in text + html
    assert max(map(len, mails[1].data.split(b"\r\n"))) <= 998


@pytest.mark.parametrize(
    "name",
    [
        "www.scam.example",
        "see https://scam.example",
        "a@b.example",
        "scam.kr",
        "Kim, see shop24.kr now",
        "ｓｃａｍ．ｋｒ",
        "scam。kr",
        "scam｡kr",
        "환불은 은행.한국",
        "bit.ly/refund",
        "bit／refund",
        "WWW hanbit",
        "a＠b",
        "Call 01012345678",
        "Call 010-1234-5678",
        "Call ０１０ １２３４ ５６７８",
        "계좌 ①②③④⑤",
    ],
)
def test_a_name_that_is_a_link_or_an_instruction_is_left_out(name):
    assert message_filling.safe_name(name) == ""


@pytest.mark.parametrize(
    "name",
    [
        "O'Connor, Seán",
        "Nguyễn Thị Ánh",
        "J. R. Smith",
        "J.R. Smith",
        "Martin Luther King Jr.",
        "김민지",
        "김민지2",
        "Anne-Marie d'Arc (Hanbit)",
        "דוד כהן",
        "علی\u200cرضا محمدی",  # with a zero-width non-joiner
        "ක්\u200dරිෂ්ණ",
        "\ufa19谷",  # another ideograph than 神
        "สมชาย ใจดี",
        "Wolfeschlegelsteinhausenbergerdorff" * 2,
    ],
)
def test_a_normal_name_stays(name):
    assert message_filling.safe_name(name) == name


@pytest.mark.parametrize(
    ("listed", "spoken"),
    [
        ("O'Connor, Seán", "Seán O'Connor"),
        ("홍, 길동", "홍길동"),
        ("山田, 太郎", "山田太郎"),
        ("髙橋,一郎", "髙橋一郎"),
        ("佐々木, 太郎", "佐々木太郎"),
        ("𠮷野, 花", "𠮷野花"),
        ("Nguyễn, An", "An Nguyễn"),
        ("Martin King, Jr.", "Martin King, Jr."),
        ("Kim, Lee, Park", "Kim, Lee, Park"),
        ("김민지", "김민지"),
        (", Seán", "Seán"),
        ("O'Connor,", "O'Connor,"),
        ("", ""),
    ],
)
def test_a_name_in_list_order_is_reordered_for_the_greeting(listed, spoken):
    assert message_filling.spoken_name(listed) == spoken


@pytest.mark.parametrize(
    ("given", "spoken"),
    [
        ("홍길동 님", "홍길동"),
        ("김민지님", "김민지"),
        ("남궁달님", "남궁달님"),
        ("남궁달님님", "남궁달님"),
        ("남궁달님 님", "남궁달님"),
        ("김달님", "김달님"),  # a name
        ("님", "님"),
        ("홍길동 귀하", "홍길동"),
        ("김민지 씨", "김민지"),
        ("田中様", "田中"),
        ("田中 太郎 様", "田中 太郎"),
        ("髙橋さん", "髙橋"),
        ("様", "様"),
        ("Frau Müller", "Frau Müller"),
        ("Dr. Ana Ruiz", "Dr. Ana Ruiz"),
    ],
)
def test_a_greeting_has_its_own_honorific_only(given, spoken):
    assert message_filling.spoken_name(given) == spoken


def test_a_name_that_is_too_long_for_a_line_ends_with_an_ellipsis():
    assert message_filling.safe_name("Ab " * 50) == "Ab " * 32 + "Ab…"


def test_a_name_is_shown_as_it_reads():
    assert message_filling.safe_name("Ｋｉｍ\u200b민지") == "Kim 민지"


@pytest.mark.parametrize(
    "address",
    [
        "minji@example.com\r\nRCPT TO:<x@example.com>",
        "minji@example.com, x@example.com",
        "<minji@example.com>",
        '"minji park"@example.com',
        "minji lee@example.com",
        "민지@example.com",
        "minji@exa mple.com",
        "minji@",
        "@example.com",
        "",
        "minji@" + "a" * 70 + ".example",
    ],
)
def test_an_address_with_more_than_an_address_in_it_is_refused(address):
    with pytest.raises(message_filling.UnusableAddressError):
        message_filling.envelope_address(address)


def test_a_domain_in_korean_is_written_as_smtp_wants(db):
    assert message_filling.envelope_address("minji@한국.example") == "minji@xn--3e0b707e.example"


def test_the_text_does_not_change_after_the_approval(notice, server):
    frozen = bytes(notice.messages.get(language="ko").mime)
    DataClass.objects.filter(slug="names").update(**merged("name", ko="바뀐 이름"))
    work(notice)
    (message,) = server.to("minji@example.com")
    assert "바뀐 이름" not in texts(message)[0]
    assert frozen == bytes(notice.messages.get(language="ko").mime)


def test_the_code_of_a_message_is_read_as_people_type_it(notice, people, server):
    work(notice)
    delivery = delivery_to(notice, people["minji"])
    code = message_codes.message_code(delivery.pk)
    assert code in texts(server.to("minji@example.com")[0])[0]
    for typed in (code, code.lower(), code.replace("-", ""), f" {code.replace('0', 'o')} "):
        assert message_codes.delivery_of_code(typed) == delivery.pk
    assert message_codes.delivery_of_code("AAAA-BBBB-CCCC") is None
    assert message_codes.delivery_of_code("민지") is None
    assert message_codes.delivery_of_code("") is None


def test_codes_are_not_sequential():
    codes = [message_codes.message_code(number) for number in range(1, 200)]
    assert len(set(codes)) == len(codes)
    assert len({code[:4] for code in codes}) > 150
    assert all(message_codes.delivery_of_code(code) == n for n, code in enumerate(codes, 1))


# -------------------------------------------------------------------- recipients


def test_alerts_go_to_current_subscribers_only(alert, minji, seojun, server):
    seojun.subscriptions.update(unsubscribed_at="2025-12-01T00:00Z")
    work(alert)
    assert [taken.to for taken in server.taken] == ["minji@example.com"]
    assert alert.planned == 1


def test_a_user_who_unsubscribes_after_planning_gets_nothing(alert, minji, seojun, server):
    tasks.plan_notice(alert.pk)
    seojun.subscriptions.update(unsubscribed_at="2025-12-01T00:00Z")
    work(alert)
    assert [taken.to for taken in server.taken] == ["minji@example.com"]
    assert (alert.suppressed, alert.accepted, alert.state) == (1, 1, Notice.State.CLOSED)


def test_an_account_closed_after_the_planning_gets_nothing(alert, minji, seojun, server):
    tasks.plan_notice(alert.pk)
    seojun.delete()
    work(alert)
    assert [taken.to for taken in server.taken] == ["minji@example.com"]
    assert (alert.suppressed, alert.state) == (1, Notice.State.CLOSED)


def test_an_alert_in_doubt_is_not_sent_again(alert, server):
    server.reply_next("message", "minji@example.com", DROP)
    work(alert)
    assert len(server.to("minji@example.com")) == 1
    assert alert.in_doubt == 1
    assert alert.state == Notice.State.CLOSED


def test_unsubscribing_from_alerts_does_not_stop_mandatory_notices(notice, minji, incident, server):
    AlertSubscription.objects.create(
        user=minji, incident=incident, topic="updates", unsubscribed_at="2025-12-01T00:00Z"
    )
    work(notice)
    assert len(server.to("minji@example.com")) == 1


def test_alerts_on_my_data_go_to_users_with_changed_rows(
    version, people, incident, minji, seojun, editor, approver, server
):
    for user in (minji, seojun):
        AlertSubscription.objects.create(user=user, incident=incident, topic="my_data")
    exposure_factory.expose(
        people["seojun"], exposure_factory.file_of(incident, number=2), "phone-numbers"
    )
    alert = Notice.objects.create(
        incident=incident, version=version, kind="alert", topic="my_data", created_by=editor
    )
    decisions.approve(alert, by=approver)
    work(alert)
    assert [taken.to for taken in server.taken] == ["seojun@example.com"]
    assert Delivery.objects.filter(notice=alert).count() == alert.planned == 1
