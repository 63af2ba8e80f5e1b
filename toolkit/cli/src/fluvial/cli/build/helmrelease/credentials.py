"""Who asks a repository: what its object says, below what the flags say."""

import base64
import binascii
import dataclasses

from fluvial.apis.source import HelmRepository, OCIRepository
from fluvial.cli.build.charts import ChartSettings
from fluvial.cli.build.helmrelease.errors import ReleaseRefused
from fluvial.cli.build.helmrelease.manifests import Manifests

__all__ = ["with_access"]


def with_access(
    manifests: Manifests, repository: HelmRepository | OCIRepository, settings: ChartSettings
) -> ChartSettings:
    """Return settings with what the spec says of plain HTTP, and the user of its Secret.

    A Secret that is not at hand, or has no `username`, leaves who asks to the flags and to helm's
    and docker's files. Raises ReleaseRefused for certificates, which only flags can give, and for
    a Secret that is encrypted.
    """
    spec = repository.spec
    title = f"{repository.kind} {repository.metadata.namespace}/{repository.metadata.name}"
    if spec.cert_secret_ref is not None and not (settings.ca_file or settings.cert_file):
        raise ReleaseRefused(
            f"{title}: spec.certSecretRef is not read: name the files with --ca-file, or "
            "--cert-file and --key-file"
        )
    if spec.insecure:
        settings = dataclasses.replace(settings, plain_http=True)
    if isinstance(repository, HelmRepository) and repository.spec.pass_credentials:
        settings = dataclasses.replace(settings, pass_credentials=True)
    if spec.secret_ref is None or settings.username:
        return settings
    secret = manifests.data("Secret", repository.metadata.namespace, spec.secret_ref.name)
    data = (secret or {}).get("data") or {}
    username, password = _decoded(data.get("username")), _decoded(data.get("password"))
    if not (username and password):
        return settings
    return dataclasses.replace(settings, username=username, password=password)


def _decoded(value: object) -> str:
    try:
        return base64.b64decode(str(value or ""), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return ""
