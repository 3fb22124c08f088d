"""The pages about certificates: a user gets their own, and any visitor checks one by its code."""

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_http_methods, require_safe

from accounts.ended_sessions import sign_in_required
from foundations.kept_answers import kept_by_browser
from foundations.rate_limits import limited
from foundations.secret_urls import secret_url
from incidents.earlier_answers import earlier_answers
from incidents.encryption import EncryptionError
from incidents.models import Incident
from incidents.my_data import leaks_of
from incidents.views import SignedInRequest
from notices.forms.certificates import CertificateCodeForm, CertificateForm
from notices.proof import certificates

logger = logging.getLogger(__name__)


@sign_in_required()
@require_http_methods(["GET", "HEAD", "POST"])
@limited("certificate_issue", methods=["POST"], by_user=True)
@limited("document_network", methods=["POST"], in_crowd="document_in_crowd")
def certificate(request: SignedInRequest, slug: str) -> HttpResponse:
    """Explains certificates, and issues one as a PDF on POST.

    A user without leaked data gets a page that says why there is none, with the status 404. The
    status is 503 if the incident's data cannot be decrypted.
    """
    incident = get_object_or_404(Incident.objects.public(), slug=slug)
    form = CertificateForm(request.POST or None, user=request.user, incident=incident)
    try:
        if incident.shredded_at or not leaks_of(request.user, incident):
            return _no_certificate(request, incident)
        issued = form.issue() if form.is_valid() else None
    except EncryptionError as error:
        logger.error("incident %s: no certificate could be made: %s", incident.pk, error)
        return render(request, "notices/certificates/unavailable.html", status=503)
    if issued is None:
        context = {"form": form, "incident": incident}
        return render(request, "notices/certificates/certificate.html", context)
    name = f'attachment; filename="certificate-{incident.slug}.pdf"'
    return HttpResponse(
        issued.pdf, content_type="application/pdf", headers={"Content-Disposition": name}
    )


def _no_certificate(request: SignedInRequest, incident: Incident) -> HttpResponse:
    """Returns the page that says why there is none, and what a withdrawal changed."""
    emails, phones = request.user.verified_emails(), request.user.verified_phones()
    readable = [] if incident.shredded_at else [incident]
    earlier = earlier_answers(emails, phones, readable).get(incident.pk)
    context = {"incident": incident, "earlier": earlier}
    return render(request, "notices/certificates/none.html", context, status=404)


@require_http_methods(["GET", "HEAD", "POST"])
@limited("certificate_check", methods=["POST"], typed=["code"])
def certificate_check(request: HttpRequest) -> HttpResponse:
    """Asks for a code, and shows the content of the certificate with that code."""
    form = CertificateCodeForm(request.POST or None)
    if form.is_valid():
        return _verified_page(request, form.checked)
    page = render(request, "notices/certificates/check.html", {"form": form})
    return kept_by_browser(page) if form.is_bound else page


@secret_url
@require_safe
@limited("certificate_check", methods=["GET"])
def certificate_checked(request: HttpRequest, code: str) -> HttpResponse:
    """Shows the content of the certificate with the code in the URL, from its QR code."""
    return _verified_page(request, certificates.find_certificate(code))


def _verified_page(
    request: HttpRequest, checked: certificates.VerifiedCertificate | None
) -> HttpResponse:
    context = {
        "checked": checked,
        "incident": checked.certificate.incident if checked else None,
        "posted_code": request.POST.get("code", ""),  # for the page in another language
    }
    status = 200 if checked else 404
    return render(request, "notices/certificates/checked.html", context, status=status)
