"""The URLs of "my data", below /<language>/my-data/."""

from django.urls import path

from incidents import views

urlpatterns = [
    path("", views.my_data, name="my_data"),
    path("reveal/", views.my_data_reveal, name="my_data_reveal"),
    path("hide/", views.my_data_hide, name="my_data_hide"),
    path("copy/", views.my_copy, name="my_copy"),
    path("step/<slug:slug>/", views.my_data_step, name="my_data_step"),
    path("reminder/<slug:slug>/", views.my_data_reminder, name="my_data_reminder"),
    path("reminder/end/<str:token>/", views.end_reminder, name="end_reminder"),
    path("answer/<slug:slug>/", views.my_data_answer, name="my_data_answer"),
]
