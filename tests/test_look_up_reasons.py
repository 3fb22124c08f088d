"""What the reason of a look-up may hold: the audit trail keeps it."""

import pytest

from accounts.desk_look_ups import LookUpReasonForm


@pytest.mark.parametrize(
    "reason",
    [
        "Call on 2026-11-29 10:30",
        "Ticket 2345-6789 2026",
        "Ticket 20261129",
        "Tickets 12345678, 23456789",
        "2026. 11. 29. 통화, 접수 12345678",
        "29.11.2026 14:05:10, 11/29/2026 2:05",
        "2026-11-29 2026-11-30 2026-12-01",
    ],
)
def test_a_date_or_a_ticket_is_a_reason(reason):
    assert LookUpReasonForm({"reason": reason}).is_valid()


@pytest.mark.parametrize(
    "reason",
    [
        "minji@example.com asks",
        "call 010-1234-5678.",
        "Tel:010/1234/5678",
        "010 1234 5678",
        "7 010 1234 5678",
        "on 2026-11-29 10:30 010 1234 5678",
        "+82 (0)10 1234 5678",
        "（０１０）１２３４‐５６７８",
        "010–1234–5678",
        "번호01012345678로 전화",
        "900101-1234567",
        "1234 5678 9012 3456",
        "02-345-6789 home",
    ],
)
def test_a_reason_names_no_address_or_number_of_the_customer(reason):
    assert "reason" in LookUpReasonForm({"reason": reason}).errors
