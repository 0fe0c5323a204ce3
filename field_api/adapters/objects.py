"""Which of the stores the office's objects lie in."""

from __future__ import annotations

from field_api.adapters.objects_local import LocalObjects
from field_api.domain.ports import Objects
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.settings import Settings


def office_objects(settings: Settings, keyring: OfficeKeyring) -> Objects:
    """A directory below DOORSTEP_HOME, or the bucket that the settings name."""
    if settings.stores.office is None:
        return LocalObjects(settings.office_objects, keyring)
    # Loaded where it is wanted alone: 7 MB of a cloud's client are nothing to a process with a directory.
    from field_api.adapters.objects_cloud import CloudObjects
    from field_api.platform.object_stores import object_store
    from field_api.platform.store_trouble import OFFICE

    return CloudObjects(object_store(OFFICE, settings.stores.office), keyring)
