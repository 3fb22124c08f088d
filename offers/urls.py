"""URLs of offers, below /<language>/offers/ (offers.views)."""

from django.urls import URLPattern, path

from offers import views

urlpatterns: list[URLPattern] = [
    path("<int:pk>/take/", views.take_offer, name="take_offer"),
]
