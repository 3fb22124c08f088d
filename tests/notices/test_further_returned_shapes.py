"""Returned mail of providers, mail filters and readers, read as what it is.

Each sample has the shape of its server: the sender, the subject, the language, the fields and the
words. Addresses, names and hosts are made up.
"""

import pytest

from notices.returned_mail.delivery_reports import ReportKind, read_report
from notices.returned_mail.reply_reading import Cause
from tests.returned_mail import Shape, failed

BOUNCE, NOT_FINAL, COMPLAINT = ReportKind.BOUNCE, ReportKind.NOT_FINAL, ReportKind.COMPLAINT
OUTLOOK = "Microsoft Outlook <MicrosoftExchange329e71ec88ae4615bbc36ab6ce41109e@corp.example>"
POSTFIX = "MAILER-DAEMON@mx.corp.example (Mail Delivery System)"
MINJI = "Minji Kim <minji@corp.example>"

FAILURES = {
    "exchange-online-ko-not-found": (
        Shape(
            OUTLOOK,
            "배달되지 않음: 개인정보 유출 안내",
            "minji@corp.example에 대한 메시지를 배달할 수 없습니다.\ncorp.example에서 minji을(를) "
            "찾을 수 없습니다.\n\n수정 방법\n주소가 잘못되었을 수 있습니다.\n",
            failed(
                "5.1.10",
                "550 5.1.10 RESOLVER.ADR.RecipientNotFound; Recipient not found by SMTP address "
                "lookup",
            ),
        ),
        Cause.ADDRESS,
    ),
    "exchange-online-ja-full": (
        Shape(
            OUTLOOK,
            "配信不能: About your data",
            "minji@corp.example へのメッセージを配信できませんでした。\n"
            "受信者のメールボックスがいっぱいです。\n",
            failed(
                "5.2.2",
                "554 5.2.2 mailbox full; STOREDRV.Deliver.Exception:QuotaExceededException"
                ".MapiExceptionShutoffQuotaExceeded; Failed to process message",
            ),
        ),
        Cause.MAILBOX,
    ),
    "exchange-online-de-not-allowed": (
        Shape(
            OUTLOOK,
            "Unzustellbar: About your data",
            "Ihre Nachricht an minji@corp.example konnte nicht zugestellt werden.\n"
            "Der Empfänger minji existiert nur für interne Absender.\n",
            failed(
                "5.7.133",
                "550 5.7.133 RESOLVER.RST.SenderNotAuthenticatedForGroup; authentication required; "
                "Delivery restriction check failed because the sender was not authenticated",
            ),
        ),
        Cause.SENDER,
    ),
    "exchange-online-ja-no-domain": (
        Shape(
            OUTLOOK,
            "配信不能: About your data",
            "corp.example が見つかりませんでした。\n",
            failed(
                "5.4.310",
                "550 5.4.310 DNS domain corp.example does not exist "
                "[Message=InfoDomainNonexistent] [LastAttemptedServerName=corp.example]",
            ),
        ),
        Cause.ADDRESS,
    ),
    "exchange-online-ko-expired": (
        Shape(
            OUTLOOK,
            "배달되지 않음: 개인정보 유출 안내",
            "원격 메일 서버에 여러 번 연결하려고 했지만 실패했습니다.\n",
            failed(
                "5.4.316",
                "550 5.4.316 Message expired, connection refused(Socket error code 10061)",
            ),
        ),
        Cause.EXPIRED,
    ),
    "naver-full": (
        Shape(
            "NAVER Mail <mail_noreply@naver.com>",
            "[발송실패 안내] 개인정보 유출 안내",
            "메일이 아래와 같은 이유로 전송되지 못했습니다.\n\n받는 사람: minji@naver.com\n"
            "발송 실패 사유: 받는 사람의 메일함 용량이 초과되어 메일을 받을 수 없습니다.\n",
        ),
        Cause.MAILBOX,
    ),
    "naver-blocked-by-reader": (
        Shape(
            "NAVER Mail <mail_noreply@naver.com>",
            "[발송실패 안내] 개인정보 유출 안내",
            "받는 사람: minji@naver.com\n발송 실패 사유: 받는 사람이 회원님의 메일을 "
            "수신거부하였습니다.\n",
        ),
        Cause.SENDER,
    ),
    "daum-blocked-server": (
        Shape(
            "MAILER-DAEMON@hanmail.net",
            "Delivery Status Notification (Failure)",
            "메일 전송에 실패하였습니다. 발신 서버의 IP가 스팸으로 차단되었습니다.\n",
            failed("5.7.1", "554 5.7.1 DAS41 http://mail2.daum.net/error.html IP blocked"),
        ),
        Cause.SENDER,
    ),
    "nate-dormant": (
        Shape(
            "MAILER-DAEMON@nate.com",
            "메일 전송 실패 안내",
            "minji@nate.com 님에게 메일이 전달되지 못했습니다.\n사유: 휴면 계정입니다.\n",
        ),
        Cause.ADDRESS,
    ),
    "worksmobile": (
        Shape(
            "LINE WORKS Mail <mailer-daemon@worksmobile.com>",
            "메일 반송 안내",
            "다음 수신자에게 메일을 보내지 못했습니다.\nminji@corp.example\n"
            "서버 응답: 550 5.1.1 No such user - worksmobile\n",
        ),
        Cause.ADDRESS,
    ),
    "yandex": (
        Shape(
            "mailer-daemon@yandex.ru",
            "Недоставленное сообщение",
            "Это письмо отправлено почтовым сервером yandex.ru.\n\nК сожалению, мы вынуждены "
            "сообщить Вам о том, что Ваше письмо не может быть отправлено одному или нескольким "
            "адресатам.\n\n<minji@yandex.ru>: host mx.yandex.ru said: 550 5.7.1 No such user!\n",
            failed("5.7.1", "550 5.7.1 No such user!"),
        ),
        Cause.ADDRESS,
    ),
    "mail-ru-full": (
        Shape(
            "mailer-daemon@corp.mail.ru",
            "Mail failure.",
            "Почтовый ящик пользователя minji@mail.ru переполнен.\n",
            failed("5.2.2", "552 5.2.2 Message for <minji@mail.ru> rejected: user is over quota"),
        ),
        Cause.MAILBOX,
    ),
    "gmx-blocked": (
        Shape(
            "GMX Mailer Daemon <mailer-daemon@gmx.net>",
            "Mail delivery failed: returning message to sender",
            "This message was created automatically by mail delivery software.\n\n"
            "A message that you sent could not be delivered to one or more of its recipients. "
            "This is a permanent error. The following address failed:\n\n"
            "minji@gmx.net:\nSMTP error from remote server for MAIL FROM command, host: "
            "mx00.gmx.net (192.0.2.3) reason: 554-gmx.net (mxgmx115) Nemesis ESMTP Service not "
            "available\n554-No SMTP service\n554-IP address is black listed.\n",
        ),
        Cause.SENDER,
    ),
    "qq-not-found": (
        Shape(
            '"PostMaster" <postmaster@qq.com>',
            "来自qq.com的退信",
            "抱歉，您的邮件被退回来了……\n原邮件信息：\n收件人：minji@qq.com\n"
            "退信原因：收件人邮件地址（minji@qq.com）不存在，邮件无法送达。\n"
            "host mx3.qq.com[192.0.2.7] said: 550 Mailbox not found. http://service.mail.qq.com/\n",
            charset="gb18030",
        ),
        Cause.ADDRESS,
    ),
    "netease-spam": (
        Shape(
            "Postmaster@163.com",
            "系统退信/Systems bounce",
            "很抱歉，您的邮件无法投递给 minji@163.com。\n退信代码：554 DT:SPM "
            "发送的邮件内容包含了未被许可的信息，或被系统识别为垃圾邮件。\n",
            charset="gb18030",
        ),
        Cause.CONTENT,
    ),
    "zimbra-quota": (
        Shape(
            POSTFIX,
            "Undelivered Mail Returned to Sender",
            "This is the mail system at host mx.corp.example.\n\n<minji@corp.example>: host "
            "127.0.0.1[127.0.0.1] said: 552 5.2.2 Over quota (in reply to end of DATA command)\n",
            failed("5.2.2", "552 5.2.2 Over quota"),
        ),
        Cause.MAILBOX,
    ),
    "domino-not-listed": (
        Shape(
            "Mail Router/Corp <mailrouter@corp.example>",
            "DELIVERY FAILURE: User minji (minji@corp.example) not listed in Domino Directory",
            "Your message\n\n  Subject: About your data\n\nwas not delivered to:\n\n"
            "  minji@corp.example\n\nbecause:\n\n  User minji (minji@corp.example) not listed in "
            "Domino Directory\n",
        ),
        Cause.ADDRESS,
    ),
    "groupwise-full": (
        Shape(
            "Mailer-Daemon@corp.example",
            "Message status - undeliverable",
            "The message that you sent was undeliverable to the following:\n"
            "\tminji (mailbox is full)\n\nPossibly truncated original message follows:\n",
        ),
        Cause.MAILBOX,
    ),
    "mdaemon-unknown": (
        Shape(
            "MDaemon@corp.example",
            "Permanent Delivery Failure",
            "The attached message had PERMANENT fatal delivery errors!\n\nAfter one or more "
            "unsuccessful delivery attempts the attached message has been removed from the mail "
            "queue on this server.\n\n--- Session Transcript ---\n --> RCPT To:"
            "<minji@corp.example>\n <-- 550 <minji@corp.example>, Recipient unknown\n --> QUIT\n",
        ),
        Cause.ADDRESS,
    ),
    "mimecast-blocked-sender": (
        Shape(
            POSTFIX,
            "Undelivered Mail Returned to Sender",
            "<minji@corp.example>: host eu-smtp-inbound-1.mimecast.com[192.0.2.9] said: 550 "
            "Rejected by header based manually Blocked Senders: minji@corp.example - "
            "https://community.mimecast.com/docs/DOC-1369#550 [xxxx]\n",
            failed("5.0.0", "550 Rejected by header based manually Blocked Senders"),
        ),
        Cause.SENDER,
    ),
    "proofpoint-blocked": (
        Shape(
            POSTFIX,
            "Undelivered Mail Returned to Sender",
            "<minji@corp.example>: host mx1.pphosted.com[192.0.2.11] refused to talk to me: 554 "
            "Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1\n",
            failed("5.0.0", "554 Blocked - see https://ipcheck.proofpoint.com/?ip=192.0.2.1"),
        ),
        Cause.SENDER,
    ),
    "barracuda-blocked": (
        Shape(
            POSTFIX,
            "Undelivered Mail Returned to Sender",
            "<minji@corp.example>: host d1.ess.barracudanetworks.com[192.0.2.12] said: 550 "
            "permanent failure for one or more recipients (minji@corp.example:blocked)\n",
            failed("5.0.0", "550 permanent failure for one or more recipients (<…>:blocked)"),
        ),
        Cause.SENDER,
    ),
    "amazon-ses": (
        Shape(
            "MAILER-DAEMON@ap-northeast-2.amazonses.com",
            "Delivery Status Notification (Failure)",
            "An error occurred while trying to deliver the mail to the following recipients:\n"
            "minji@corp.example\n",
            failed(
                "5.1.1",
                "550-5.1.1 The email account that you tried to reach does not exist. Please try "
                "550-5.1.1 double-checking the recipient's email address for typos or",
            ),
        ),
        Cause.ADDRESS,
    ),
    "sendgrid-relay": (
        Shape(
            "MAILER-DAEMON@sendgrid.net",
            "Undelivered Mail Returned to Sender",
            "Hello, this is the mail server on filter0001p1iad2.sendgrid.net.\n\nI am sending you "
            "this message to inform you on the delivery status of a message you previously sent. "
            "Immediately below you will find a list of the affected recipients; also attached is "
            "a Delivery Status Notification (DSN) report in standard format.\n",
            "Reporting-MTA: dns; filter0001p1iad2.sendgrid.net\n\n"
            "Final-Recipient: rfc822; minji@corp.example\nAction: failed\nStatus: 5.7.1\n"
            "Diagnostic-Code: smtp; 550 5.7.1 Message rejected as unsolicited bulk mail\n",
        ),
        Cause.CONTENT,
    ),
    "delayed-then-failed": (
        Shape(
            POSTFIX,
            "Undelivered Mail Returned to Sender",
            "Your message was delayed at first, and will not be tried again.\n\n"
            "<minji@corp.example>: connect to corp.example[192.0.2.20]:25: Connection timed out\n",
            failed("4.4.1", "connect to corp.example[192.0.2.20]:25: Connection timed out"),
        ),
        Cause.EXPIRED,
    ),
    "dovecot-sieve-refusal": (
        Shape(
            "Mail Delivery Subsystem <postmaster@corp.example>",
            "Automatically rejected mail",
            "Your message to <minji@corp.example> was automatically rejected:\nQuota exceeded\n",
            "Reporting-UA: mx; Dovecot Mail Delivery Agent\n"
            "Final-Recipient: rfc822; minji@corp.example\n"
            "Disposition: automatic-action/MDN-sent-automatically; deleted\n",
            headers={"Auto-Submitted": "auto-replied (rejected)", "Precedence": "bulk"},
            kind="disposition-notification",
        ),
        Cause.MAILBOX,
    ),
    "icloud-policy": (
        Shape(
            POSTFIX,
            "Undelivered Mail Returned to Sender",
            "<minji@icloud.com>: host mx01.mail.icloud.com said: 554 5.7.1 [CS01] Message rejected "
            "due to local policy. Please visit https://support.apple.com/en-us/HT204137\n",
            failed("5.7.1", "554 5.7.1 [CS01] Message rejected due to local policy."),
        ),
        Cause.SENDER,
    ),
}

# An absence, a question, a receipt, a delay: the message is not known to have failed.
NO_FAILURES = {
    "absence-ko-undeclared": Shape(
        MINJI,
        "Re: 개인정보 유출 안내",
        "안녕하세요. 현재 해외 출장 중으로 메일 확인이 어렵습니다. 급한 일은 동료가 맡습니다.\n",
        has_original=False,
    ),
    "absence-ko-with-original": Shape(
        MINJI,
        "[자동응답] 휴가 안내",
        "12월 5일까지 휴가입니다. 보내신 메일은 전달되지 않으며 다른 사람이 읽지 않습니다.\n",
        headers={"Auto-Submitted": "auto-replied"},
    ),
    "absence-de": Shape(
        MINJI,
        "Automatische Antwort: About your data",
        "Ich bin bis zum 5. Dezember nicht im Büro. Ihre Nachricht wird nicht weitergeleitet. "
        "Mein Postfach ist unbekannt lange nicht besetzt.\n",
        has_original=False,
    ),
    "address-changed": Shape(
        MINJI,
        "Address changed: message not delivered",
        "My e-mail address has changed. The address minji@corp.example is no longer in use, "
        "please use minji@new.example. Your message has been forwarded.\n",
        headers={"Auto-Submitted": "auto-replied", "Precedence": "auto_reply"},
    ),
    "left-the-company": Shape(
        MINJI,
        "Auto: 김민지 퇴사 안내",
        "김민지 님은 퇴사하였습니다. 이 주소는 더 이상 사용하지 않는 주소입니다.\n",
        headers={"Auto-Submitted": "auto-replied"},
    ),
    "challenge-ko": Shape(
        "스팸차단 <no-reply@spamcut.example>",
        "메일 수신 확인 요청",
        "보내신 메일이 아직 전달되지 않았습니다. 발신자 인증을 위해 아래 주소를 눌러 주십시오.\n"
        "https://spamcut.example/confirm/123\n",
    ),
    "list-held": Shape(
        "staff-bounces@lists.corp.example",
        "Your message to Staff awaits moderator approval",
        "Your mail to 'Staff' with the subject\n\n    About your data\n\nIs being held until the "
        "list moderator can review it for approval.\n\nThe reason it is being held:\n\n"
        "    Post by non-member to a members-only list\n\nEither the message will get posted to "
        "the list, or you will receive notification of the moderator's decision.\n",
        headers={"Precedence": "bulk"},
        has_original=False,
    ),
    "quarantined": Shape(
        "postmaster@corp.example",
        "Message quarantined",
        "Your message to minji@corp.example was quarantined and waits for the recipient, who "
        "can release it. An error in the classification can be reported.\n",
        has_original=False,
    ),
    "ticket": Shape(
        "고객센터 <help@corp.example>",
        "[Ticket#20261129] 문의가 접수되었습니다",
        "문의 번호 550-1234 로 접수되었습니다. 담당자가 확인 후 답변드리겠습니다.\n",
        headers={"Auto-Submitted": "auto-replied"},
    ),
    "relayed": Shape(
        POSTFIX,
        "Successful Mail Delivery Report",
        "Your message was successfully delivered to the destination(s) listed below.\n",
        failed("2.1.5", "250 2.1.5 Ok", action="relayed"),
    ),
    "expanded": Shape(
        POSTFIX,
        "Delivery report",
        "The address is a list. The message goes to its members.\n",
        failed("2.0.0", "250 expanded by the list", action="expanded"),
    ),
    "delayed": Shape(
        POSTFIX,
        "Delayed Mail (still being retried)",
        "THIS IS A WARNING ONLY. YOU DO NOT NEED TO RESEND YOUR MESSAGE.\n\n"
        "Your message could not be delivered for more than 4 hour(s).\n",
        failed("4.2.2", "452 4.2.2 mailbox full", action="delayed"),
    ),
    "mdaemon-warning": Shape(
        "MDaemon@corp.example",
        "Warning: message delivery problem",
        "The attached message has not yet been delivered: <minji@corp.example> 450 4.2.1 mailbox "
        "temporarily unavailable. MDaemon will continue to try for 60 hours.\n",
    ),
    "gateway-goes-on": Shape(
        "AntiVirus_for_SMTP_Gateways@corp.example",
        "Delivery failure notification",
        "Your message could not be delivered to the following recipients:\n\nminji@corp.example\n\n"
        "Please do not resend your original message.\n\nDelivery attempts will continue to be made "
        "for 5 day(s).\n",
        has_original=False,
    ),
    "read-receipt": Shape(
        MINJI,
        "읽음: 개인정보 유출 안내",
        "이 메시지를 읽었습니다.\n",
        "Reporting-UA: corp.example; Microsoft Outlook\n"
        "Final-Recipient: rfc822; minji@corp.example\n"
        "Disposition: manual-action/MDN-sent-manually; displayed\n",
        kind="disposition-notification",
    ),
    "deleted-unread": Shape(
        MINJI,
        "읽지 않음: 개인정보 유출 안내",
        "메시지를 읽지 않고 삭제했습니다. 배달 실패가 아닙니다.\n",
        "Final-Recipient: rfc822; minji@corp.example\n"
        "Disposition: automatic-action/MDN-sent-automatically; deleted\n",
        kind="disposition-notification",
    ),
    "not-spam": Shape(
        "feedback@arf.mail.example",
        "FW: About your data",
        "This is an email abuse report for a message.\n",
        "Feedback-Type: not-spam\nUser-Agent: Feedback/1.0\nVersion: 1\n",
        kind="feedback-report",
    ),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_has_the_cause_that_its_server_names(name):
    shape, cause = FAILURES[name]
    report = read_report(shape.mail())
    assert (report.kind, report.cause) == (BOUNCE, cause)
    assert "@" not in report.words


@pytest.mark.parametrize("name", NO_FAILURES)
def test_what_reports_no_failure_changes_nothing(name):
    assert read_report(NO_FAILURES[name].mail()).kind is NOT_FINAL


def test_a_complaint_of_yahoo_names_its_envelope_sender():
    shape = Shape(
        "Yahoo! Mail AntiSpam Feedback <feedback@arf.mail.yahoo.com>",
        "FW: About your data",
        "This is an email abuse report for an email message from portal.example.\n",
        "Feedback-Type: abuse\nUser-Agent: Yahoo!-Mail-Feedback/2.0\nVersion: 0.1\n"
        "Original-Mail-From: <bounce+0abc-def@portal.example>\n"
        "Original-Rcpt-To: minji@yahoo.com\nReported-Domain: portal.example\n",
        kind="feedback-report",
    )
    report = read_report(shape.mail())
    assert report.kind is COMPLAINT
    assert "bounce+0abc-def@portal.example" in report.senders
