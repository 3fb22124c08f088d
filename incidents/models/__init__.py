"""What happened, to whom.

One incident of the model case has 33.7 million affected people and some 150 million exposures, so:
the keys of people come from the data (a PRF of the source's own id), rows carry no more than they
must, and whatever a page shows is found by an index or kept as a count.
"""

from incidents.models.batches import BatchChange, ExposureBatch, ExposureFile
from incidents.models.contact_changes import ContactChange
from incidents.models.data_classes import CONTACT_CLASSES, DataClass
from incidents.models.exposures import (
    AffectedPerson,
    AffectedPersonQuerySet,
    Exposure,
    Reveal,
    ScopeCount,
)
from incidents.models.incidents import (
    Basis,
    Incident,
    IncidentDataClass,
    IncidentJurisdiction,
    Reencryption,
    Shredding,
    Standing,
)
from incidents.models.uploads import Upload, UploadPiece

__all__ = [
    "CONTACT_CLASSES",
    "AffectedPerson",
    "AffectedPersonQuerySet",
    "Basis",
    "BatchChange",
    "ContactChange",
    "DataClass",
    "Exposure",
    "ExposureBatch",
    "ExposureFile",
    "Incident",
    "IncidentDataClass",
    "IncidentJurisdiction",
    "Reencryption",
    "Reveal",
    "ScopeCount",
    "Shredding",
    "Standing",
    "Upload",
    "UploadPiece",
]
