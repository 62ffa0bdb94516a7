"""What a meter is, where it hangs, and how one is let in."""

from meters.models.associations import Association, AssociationTemplate
from meters.models.catalogs import CatalogObject
from meters.models.change_log import Change
from meters.models.framing import Framing
from meters.models.imports import ImportPart, ImportRecord, ImportRow, ImportRun, ImportUpload
from meters.models.inventory import Batch, Comment, Meter, Tag
from meters.models.keys import DataKey, InvocationCounter, KeyVersion, MeterKey
from meters.models.lines import Line, LineHealth, PortNotOfferedError, PortUnsafeError, serial_device
from meters.models.lists import ListChoice, SavedFilter
from meters.models.meter_types import MeterType
from meters.models.quirks import Quirk, QuirkComment, QuirkException
from meters.models.targets import AllowedTarget, RefusedTarget
from meters.models.uploads import SealedUpload
from meters.models.validators import DEVICE_ADDRESS, FLAG_CODE, NAME, SYSTEM_TITLE, TAG_NAME

__all__ = [
    "DEVICE_ADDRESS",
    "FLAG_CODE",
    "NAME",
    "SYSTEM_TITLE",
    "TAG_NAME",
    "AllowedTarget",
    "Association",
    "AssociationTemplate",
    "Batch",
    "CatalogObject",
    "Change",
    "Comment",
    "DataKey",
    "Framing",
    "ImportPart",
    "ImportRecord",
    "ImportRow",
    "ImportRun",
    "ImportUpload",
    "InvocationCounter",
    "KeyVersion",
    "Line",
    "LineHealth",
    "ListChoice",
    "Meter",
    "MeterKey",
    "MeterType",
    "PortNotOfferedError",
    "PortUnsafeError",
    "Quirk",
    "QuirkComment",
    "QuirkException",
    "RefusedTarget",
    "SavedFilter",
    "SealedUpload",
    "Tag",
    "serial_device",
]
