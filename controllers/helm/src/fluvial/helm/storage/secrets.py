"""Where records live: Secrets of type `helm.sh/release.v1`, found by their labels."""

from datetime import datetime

from fluvial.apis.ids import Unstructured
from fluvial.helm.errors import RecordInvalid
from fluvial.helm.storage.record import Record, decode, encode
from fluvial.toolkit import Client, NotFound
from fluvial.toolkit.references import SECRET

__all__ = ["Storage"]

_TYPE = "helm.sh/release.v1"


class Storage:
    """The records of one release in one namespace.

    `created` says whether this object has written a new record: only then does a failure count.
    """

    def __init__(self, client: Client, namespace: str, name: str, manager: str) -> None:
        self._client = client
        self._namespace = namespace
        self._name = name
        self._manager = manager
        self.created = False

    async def records(self) -> list[Record]:
        """Read all records, the newest first. Raises RecordInvalid naming the Secret."""
        found = await self._client.list(
            SECRET, self._namespace, label_selector=f"owner=helm,name={self._name}"
        )
        records = []
        for secret in found.items:
            try:
                records.append(decode((secret.get("data") or {}).get("release") or ""))
            except RecordInvalid as error:
                raise RecordInvalid(
                    f"Secret/{self._namespace}/{secret['metadata']['name']}: {error}"
                ) from error
        return sorted(records, key=lambda record: -record.version)

    async def create(self, record: Record, now: datetime) -> None:
        """Write a new record. Raises AlreadyExists when someone else took the number."""
        labels = {"createdAt": str(int(now.timestamp()))}
        await self._client.create(
            SECRET,
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {
                    "name": self._secret(record.version),
                    "namespace": self._namespace,
                    "labels": self._labels(record) | labels,
                },
                "type": _TYPE,
                "data": {"release": encode(record)},
            },
            field_manager=self._manager,
        )
        self.created = True

    async def update(self, record: Record, now: datetime) -> None:
        """Write what became of a record. Raises NotFound when it is gone."""
        labels: dict[str, str | None] = {
            **self._labels(record),
            "modifiedAt": str(int(now.timestamp())),
            "createdAt": None,
        }
        body: Unstructured = {
            "metadata": {"labels": labels},
            "data": {"release": encode(record)},
        }
        await self._client.patch(
            SECRET,
            self._secret(record.version),
            body,
            self._namespace,
            field_manager=self._manager,
        )

    async def delete(self, version: int) -> None:
        """Remove a record; a missing one is no error."""
        try:
            await self._client.delete(SECRET, self._secret(version), self._namespace)
        except NotFound:
            return

    async def prune(self, records: list[Record], limit: int) -> None:
        """Make room for one more record: at most `limit` (0: any number), oldest first.

        The newest deployed one always stays. `records` are all there are, the newest first.
        """
        excess = len(records) - (limit - 1) if limit > 0 else 0
        deployed = next((one.version for one in records if one.status == "deployed"), None)
        for record in reversed(records):
            if excess <= 0:
                return
            if record.version != deployed:
                await self.delete(record.version)
                excess -= 1

    def _secret(self, version: int) -> str:
        return f"sh.helm.release.v1.{self._name}.v{version}"

    def _labels(self, record: Record) -> dict[str, str]:
        return {
            "name": self._name,
            "owner": "helm",
            "status": record.status,
            "version": str(record.version),
        }
