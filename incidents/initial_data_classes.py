"""The data classes that every portal starts with; the response team edits them in the desk.

`hibp_name` is the class's name at Have I Been Pwned:
https://haveibeenpwned.com/api/v3/dataclasses. `actions` are the steps that an affected person can
take, each in Korean and in English.
"""

from typing import Any

from incidents.class_texts import with_further_languages

LOW, MEDIUM, HIGH = 1, 2, 3

LINKS = (
    "이번 유출, 환불, 보상을 말하는 메시지의 링크를 누르지 마십시오.",
    "Do not open links in messages about this leak, a refund or compensation.",
)
CALLERS = (
    "이름이나 주문 내역을 아는 전화와 문자가 올 수 있습니다. 안다고 해서 믿지 마십시오.",
    (
        "Expect calls and messages from people who know your name "
        "and orders. Knowing them proves nothing."
    ),
)
CALL_BACK = (
    "회사라고 하는 전화는 끊고, 직접 찾은 대표번호로 다시 거십시오.",
    (
        "Hang up on callers who say they are the company. Call back "
        "on a number you looked up yourself."
    ),
)
ID_NUMBER = (
    "은행이나 통신사에서 내 이름으로 연 계좌, 대출, 회선이 있는지 확인하십시오.",
    "Ask your bank and your telephone company about accounts, loans and lines in your name.",
)
BLACKMAIL = (
    "이 정보로 협박을 받으면 돈을 보내지 말고 경찰에 신고하십시오.",
    "If you are blackmailed with it, do not pay, and go to the police.",
)
BANK_CALL = (
    "지금 은행이나 카드사에 전화해 이상한 거래가 있는지 확인하십시오.",
    "Call your bank or card company now and ask about payments that are not yours.",
)


def _steps(*steps: tuple[str, str]) -> dict[str, str]:
    """Returns the steps by language, one a line."""
    in_korean, in_english = zip(*steps, strict=True) if steps else ((), ())
    return {"ko": "\n".join(in_korean), "en": "\n".join(in_english)}


_CLASSES: list[dict[str, Any]] = [
    {
        "slug": "names",
        "hibp_name": "Names",
        "name": {"ko": "이름", "en": "Name"},
        "unit": {"ko": "개", "en": "name"},
        "units": {"en": "names"},
        "is_one_each": True,
        "sensitivity": LOW,
        "masking": "name",
        "actions": _steps(CALLERS, CALL_BACK),
    },
    {
        "slug": "email-addresses",
        "hibp_name": "Email addresses",
        "name": {"ko": "이메일 주소", "en": "E-mail address"},
        "unit": {"ko": "개", "en": "e-mail address"},
        "units": {"en": "e-mail addresses"},
        "is_one_each": True,
        "sensitivity": MEDIUM,
        "masking": "email",
        "actions": _steps(
            LINKS,
            (
                "이메일에 답하거나 첨부 파일을 열기 전에 보낸 주소를 확인하십시오.",
                "Check the sender's address before you answer a mail or open what is attached.",
            ),
        ),
    },
    {
        "slug": "phone-numbers",
        "hibp_name": "Phone numbers",
        "name": {"ko": "전화번호", "en": "Phone number"},
        "unit": {"ko": "개", "en": "phone number"},
        "units": {"en": "phone numbers"},
        "is_one_each": True,
        "sensitivity": MEDIUM,
        "masking": "phone",
        "actions": _steps(
            LINKS,
            CALLERS,
            CALL_BACK,
            (
                "전화로 인증번호나 비밀번호를 알려 주지 마십시오.",
                "Never tell a caller a code or a password.",
            ),
        ),
    },
    {
        "slug": "physical-addresses",
        "hibp_name": "Physical addresses",
        "name": {"ko": "주소", "en": "Address"},
        "unit": {"ko": "개", "en": "address"},
        "units": {"en": "addresses"},
        "sensitivity": MEDIUM,
        "may_have_lines": True,
        "masking": "address",
        "actions": _steps(
            (
                "주문하지 않은 물건이 오면 받지 말고, 안에 든 QR 코드나 전화번호를 쓰지 마십시오.",
                "Refuse parcels you did not order. Do not use a QR code or number inside them.",
            ),
            (
                "택배 기사나 점검원이라는 사람에게 문을 열기 전에 방문 예정인지 확인하십시오.",
                (
                    "Before you open the door to a courier or inspector, check "
                    "that a visit was planned."
                ),
            ),
        ),
    },
    {
        "slug": "entrance-codes",
        "hibp_name": "Delivery instructions",
        "name": {"ko": "공동현관 출입번호", "en": "Entrance code"},
        "unit": {"ko": "개", "en": "entrance code"},
        "units": {"en": "entrance codes"},
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            (
                "관리사무소에 공동현관 출입번호를 바꿔 달라고 하십시오.",
                "Ask your building's office to change the shared entrance code.",
            ),
            (
                "현관문에 같은 번호를 쓴다면 오늘 바꾸십시오.",
                "If your own door has the same code, change it today.",
            ),
        ),
    },
    {
        "slug": "delivery-notes",
        "hibp_name": "Delivery instructions",
        "name": {"ko": "배송 메모", "en": "Delivery note"},
        "unit": {"ko": "개", "en": "delivery note"},
        "units": {"en": "delivery notes"},
        "sensitivity": MEDIUM,
        "may_have_lines": True,
        "masking": "text",
        "actions": _steps(
            (
                "메모에 비밀번호나 열쇠를 둔 곳을 적었다면 바꾸십시오.",
                "If a note held a code or where you keep a key, change it.",
            ),
        ),
    },
    {
        "slug": "purchases",
        "hibp_name": "Purchases",
        "name": {"ko": "주문 내역", "en": "Order"},
        "unit": {"ko": "건", "en": "order"},
        "units": {"en": "orders"},
        "sensitivity": MEDIUM,
        "may_have_lines": True,
        "masking": "text",
        "date_meaning": "ordered",
        "actions": _steps(
            CALLERS,
            (
                "주문 문제나 환불을 말하는 연락은 앱이나 홈페이지에서 직접 확인하십시오.",
                "If somebody writes about an order or a refund, look it up in the shop yourself.",
            ),
        ),
    },
    {
        "slug": "payment-data",
        "hibp_name": "Payment methods",
        "name": {"ko": "결제 정보", "en": "Payment data"},
        "unit": {"ko": "건", "en": "payment record"},
        "units": {"en": "payment records"},
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(BANK_CALL),
    },
    {
        "slug": "credit-cards",
        "hibp_name": "Credit cards",
        "name": {"ko": "카드번호", "en": "Card number"},
        "unit": {"ko": "개", "en": "card number"},
        "units": {"en": "card numbers"},
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            BANK_CALL,
            (
                "카드를 정지하고 재발급받으십시오.",
                "Block the card and ask for a new one.",
            ),
        ),
    },
    {
        "slug": "partial-card-numbers",
        "hibp_name": "Partial credit card data",
        "name": {"ko": "카드번호 일부", "en": "Part of a card number"},
        "unit": {"ko": "개", "en": "partial card number"},
        "units": {"en": "partial card numbers"},
        "sensitivity": MEDIUM,
        "masking": "secret",
        "actions": _steps(
            (
                "카드 끝자리를 아는 사람이라고 카드사 직원으로 믿지 마십시오.",
                "Do not take callers for your bank because they know the end of your card number.",
            ),
        ),
    },
    {
        "slug": "bank-account-numbers",
        "hibp_name": "Bank account numbers",
        "name": {"ko": "계좌번호", "en": "Bank account number"},
        "unit": {"ko": "개", "en": "bank account number"},
        "units": {"en": "bank account numbers"},
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(BANK_CALL),
    },
    {
        "slug": "passwords",
        "hibp_name": "Passwords",
        "name": {"ko": "비밀번호", "en": "Password"},
        "unit": {"ko": "개", "en": "password"},
        "units": {"en": "passwords"},
        "is_one_each": True,
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            (
                "비밀번호를 지금 바꾸십시오. 같은 비밀번호를 쓴 다른 곳도 모두 바꾸십시오.",
                "Change your password now, here and wherever you used the same one.",
            ),
            (
                "2단계 인증을 켜십시오.",
                "Turn on two-step sign-in.",
            ),
        ),
    },
    {
        "slug": "password-hashes",
        "hibp_name": "Passwords",
        "name": {"ko": "비밀번호 (해시)", "en": "Password (hashed)"},
        "unit": {"ko": "개", "en": "hashed password"},
        "units": {"en": "hashed passwords"},
        "is_one_each": True,
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            (
                "비밀번호를 바꾸십시오. 짧은 비밀번호는 해시에서 알아낼 수 있습니다.",
                "Change your password. A short one can be guessed from its hash.",
            ),
            (
                "같은 비밀번호를 쓴 다른 곳도 모두 바꾸고 2단계 인증을 켜십시오.",
                "Change it wherever you used the same one, and turn on two-step sign-in.",
            ),
        ),
    },
    {
        "slug": "usernames",
        "hibp_name": "Usernames",
        "name": {"ko": "아이디", "en": "User name"},
        "unit": {"ko": "개", "en": "user name"},
        "units": {"en": "user names"},
        "is_one_each": True,
        "sensitivity": LOW,
        "masking": "text",
        "actions": _steps(
            (
                "쉬운 비밀번호를 쓰고 있다면 길고 다른 것으로 바꾸십시오.",
                "If your password is short or used elsewhere, choose a long new one.",
            ),
        ),
    },
    {
        "slug": "security-questions",
        "hibp_name": "Security questions and answers",
        "name": {"ko": "본인 확인 질문과 답", "en": "Security question and answer"},
        "unit": {"ko": "개", "en": "security question"},
        "units": {"en": "security questions"},
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            (
                "같은 질문과 답을 쓰는 모든 곳에서 답을 바꾸십시오.",
                "Change the answer wherever you use the same question.",
            ),
        ),
    },
    {
        "slug": "dates-of-birth",
        "hibp_name": "Dates of birth",
        "name": {"ko": "생년월일", "en": "Date of birth"},
        "unit": {"ko": "개", "en": "date of birth"},
        "units": {"en": "dates of birth"},
        "is_one_each": True,
        "sensitivity": MEDIUM,
        "masking": "secret",
        "actions": _steps(
            (
                "생일로 만든 비밀번호와 출입번호를 바꾸십시오.",
                "Change passwords and codes made from your birthday.",
            ),
        ),
    },
    {
        "slug": "genders",
        "hibp_name": "Genders",
        "name": {"ko": "성별", "en": "Gender"},
        "unit": {"ko": "개", "en": "gender"},
        "units": {"en": "genders"},
        "is_one_each": True,
        "sensitivity": LOW,
        "masking": "secret",
        "actions": _steps(),
    },
    {
        "slug": "government-issued-ids",
        "hibp_name": "Government issued IDs",
        "name": {"ko": "주민등록번호 등 신분증 번호", "en": "Identity document number"},
        "unit": {"ko": "개", "en": "identity document number"},
        "units": {"en": "identity document numbers"},
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            ID_NUMBER,
            (
                "은행에 내 이름으로 대출이나 계좌를 열지 못하게 해 달라고 하십시오.",
                "Ask your bank to stop new loans and accounts in your name.",
            ),
        ),
    },
    {
        "slug": "customs-codes",
        "hibp_name": "Government issued IDs",
        "name": {"ko": "개인통관고유부호", "en": "Personal customs code"},
        "unit": {"ko": "개", "en": "personal customs code"},
        "units": {"en": "personal customs codes"},
        "is_one_each": True,
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            (
                "관세청 유니패스에서 개인통관고유부호를 다시 발급받으십시오.",
                "Get a new personal customs code from the Korea Customs Service.",
            ),
        ),
    },
    {
        "slug": "health-data",
        "hibp_name": "Personal health data",
        "name": {"ko": "건강 정보", "en": "Health data"},
        "unit": {"ko": "건", "en": "health record"},
        "units": {"en": "health records"},
        "sensitivity": HIGH,
        "may_have_lines": True,
        "masking": "secret",
        "actions": _steps(
            (
                "내 건강 상태를 아는 사람이 약이나 보험을 권하면 거절하십시오.",
                "Refuse medicine or insurance offered by somebody who knows your health.",
            ),
        ),
    },
    {
        "slug": "support-tickets",
        "hibp_name": "Support tickets",
        "name": {"ko": "상담 내역", "en": "Customer service record"},
        "unit": {"ko": "건", "en": "customer service record"},
        "units": {"en": "customer service records"},
        "sensitivity": MEDIUM,
        "may_have_lines": True,
        "masking": "text",
        "actions": _steps(CALL_BACK),
    },
    {
        "slug": "ip-addresses",
        "hibp_name": "IP addresses",
        "name": {"ko": "접속 IP 주소", "en": "IP address"},
        "unit": {"ko": "개", "en": "IP address"},
        "units": {"en": "IP addresses"},
        "sensitivity": LOW,
        "masking": "text",
        "actions": _steps(),
    },
    # The numbers and documents of single countries. The steps there: country_steps.toml.
    {
        "slug": "resident-registration-numbers",
        "hibp_name": "Government issued IDs",
        "name": {"ko": "주민등록번호", "en": "Resident registration number"},
        "unit": {"ko": "개", "en": "resident registration number"},
        "units": {"en": "resident registration numbers"},
        "is_one_each": True,
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            ID_NUMBER,
            (
                "피해가 우려되면 주민등록번호변경위원회에 번호 변경을 신청하십시오.",
                "If you are likely to suffer harm, apply to the committee in Korea for a new one.",
            ),
        ),
    },
    {
        "slug": "social-security-numbers",
        "hibp_name": "Social security numbers",
        "name": {"ko": "미국 사회보장번호", "en": "Social security number"},
        "unit": {"ko": "개", "en": "social security number"},
        "units": {"en": "social security numbers"},
        "is_one_each": True,
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            ID_NUMBER,
        ),
    },
    {
        "slug": "national-insurance-numbers",
        "hibp_name": "Government issued IDs",
        "name": {"ko": "영국 국민보험번호", "en": "National insurance number"},
        "unit": {"ko": "개", "en": "national insurance number"},
        "units": {"en": "national insurance numbers"},
        "is_one_each": True,
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            ID_NUMBER,
        ),
    },
    {
        "slug": "my-numbers",
        "hibp_name": "Government issued IDs",
        "name": {"ko": "일본 마이넘버", "en": "My Number"},
        "unit": {"ko": "개", "en": "My Number"},
        "units": {"en": "My Numbers"},
        "is_one_each": True,
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            ID_NUMBER,
        ),
    },
    {
        "slug": "national-id-numbers",
        "hibp_name": "Government issued IDs",
        "name": {"ko": "외국 신분증·세금 번호", "en": "National identity or tax number"},
        "unit": {"ko": "개", "en": "national identity or tax number"},
        "units": {"en": "national identity or tax numbers"},
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            ID_NUMBER,
        ),
    },
    {
        "slug": "passport-numbers",
        "hibp_name": "Passport numbers",
        "name": {"ko": "여권번호", "en": "Passport number"},
        "unit": {"ko": "개", "en": "passport number"},
        "units": {"en": "passport numbers"},
        "is_one_each": True,
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            ID_NUMBER,
            (
                "여권을 발급한 기관에 알리고, 새 여권이 필요한지 물어보십시오.",
                "Tell the office that issued the passport, and ask whether you need a new one.",
            ),
        ),
    },
    {
        "slug": "drivers-licences",
        "hibp_name": "Driver's licenses",
        "name": {"ko": "운전면허번호", "en": "Driving licence number"},
        "unit": {"ko": "개", "en": "driving licence number"},
        "units": {"en": "driving licence numbers"},
        "is_one_each": True,
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            ID_NUMBER,
            (
                "면허를 발급한 기관에 번호를 바꿀 수 있는지 물어보십시오.",
                "Ask the office that issued the licence whether it gives you a new number.",
            ),
        ),
    },
    {
        "slug": "identity-documents",
        "hibp_name": "Government issued IDs",
        "name": {"ko": "신분증 사본", "en": "Copy of an identity document"},
        "unit": {"ko": "장", "en": "copy of an identity document"},
        "units": {"en": "copies of identity documents"},
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            ID_NUMBER,
            (
                "신분증을 발급한 기관에 알리고 다시 발급받으십시오.",
                "Tell the office that issued the document, and ask for a new one.",
            ),
        ),
    },
    {
        "slug": "health-insurance-numbers",
        "hibp_name": "Health insurance information",
        "name": {"ko": "건강보험 번호", "en": "Health insurance number"},
        "unit": {"ko": "개", "en": "health insurance number"},
        "units": {"en": "health insurance numbers"},
        "is_one_each": True,
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            (
                "보험사에 알리고, 받지 않은 진료가 청구되었는지 확인하십시오.",
                "Tell your insurer, and check for bills of treatment that you did not get.",
            ),
        ),
    },
    {
        "slug": "biometric-data",
        "hibp_name": "Biometric data",
        "name": {"ko": "생체인식정보", "en": "Biometric data"},
        "unit": {"ko": "건", "en": "biometric record"},
        "units": {"en": "biometric records"},
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            (
                "지문이나 얼굴로 여는 서비스에 다른 인증 수단을 더하십시오.",
                "Add another way to sign in where a fingerprint or a face opens a service.",
            ),
        ),
    },
    {
        "slug": "locations",
        "hibp_name": "Geographic locations",
        "name": {"ko": "위치 정보", "en": "Location"},
        "unit": {"ko": "건", "en": "location"},
        "units": {"en": "locations"},
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            (
                "집과 직장, 자주 가는 곳이 알려져 위험하다면 경찰에 알리십시오.",
                "If it is a danger to you that others know where you go, tell the police.",
            ),
            BLACKMAIL,
        ),
    },
    {
        "slug": "photos",
        "hibp_name": "Photos",
        "name": {"ko": "사진·영상", "en": "Photo or video"},
        "unit": {"ko": "장", "en": "photo or video"},
        "units": {"en": "photos or videos"},
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            BLACKMAIL,
            (
                "내 사진이 올라온 곳이 있으면 운영자에게 삭제를 요청하십시오.",
                "Ask the operator of a site that shows your picture to remove it.",
            ),
        ),
    },
    {
        "slug": "uploaded-files",
        "hibp_name": "",
        "name": {"ko": "올린 문서", "en": "Uploaded document"},
        "unit": {"ko": "건", "en": "uploaded document"},
        "units": {"en": "uploaded documents"},
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            (
                "문서에 적힌 번호와 비밀번호를 확인하고 바꾸십시오.",
                "Look up which numbers and passwords the documents held, and change them.",
            ),
            BLACKMAIL,
        ),
    },
    {
        "slug": "card-security-codes",
        "hibp_name": "Credit card CVV",
        "name": {"ko": "카드 보안코드", "en": "Card security code"},
        "unit": {"ko": "개", "en": "card security code"},
        "units": {"en": "card security codes"},
        "sensitivity": HIGH,
        "masking": "secret",
        "actions": _steps(
            BANK_CALL,
            (
                "카드를 정지하고 재발급받으십시오.",
                "Block the card and ask for a new one.",
            ),
        ),
    },
    {
        "slug": "password-hints",
        "hibp_name": "Password hints",
        "name": {"ko": "비밀번호 힌트", "en": "Password hint"},
        "unit": {"ko": "개", "en": "password hint"},
        "units": {"en": "password hints"},
        "is_one_each": True,
        "sensitivity": MEDIUM,
        "masking": "secret",
        "actions": _steps(
            (
                "힌트로 알 수 있는 비밀번호를 모두 바꾸십시오.",
                "Change every password that the hint gives away.",
            ),
        ),
    },
]

# With their texts in the languages of class_texts/, of which a portal shows those that it has.
DATA_CLASSES = with_further_languages(_CLASSES)
