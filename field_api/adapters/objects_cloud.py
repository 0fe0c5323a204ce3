"""Objects in a cloud's store: sealed under the agency's key before they leave this machine, never overwritten."""

from __future__ import annotations

from field_api.adapters.object_names import absent, checked, new_key, seal, unseal
from field_api.platform.keyring_files import OfficeKeyring
from field_api.platform.object_stores import NoObject, ObjectStore
from field_api.platform.tenancy import current_agency


class CloudObjects:
    """AGENCY/ab/abcd… below the store's prefix, as in a local directory: what a backup copies fits either."""

    def __init__(self, store: ObjectStore, keyring: OfficeKeyring) -> None:
        self._store = store
        self._keyring = keyring

    def put(self, body: bytes) -> str:
        key = new_key()
        self._store.put_new(_path(key), seal(self._keyring.of(current_agency()), key, body))
        return key

    def get(self, key: str) -> bytes:
        try:
            sealed = self._store.get(_path(key))
        except NoObject as error:
            raise absent(key) from error
        return unseal(self._keyring.of(current_agency()), key, sealed)

    def delete(self, key: str) -> None:
        self._store.delete([_path(key)])


def _path(key: str) -> str:
    return f"{current_agency()}/{checked(key)[:2]}/{key}"
