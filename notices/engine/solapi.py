"""Solapi, a Korean gateway for text messages and KakaoTalk AlimTalk.

Its documentation: https://developers.solapi.com/references/messages (messages/v4/send and
messages/v4/list) and /references/authentication (HMAC-SHA256 over date and salt).
"""

import hashlib
import hmac
import json
import re
import secrets
from datetime import UTC, datetime
from typing import Any, ClassVar
from urllib.parse import urlencode

from django.conf import settings

from notices.engine.gateways import ACCOUNT_STATUSES, RETRY_STATUSES, PooledGateway, json_object
from notices.engine.request_transport import AccountRefusedError
from notices.engine.transport import Reply, Result, redact_number
from notices.ledger_messages import LedgerMessages
from notices.message_codes import receipt_reference
from notices.message_filling import OutgoingMessage
from notices.models import DeliveryReceipt, DoubtCause
from notices.returned_mail.receipts import Receipt

# Status codes: 2000 registered, 3000 with the carrier, 4000 delivered, others of 3xxx failed.
_REGISTERED, _WITH_CARRIER, _DELIVERED = "2000", "3000", "4000"
_NAMES_RECIPIENT = re.compile(
    r"수신 ?번호(?!.{0,12}(?:제한|초과|중복|동일|시간))|수신 ?거부(?:한|된)|결번|착신 ?번호"
    r"|\brecipient (?:number|phone)|invalid recipient|[\"'`]to[\"'`]|^to\b",
    re.IGNORECASE,
)
# The number can be texted later. No other gateway should do it before.
_NAMES_HOURS = re.compile(r"야간|심야|반복 ?(?:발송|전송)|시간(?:대)?.{0,8}제한")
_NAMES_ACCOUNT = re.compile(
    r"발신 ?번호|회신 ?번호|잔액|balance|api ?key|\bsender|[\"'`]from[\"'`]|^from\b", re.IGNORECASE
)
# Words of a receipt that name our number, our account or the text, and not the recipient.
_OWN_FAULTS = re.compile(
    r"발신 ?번호|회신 ?번호|변작|도용|잔액|스팸|spam|메시지 ?(?:형식|길이|내용)|길이 ?초과|템플릿"
    r"|발신 ?프로필|발송 ?(?:한도|제한|차단|건수)|야간",
    re.IGNORECASE,
)
_MESSAGE_ID = re.compile(r"M4V[0-9A-Z]{10,40}")


class SolapiGateway(PooledGateway):
    """Text messages through Solapi. It serves Korean numbers only."""

    required_settings: ClassVar[tuple[str, ...]] = ("SOLAPI_KEY", "SOLAPI_SECRET", "SMS_SENDER")

    def send(self, message: OutgoingMessage) -> Reply:
        """Sends one message. Raises the errors of `SmsGateway.send`."""
        if not message.to.startswith("+82"):
            return Reply(Result.UNREACHABLE, LedgerMessages.NOT_FOR_THE_PROVIDER.stored())
        body = json.dumps({"message": self._content(message)}, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json; charset=utf-8", **_authorization()}
        url = f"{settings.SOLAPI_URL}/messages/v4/send"
        status, answer = self._client.post(url, body=body, headers=headers)
        return _reply(status, answer, message.to)

    def fetch_receipt(self, reply: str) -> Receipt | None:
        """Returns the receipt of a message by the reply to its send; None if there is none yet.

        Raises the errors of `GatewayClient.request`.
        """
        found = _MESSAGE_ID.search(reply)
        if found is None:
            return None
        query = urlencode({"messageId": found[0], "limit": 1})
        url = f"{settings.SOLAPI_URL}/messages/v4/list?{query}"
        status, answer = self._client.request("GET", url, headers=_authorization())
        listed = json_object(answer).get("messageList") if status == 200 else None
        report = listed.get(found[0]) if isinstance(listed, dict) else None
        return receipt_of(report) if isinstance(report, dict) else None

    def _content(self, message: OutgoingMessage) -> dict[str, Any]:
        return {
            "to": "0" + message.to.removeprefix("+82"),
            "from": settings.SMS_SENDER,
            "text": message.data.decode(),
            "customFields": {"reference": receipt_reference(message.delivery_id)},
        }


class SolapiAlimtalkGateway(SolapiGateway):
    """KakaoTalk AlimTalk through Solapi. The text must be that of the approved template.

    A person without KakaoTalk gets nothing: the receipt says so. Solapi's own replacement by a text
    message is off, because the ledger would not know which of the two was delivered.
    """

    required_settings = (*SolapiGateway.required_settings, "SOLAPI_PROFILE", "SOLAPI_TEMPLATE")
    has_fixed_texts = True

    def _content(self, message: OutgoingMessage) -> dict[str, Any]:
        options = {
            "pfId": settings.SOLAPI_PROFILE,
            "templateId": settings.SOLAPI_TEMPLATE,
            "disableSms": True,
        }
        return super()._content(message) | {"type": "ATA", "kakaoOptions": options}


def receipt_of(report: dict[str, Any]) -> Receipt | None:
    """Returns the receipt in a message's report; None if the carrier has not decided yet."""
    code, words = str(report.get("statusCode", "")), str(report.get("statusMessage") or "")
    if not re.fullmatch(r"\d{4}", code) or code[0] == "2" or code == _WITH_CARRIER:
        return None
    is_delivered = code == _DELIVERED
    state = DeliveryReceipt.State.DELIVERED if is_delivered else DeliveryReceipt.State.FAILED
    text = redact_number(f"{code} {words}", str(report.get("to") or "00000000"))
    return Receipt(state, text, is_own_fault=bool(_OWN_FAULTS.search(words)))


def reference_in(report: dict[str, Any]) -> str:
    """Returns the reference that we put into a message, from its report; "" if there is none."""
    fields = report.get("customFields")
    return str(fields.get("reference", "")) if isinstance(fields, dict) else ""


def _authorization() -> dict[str, str]:
    date, salt = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), secrets.token_hex(16)
    signed = hmac.new(settings.SOLAPI_SECRET.encode(), f"{date}{salt}".encode(), hashlib.sha256)
    value = (
        f"apiKey={settings.SOLAPI_KEY}, date={date}, salt={salt}, signature={signed.hexdigest()}"
    )
    return {"Authorization": f"HMAC-SHA256 {value}"}


def _reply(status: int, answer: str, to: str) -> Reply:
    data = json_object(answer)
    code = str(data.get("statusCode") or data.get("errorCode") or "")
    words = str(data.get("statusMessage") or data.get("errorMessage") or "")
    text = " ".join([str(status), code, str(data.get("messageId") or ""), words])
    server_reply = redact_number(text, to)
    if status == 200 and code == _REGISTERED:
        return Reply(Result.ACCEPTED, server_reply)
    if status in RETRY_STATUSES or (status in (200, 400) and _NAMES_HOURS.search(words)):
        return Reply(Result.DEFERRED, server_reply)
    if status in ACCOUNT_STATUSES or (status in (200, 400) and _NAMES_ACCOUNT.search(words)):
        raise AccountRefusedError(server_reply)
    if status == 400 or (status == 200 and code[:1] in ("1", "3")):
        is_recipient = _NAMES_RECIPIENT.search(words)
        return Reply(Result.BOUNCED if is_recipient else Result.REFUSED, server_reply)
    return Reply(Result.IN_DOUBT, server_reply, DoubtCause.UNCLEAR_ANSWER)
