"""`--verify`: a package and its provenance file against the keyring."""

from fluvial.cli.build.charts.errors import ChartUnavailable
from fluvial.cli.build.charts.settings import ChartSettings
from fluvial.render.helm.repository import SignatureInvalid, verify_package

__all__ = ["verify"]


def verify(package: bytes, provenance: bytes, name: str, settings: ChartSettings) -> None:
    """Hold a package against its provenance file. Raises ChartUnavailable."""
    try:
        keyring = settings.keyring.read_bytes()
    except OSError as error:
        problem = (error.strerror or str(error)).lower()
        raise ChartUnavailable(
            f"failed to load keyring: open {settings.keyring}: {problem}"
        ) from None
    try:
        verify_package(package, provenance, name, keyring)
    except SignatureInvalid as error:
        raise ChartUnavailable(str(error)) from None
