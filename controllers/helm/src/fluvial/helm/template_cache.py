"""Where workers keep the templates that they have parsed, for each other and for later ones."""

import os
import tempfile
from pathlib import Path

from fluvial.render.gotemplate import ParsedStore
from fluvial.toolkit import logs

__all__ = ["template_folder"]


def template_folder(wanted: str) -> str:
    """Return the folder that a flag names, made and found safe; empty where none is to be used.

    Without a name it is one of this user's in the temporary folder, which outlives a container that
    is started again; `off` means none. One that cannot be used is told in the log, and nothing is
    kept: templates are then parsed by every worker.
    """
    if wanted == "off":
        return ""
    own = Path(tempfile.gettempdir()) / f"helm-controller-templates-{os.geteuid()}"
    folder = Path(wanted) if wanted else own
    try:
        ParsedStore(folder)
    except OSError as error:
        logs.logger("setup").error("parsed templates are not kept", error=error)
        return ""
    return str(folder.resolve())
