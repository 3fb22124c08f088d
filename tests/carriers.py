"""Makes local servers that speak the protocols of Solapi and Twilio, with their signatures.

The contracts are those of the documentation: developers.solapi.com (messages/v4, authentication)
and twilio.com/docs (Messages resource, error codes, webhook security).
"""

import hashlib
import hmac
import json
import re
from base64 import b64encode
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.local_server import LocalServer


class Carrier(LocalServer):
    """`with SolapiServer() as server:` listens at server.url and records server.messages.

    `server.refuse(to, status, body)` sets the answer to the next message to a number, and
    `server.reports[message id]` is what the gateway says about a message later.
    """

    unauthorized: tuple[int, dict[str, Any]]

    def is_authorized(self, header: str) -> bool:
        """Returns whether a request has the protocol's signature or password."""
        raise NotImplementedError

    def answer_to(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, Any]:
        """Returns status and content of the answer to an authorized request."""
        raise NotImplementedError

    def __init__(self) -> None:
        self.messages: list[dict[str, Any]] = []
        self.reports: dict[str, dict[str, Any]] = {}
        self._refusals: dict[str, tuple[int, dict[str, Any]]] = {}

    def refuse(self, to: str, status: int, body: dict[str, Any]) -> None:
        self._refusals[to] = status, body

    def serve(self, request: BaseHTTPRequestHandler, body: bytes) -> None:
        """Answers a request, if it is authorized."""
        is_ours = self.is_authorized(request.headers.get("Authorization", ""))
        status, answer = self.answer_to(request, body) if is_ours else self.unauthorized
        request.send_response(status)
        request.send_header("Content-Type", "application/json")
        request.end_headers()
        request.wfile.write(json.dumps(answer, ensure_ascii=False).encode())


class SolapiServer(Carrier):
    key, secret = "NCSAYU7YDBXYORXC", "a-solapi-secret"
    unauthorized = 403, {"errorCode": "SignatureDoesNotMatch", "errorMessage": "no"}

    def is_authorized(self, header: str) -> bool:
        found = re.fullmatch(
            r"HMAC-SHA256 apiKey=(\w+), date=([^,]+), salt=(\w+), signature=([0-9a-f]{64})", header
        )
        if not found or found[1] != self.key:
            return False
        signed = hmac.new(self.secret.encode(), (found[2] + found[3]).encode(), hashlib.sha256)
        return hmac.compare_digest(signed.hexdigest(), found[4])

    def answer_to(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, Any]:
        address = urlsplit(request.path)
        if address.path == "/messages/v4/list":
            wanted = parse_qs(address.query)["messageId"][0]
            found = {wanted: self.reports[wanted]} if wanted in self.reports else {}
            return 200, {"limit": 1, "messageList": found}
        message = json.loads(body)["message"]
        if refusal := self._refusals.pop(message["to"], None):
            return refusal
        number = len(self.messages)
        message["messageId"] = f"M4V20251118203011RARYPLKXJG{number:04d}"
        self.messages.append(message)
        return 200, {
            **{key: message[key] for key in ("to", "from", "messageId")},
            "groupId": "G4V20251118203011SKXTZT3SAPVUGU",
            "type": "SMS",
            "country": "82",
            "statusMessage": "정상 접수(이통사로 접수 예정) ",
            "statusCode": "2000",
        }

    def report(self, place: int, code: str, words: str) -> dict[str, Any]:
        """Returns the report about a message as the webhook and the list have it."""
        message = self.messages[place]
        fields = ("messageId", "to", "from", "customFields")
        return {key: message[key] for key in fields} | {
            "statusCode": code,
            "statusMessage": words,
        }


class TwilioServer(Carrier):
    account, token = "AC0123456789abcdef0123456789abcdef", "a-twilio-token"
    unauthorized = 401, {"code": 20003, "message": "Authenticate", "status": 401}

    def is_authorized(self, header: str) -> bool:
        return header == "Basic " + b64encode(f"{self.account}:{self.token}".encode()).decode()

    def answer_to(self, request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, Any]:
        if request.command == "GET":
            wanted = urlsplit(request.path).path.rpartition("/")[2].removesuffix(".json")
            return (200, self.reports[wanted]) if wanted in self.reports else (404, {"code": 20404})
        message = {name: values[0] for name, values in parse_qs(body.decode()).items()}
        if refusal := self._refusals.pop(message["To"], None):
            return refusal
        sid = f"SM{len(self.messages):032x}"
        self.messages.append(message | {"sid": sid})
        return 201, {"sid": sid, "status": "queued", "to": message["To"], "error_code": None}

    def signature(self, url: str, form: dict[str, str]) -> str:
        """Returns the X-Twilio-Signature of a webhook's request."""
        text = url + "".join(f"{name}{form[name]}" for name in sorted(form))
        return b64encode(
            hmac.new(self.token.encode(), text.encode(), hashlib.sha1).digest()
        ).decode()
