"""The URLs of the public pages, directly below the language (`/ko/`); see statements.views."""

from django.urls import URLPattern, path, register_converter
from django.urls.converters import IntConverter

from statements import views


class NumberConverter(IntConverter):
    """A number without leading zeros, from 1 to 999999999.

    "01" would be a second address of the same public page. A client that invents addresses could
    then fill the page cache and push out the pages of others.
    """

    regex = "[1-9][0-9]{0,8}"


register_converter(NumberConverter, "number")

urlpatterns: list[URLPattern] = [
    path("", views.home, name="home"),
    path("incidents/<slug:slug>/", views.incident, name="incident"),
    path("incidents/<slug:slug>/easy/", views.easy_page, name="easy_read"),
    path("incidents/<slug:slug>/timeline/", views.timeline, name="timeline"),
    path("incidents/<slug:slug>/feed/", views.feed, name="feed"),
    path("incidents/<slug:slug>/log/", views.log, name="log"),
    path("incidents/<slug:slug>/log/log.json", views.log_json, name="log_json"),
    path("incidents/<slug:slug>/picture.png", views.incident_image, name="incident_image"),
    path("incidents/<slug:slug>/statements/<slug:statement>/", views.statement, name="statement"),
    path(
        "incidents/<slug:slug>/statements/<slug:statement>/versions/<number:number>/",
        views.statement_version,
        name="statement_version",
    ),
    path(
        "incidents/<slug:slug>/statements/<slug:statement>/versions/<number:number>/record.json",
        views.version_record,
        name="version_record",
    ),
    path(
        "incidents/<slug:slug>/statements/<slug:statement>/versions/<number:number>/picture.png",
        views.version_image,
        name="version_image",
    ),
    path("incidents/<slug:slug>/advisories/<slug:statement>/", views.advisory, name="advisory"),
]
