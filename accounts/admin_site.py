"""The response desk: Django admin for staff who proved a second factor."""

from django.contrib import admin


class DeskSite(admin.AdminSite):
    """Django admin, stock look."""
