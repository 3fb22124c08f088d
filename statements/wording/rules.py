"""The lint rules by name: their severity, the reason, and what to write instead."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from django.utils.translation import gettext_lazy as _

from statements.findings import Severity, Translatable

_STUDY = _(
    "People read this in fear and on a phone. Of 161 breach notices, 97 per cent were hard to read "
    "(Zou and others, CHI 2019)."
)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One lint rule. The suggestion depends on the language of the text, not of the editor."""

    severity: Severity
    why: Translatable
    # What to write instead, by the language of the text; a language without one has no suggestion.
    better: Mapping[str, Translatable] = field(default_factory=dict)

    def suggestion(self, language: str) -> Translatable:
        """Returns what to write instead in a text of this language; "" if no words are known."""
        return self.better.get(language, "")


RULES: dict[str, Rule] = {
    "exposed": Rule(
        severity=Severity.BLOCK,
        why=_(
            "Data that somebody took has leaked. Korea's privacy regulator (PIPC) told the company "
            "of the model case on 3 December 2025 to say 유출 (leak), not 노출 (exposure)."
        ),
        better={
            "ko": _("Write 유출: “이름과 전화번호가 유출되었습니다.”"),
            "en": _("Write “leaked”: “Your name and phone number leaked.”"),
            "es": _("Write “filtrar”: “Se filtraron su nombre y su teléfono.”"),
            "vi": _("Write “bị lộ”: “Họ tên và số điện thoại của bạn đã bị lộ.”"),
        },
    ),
    "hedge": Rule(
        severity=Severity.BLOCK,
        why=_(
            "It is known that this leaked, so say so. Of 161 breach notices, about 70 per cent "
            "hedged like this (Zou and others, CHI 2019)."
        ),
        better={
            "ko": _(
                "Write what happened: “이름이 유출되었습니다.” Say apart what is not known yet."
            ),
            "en": _("Write what happened: “Your name leaked.” Say apart what is not known yet."),
            "es": _("Write what happened: “Se filtró su nombre.” Say apart what is not known yet."),
            "vi": _(
                "Write what happened: “Họ tên của bạn đã bị lộ.” Say apart what is not known yet."
            ),
        },
    ),
    "no_evidence": Rule(
        severity=Severity.BLOCK,
        why=_(
            "Having found nothing does not make anybody safe. Of 161 breach notices, 40 per cent "
            "claimed “no evidence of misuse” (Zou and others, CHI 2019)."
        ),
        better={
            "ko": _("Write what you know: “악용되었는지 알지 못합니다. 이렇게 조심하십시오.”"),
            "en": _("Write what you know: “We do not know whether it was misused. Do this:”"),
            "es": _("Write what you know: “No sabemos si se ha hecho un mal uso. Haga esto:”"),
            "vi": _("Write what you know: “Chúng tôi không biết dữ liệu có bị lạm dụng không.”"),
        },
    ),
    "third_party": Rule(
        severity=Severity.WARN,
        why=_(
            "Pointing at an unnamed outsider reads as an excuse and tells people nothing that they "
            "can use."
        ),
        better={
            "ko": _("Say what happened: “권한 없는 자가 고객 정보에 접근했습니다.”"),
            "en": _("Say what happened: “Somebody without permission reached customers' data.”"),
            "es": _(
                "Say what happened: “Alguien sin permiso accedió a los datos de los clientes.”"
            ),
            "vi": _("Say what happened: “Có người không có quyền đã vào xem dữ liệu khách hàng.”"),
        },
    ),
    "marketing": Rule(
        severity=Severity.WARN,
        why=_(
            "A notice of a leak is no place for advertising: European guidance (EDPB 9/2022, to be "
            "checked by counsel) asks for a message of its own."
        ),
        better={
            "ko": _("Leave it out, or describe compensation without advertising words."),
            "en": _("Leave it out, or describe compensation without advertising words."),
            "es": _("Leave it out, or describe compensation without advertising words."),
            "vi": _("Leave it out, or describe compensation without advertising words."),
        },
    ),
    "shop_link": Rule(
        severity=Severity.WARN,
        why=_(
            "A link to the shop turns the notice into advertising. In the model case the shared "
            "apology showed an advertisement."
        ),
        better={
            "ko": _("Link to a page of this portal, or to none."),
            "en": _("Link to a page of this portal, or to none."),
            "es": _("Link to a page of this portal, or to none."),
            "vi": _("Link to a page of this portal, or to none."),
        },
    ),
    "foreign_link": Rule(
        severity=Severity.BLOCK,
        why=_(
            "Scammers imitate exactly this message. If the real one links to other domains, nobody "
            "can tell them apart."
        ),
        better={
            "ko": _("Name the organisation and its telephone number; link from the portal's page."),
            "en": _("Name the organisation and its telephone number; link from the portal's page."),
            "es": _("Name the organisation and its telephone number; link from the portal's page."),
            "vi": _("Name the organisation and its telephone number; link from the portal's page."),
        },
    ),
    "allegation": Rule(
        severity=Severity.BLOCK,
        why=_(
            "Who did it is alleged, not confirmed; told as fact it wrongs somebody and misleads "
            "everybody."
        ),
        better={
            "ko": _("Label it: “전 직원이 접근했다는 혐의로 경찰이 수사하고 있습니다.”"),
            "en": _("Label it: “It is alleged that a former employee did it; police investigate.”"),
            "es": _("Label it: “La policía investiga si un antiguo empleado accedió a los datos.”"),
            "vi": _(
                "Label it: “Cảnh sát đang điều tra nghi vấn một nhân viên cũ truy cập dữ liệu.”"
            ),
        },
    ),
    "suspect_statement": Rule(
        severity=Severity.WARN,
        why=_(
            "Korea's privacy regulator (PIPC) asked on 14 January 2026 not to present a suspect's "
            "statements as confirmed."
        ),
        better={
            "ko": _("Leave it out, or add: “확인된 사실이 아닙니다.”"),
            "en": _("Leave it out, or add: “This is not confirmed.”"),
            "es": _("Leave it out, or add: “No se ha confirmado.”"),
            "vi": _("Leave it out, or add: “Điều này chưa được xác nhận.”"),
        },
    ),
    "long_sentence": Rule(
        severity=Severity.WARN,
        why=_STUDY,
        better={
            "ko": _("Make two or three sentences of it; 80 syllables are the most."),
            "en": _("Make two or three sentences of it; 30 words are the most."),
            "es": _("Make two or three sentences of it; 30 Spanish words are the most."),
            "vi": _("Make two or three sentences of it; 45 Vietnamese syllables are the most."),
        },
    ),
    "double_passive": Rule(
        severity=Severity.WARN,
        why=_STUDY,
        better={
            "ko": _("Write the plain form: 되어지다 → 되다, 보여지다 → 보이다."),
            "en": _("Write the active form."),
        },
    ),
    "parity_section": Rule(
        severity=Severity.BLOCK,
        why=_("Readers of all languages have a right to the same notice."),
    ),
    "parity_figure": Rule(
        severity=Severity.BLOCK,
        why=_("Numbers, dates and contacts have to be the same in all languages."),
    ),
    "parity_link": Rule(
        severity=Severity.WARN,
        why=_("All languages should lead to the same places."),
    ),
    "no_rules": Rule(
        severity=Severity.WARN,
        why=_(
            "The wording lint and the check of figures and dates have no rules for this language. "
            "A person who reads it has to compare the texts."
        ),
    ),
}
