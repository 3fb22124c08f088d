"""URLs of "my questions", below /<language>/questions/ (tickets.views)."""

from django.urls import URLPattern, path

from tickets import views

urlpatterns: list[URLPattern] = [
    path("", views.my_tickets, name="my_tickets"),
    path("file/", views.my_tickets_file, name="my_tickets_file"),
    path("ask/<slug:slug>/", views.ask, name="ask"),
    path("<slug:number>/", views.ticket, name="ticket"),
]
