"""Public pages at the top of each language; see notices.views."""

from django.urls import URLPattern, path, register_converter
from django.urls.converters import IntConverter

from notices.views import alerts, certificates, from_us
from statements import views as public


class NumberConverter(IntConverter):
    """A number in its one spelling: 01 would be another address of the same public page, and
    whoever invents addresses could fill the memory of all kept pages and empty it again.
    """

    regex = "[1-9][0-9]{0,8}"


register_converter(NumberConverter, "number")

urlpatterns: list[URLPattern] = [
    path("", public.home, name="home"),
    path("incidents/<slug:slug>/", public.incident, name="incident"),
    path("incidents/<slug:slug>/timeline/", public.timeline, name="timeline"),
    path("incidents/<slug:slug>/feed/", public.feed, name="feed"),
    path("incidents/<slug:slug>/transparency/", public.transparency, name="transparency"),
    path("incidents/<slug:slug>/log/", public.log, name="log"),
    path("incidents/<slug:slug>/log/log.json", public.log_json, name="log_json"),
    path("incidents/<slug:slug>/picture.png", public.incident_picture, name="incident_picture"),
    path("incidents/<slug:slug>/statements/<slug:statement>/", public.statement, name="statement"),
    path(
        "incidents/<slug:slug>/statements/<slug:statement>/versions/<number:number>/",
        public.statement_version,
        name="statement_version",
    ),
    path(
        "incidents/<slug:slug>/statements/<slug:statement>/versions/<number:number>/record.json",
        public.record,
        name="record",
    ),
    path(
        "incidents/<slug:slug>/statements/<slug:statement>/versions/<number:number>/picture.png",
        public.version_picture,
        name="version_picture",
    ),
    path("incidents/<slug:slug>/advisories/<slug:statement>/", public.advisory, name="advisory"),
    path("incidents/<slug:slug>/certificate/", certificates.certificate, name="certificate"),
    path("certificates/", certificates.certificate_check, name="certificate_check"),
    path("certificates/<str:code>/", certificates.certificate_checked, name="certificate_checked"),
    path("check/", from_us.check, name="check"),
    path("check/answer/", from_us.answer, name="check_answer"),
    path("check/report/", from_us.report, name="report_scam"),
    path("check/reported/", from_us.reported, name="reported"),
    path("alerts/", alerts.alerts, name="alerts"),
    path("alerts/unsubscribe/<str:token>/", alerts.unsubscribe, name="unsubscribe"),
]
