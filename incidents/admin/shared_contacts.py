"""The contacts of many people on the desk."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy

from accounts.admin import ReadOnlyAdmin
from accounts.admin_site import number_column
from accounts.desk_lists import LargeTableAdmin
from incidents.encryption import EncryptionError
from incidents.masking import mask
from incidents.models import AffectedPerson, DataClass, SharedContact

Kind = SharedContact.Kind
_COLUMN = {Kind.EMAIL: "email_index", Kind.PHONE: "phone_index"}
_PART = {Kind.EMAIL: "e", Kind.PHONE: "p"}
_MASKING = {Kind.EMAIL: DataClass.Masking.EMAIL, Kind.PHONE: DataClass.Masking.PHONE}


@admin.register(SharedContact)
class SharedContactAdmin(ReadOnlyAdmin, LargeTableAdmin):
    """The list of shared contacts, with the number of people. An extra right shows a masked sample.

    The list tells an operator which placeholder an export holds.
    """

    list_display = ["incident", "kind", number_column(SharedContact, "people")]
    list_display_links = None
    list_filter = ["kind", "incident"]
    list_select_related = ["incident"]
    actions = None
    page_key = ("-incident", "-people", "-pk")

    def has_delete_permission(self, request: HttpRequest, obj: SharedContact | None = None) -> bool:
        return False

    def get_list_display(self, request: HttpRequest) -> Any:
        may_read = request.user.has_perm("incidents.open_sharedcontact")
        return [*self.list_display, *(["sample"] if may_read else [])]

    @admin.display(description=gettext_lazy("partly hidden"))
    def sample(self, obj: SharedContact) -> str:
        """Returns the masked address or number; "–" if no person's data can be decrypted."""
        kind = Kind(obj.kind)
        people = AffectedPerson.objects.filter(**{_COLUMN[kind]: obj.contact_index})
        person = people.select_related("incident").filter(incident=obj.incident_id).first()
        try:
            text = person.decrypt_contact().get(_PART[kind], "") if person else ""
        except EncryptionError:
            text = ""
        return mask(text, _MASKING[kind]) if text else "–"
