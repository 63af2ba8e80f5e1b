"""The flags of the source controller, with upstream's names, defaults and variables."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from fluvial.toolkit import FlagError, duration, flag
from fluvial.toolkit.artifacts import ALGORITHMS, Bucket
from fluvial.toolkit.flags import TokenFlags

__all__ = ["SourceFlags"]


@dataclass(kw_only=True)
class SourceFlags(TokenFlags):
    """What every controller has, and storage, retention and caches."""

    gates: ClassVar[Mapping[str, bool]] = {
        "CacheSecretsAndConfigMaps": False,
        "ObjectLevelWorkloadIdentity": False,
    }

    concurrent: int = flag(2, "Workers per kind.")
    default_service_account: str = flag(
        "", "Account whose identity is used in clouds where the spec names none."
    )
    storage_path: str = flag("/data", "Folder of the artifacts; must exist.", env="STORAGE_PATH")
    storage_bucket: str = flag(
        "",
        "Bucket of the artifacts instead: s3://name/prefix?endpoint=URL&region=REGION.",
        env="STORAGE_BUCKET",
    )
    storage_addr: str = flag(
        ":9090", "Address that the artifacts are served at.", env="STORAGE_ADDRESS"
    )
    storage_adv_addr: str = flag(
        "", "Address at which consumers find the artifacts.", env="STORAGE_ADV_ADDR"
    )
    artifact_digest_algo: str = flag("sha256", "Digest of artifacts: sha256, sha384 or sha512.")
    artifact_retention_ttl: float = duration(60.0, "How long a superseded artifact is kept.")
    artifact_retention_records: int = flag(2, "How many artifacts of one object are kept.")
    requeue_dependency: float = duration(30.0, "Wait between looks at a missing dependency.")
    interval_jitter_percentage: int = flag(5, "Spread of intervals in percent.")
    helm_chart_max_size: int = flag(10 << 20, "Largest chart, in bytes.")
    helm_chart_file_max_size: int = flag(5 << 20, "Largest single file in a chart, in bytes.")
    git_mirror_path: str = flag(
        "", "Folder of the Git mirrors, a cache; empty for one that ends with the process."
    )

    def validate(self) -> None:
        """Check values against each other. Raises FlagError."""
        super().validate()
        if self.default_service_account and not self.enabled("ObjectLevelWorkloadIdentity"):
            raise FlagError(
                "--default-service-account needs --feature-gates=ObjectLevelWorkloadIdentity=true"
            )
        if self.artifact_digest_algo not in ALGORITHMS:
            known = ", ".join(sorted(ALGORITHMS))
            raise FlagError(f"--artifact-digest-algo: {self.artifact_digest_algo!r}; use {known}")
        if self.artifact_retention_records < 1:
            raise FlagError("--artifact-retention-records must be 1 or more")
        if not 0 <= self.interval_jitter_percentage < 100:
            raise FlagError("--interval-jitter-percentage must be from 0 to 99")
        if self.helm_chart_max_size < 1 or self.helm_chart_file_max_size < 1:
            raise FlagError("--helm-chart-max-size and --helm-chart-file-max-size must be positive")
        if self.storage_bucket:
            try:
                Bucket.parse(self.storage_bucket)
            except ValueError as error:
                raise FlagError(f"--storage-bucket: {error}") from error
        host, colon, port = self.storage_addr.rpartition(":")
        if not colon or not port.isdigit() or int(port) > 65535:
            raise FlagError(f"--storage-addr: {self.storage_addr!r} is not of the form [host]:port")
        if host.startswith("[") != host.endswith("]"):
            raise FlagError(f"--storage-addr: {self.storage_addr!r} has an unpaired bracket")

    @property
    def storage_listen(self) -> tuple[str, int]:
        """Host and port of `--storage-addr`; an empty host listens everywhere."""
        host, _, port = self.storage_addr.rpartition(":")
        return host.strip("[]"), int(port)

    def advertised(self, port: int) -> str:
        """Return where consumers find the artifacts, given the port that is really listened on."""
        if self.storage_adv_addr:
            return self.storage_adv_addr
        host = self.storage_addr.rpartition(":")[0]
        if not host:
            host = "localhost"
        elif host == "0.0.0.0":  # noqa: S104  (compared, not bound)
            host = os.environ.get("HOSTNAME") or socket.gethostname()
        return f"{host}:{port}"
