"""The models of accounts: one file for each noun, some of them beside the code that uses them."""

from accounts.company_sign_on.identities import CompanyIdentity
from accounts.company_sign_on.member_numbers import MemberNumber
from accounts.desk_api.tokens import ApiToken
from accounts.joined_account import JoinedAccount
from accounts.look_up_key import LookUpKey
from accounts.models.audit_entry import AuditEntry, AuditEntryQuerySet
from accounts.models.code_state import CodeState
from accounts.models.invitation import Invitation, InvitationQuerySet
from accounts.models.rights_grant import GRANT_JOINS_FOR, RightsGrant
from accounts.models.role_rights import RoleRights
from accounts.models.user import StaffNumberError, User, lock_contact
from accounts.models.verified_phone import NUMBER_STAYS_FOR, VerifiedPhone
from accounts.new_device import NewDevice
from accounts.sent_mail import SentMail

__all__ = [
    "GRANT_JOINS_FOR",
    "NUMBER_STAYS_FOR",
    "ApiToken",
    "AuditEntry",
    "AuditEntryQuerySet",
    "CodeState",
    "CompanyIdentity",
    "Invitation",
    "InvitationQuerySet",
    "JoinedAccount",
    "LookUpKey",
    "MemberNumber",
    "NewDevice",
    "RightsGrant",
    "RoleRights",
    "SentMail",
    "StaffNumberError",
    "User",
    "VerifiedPhone",
    "lock_contact",
]
