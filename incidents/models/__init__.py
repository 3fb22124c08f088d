"""Incidents, the people they affect, and what leaked of them.

The incident that the design follows has 33.7 million affected people and about 150 million
exposures. Three rules follow from that size. The primary key of a person is computed from the
data: it is a PRF of the source's own id. A row has no field that it does not need. A page finds
what it shows by an index, or reads a stored count.
"""

from incidents.models.address_change import AddressChange
from incidents.models.affected_person import (
    AffectedPerson,
    AffectedPersonQuerySet,
    FurtherContact,
)
from incidents.models.batch_change import BatchChange
from incidents.models.batch_withdrawal import BatchWithdrawal
from incidents.models.data_class import DataClass
from incidents.models.done_step import DoneStep
from incidents.models.exposure import Exposure
from incidents.models.exposure_batch import ExposureBatch, Unlinked, Unread
from incidents.models.exposure_file import ExposureFile
from incidents.models.fact_change import FactChange
from incidents.models.figure_point import FigurePoint
from incidents.models.file_contact import FileContact
from incidents.models.incident import Incident
from incidents.models.incident_data_class import Basis, IncidentDataClass
from incidents.models.incident_draft import IncidentDraft
from incidents.models.jurisdiction import IncidentJurisdiction, Standing
from incidents.models.person_mark import PersonMark
from incidents.models.reencryption import Reencryption
from incidents.models.refused_file import RefusedFile
from incidents.models.rejected_row import RejectedRow
from incidents.models.retention import DataDeletion, RetentionDecision
from incidents.models.reveal import Reveal
from incidents.models.row_proof import RowProof, WrongAnswer
from incidents.models.saved_mapping import SavedMapping
from incidents.models.scope_count import ScopeCount
from incidents.models.shared_contact import SharedContact
from incidents.models.shredding import Shredding
from incidents.models.step_reminder import StepReminder
from incidents.models.team_message import MessageChoice, MessageKind, TeamMessage
from incidents.models.unread_contact import UnreadContact
from incidents.models.upload import Upload
from incidents.models.upload_piece import UploadPiece
from incidents.models.withdrawn_contact import WithdrawnContact
from incidents.models.write_off import WriteOff

__all__ = [
    "AddressChange",
    "AffectedPerson",
    "AffectedPersonQuerySet",
    "Basis",
    "BatchChange",
    "BatchWithdrawal",
    "DataClass",
    "DataDeletion",
    "DoneStep",
    "Exposure",
    "ExposureBatch",
    "ExposureFile",
    "FactChange",
    "FigurePoint",
    "FileContact",
    "FurtherContact",
    "Incident",
    "IncidentDataClass",
    "IncidentDraft",
    "IncidentJurisdiction",
    "MessageChoice",
    "MessageKind",
    "PersonMark",
    "Reencryption",
    "RefusedFile",
    "RejectedRow",
    "RetentionDecision",
    "Reveal",
    "RowProof",
    "SavedMapping",
    "ScopeCount",
    "SharedContact",
    "Shredding",
    "Standing",
    "StepReminder",
    "TeamMessage",
    "Unlinked",
    "Unread",
    "UnreadContact",
    "Upload",
    "UploadPiece",
    "WithdrawnContact",
    "WriteOff",
    "WrongAnswer",
]
