"""Releases of Helm, and what they do differently to the same chart.

| | 3.21 | 4.2 | 4.3 |
|---|---|---|---|
| a document begins | at `---` after white space, its end trimmed | at a line of `---` | as 4.2 |
| nulls of a chart's defaults | stay | go, unless they are for a subchart | as 4.2 |
| `.Chart` | a struct: an unknown field is an error | a map: an unknown field is empty | as 4.2 |
| more than one document of values | the first counts | all are merged | as 4.2 |
| `--set-json` takes | pairs of key and JSON | or a whole object | as 4.2 |
| webhook configurations | with the unknown kinds | after all known kinds | as 4.2 |
| a failing template | one line | a level a line | as 4.2 |
| functions | no `mustToYaml`, `mustToToml` | both | and the durations |
| `.Files.Lines` of an empty file | none | one, empty | none |
| a given cluster version | its digits only | as given | as 4.2 |
| post-renderers see | templates only | hooks too | as 4.2 |

Read in upstream's sources at v3.21.4 and v4.2.4; 4.3 is what its command does.
"""

from typing import Final

import msgspec

from fluvial.render.helm._errors import ChartError

__all__ = ["HELM_3", "HELM_4_2", "HELM_4_3", "HelmVersion", "helm_version"]


class HelmVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A release of Helm: what `.Capabilities.HelmVersion` tells of it, and its rules.

    `minor` is how it is asked for. `kube_version` is what its command takes for the cluster's
    version when it asks none. The rules default to those of the newest; what each means is in the
    table above.
    """

    minor: str
    version: str
    git_commit: str = ""
    git_tree_state: str = ""
    go_version: str = ""
    kube_client_version: str = ""
    kube_version: str
    loose_documents: bool = False
    keeps_default_nulls: bool = False
    chart_is_struct: bool = False
    first_document_only: bool = False
    only_pairs_of_json: bool = False
    one_line_errors: bool = False
    digits_of_given: bool = False
    empty_file_is_a_line: bool = False
    hooks_post_rendered: bool = True
    unranked_kinds: tuple[str, ...] = ()
    missing_functions: tuple[str, ...] = ()


_DURATIONS: Final = (
    "mustToDuration", "durationSeconds", "durationMilliseconds", "durationMicroseconds",
    "durationNanoseconds", "durationMinutes", "durationHours", "durationDays", "durationWeeks",
    "durationRoundTo", "durationTruncateTo",
)  # fmt: skip
HELM_3: Final = HelmVersion(
    minor="3.21",
    version="v3.21.4",
    git_commit="813176c51bb5c181dbbd7901298ddcc104cd3417",
    git_tree_state="clean",
    go_version="go1.26",
    kube_version="v1.36.0",
    loose_documents=True,
    keeps_default_nulls=True,
    chart_is_struct=True,
    first_document_only=True,
    only_pairs_of_json=True,
    one_line_errors=True,
    digits_of_given=True,
    hooks_post_rendered=False,
    unranked_kinds=("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
    missing_functions=("mustToYaml", "mustToToml", *_DURATIONS),
)  # as its command was built
HELM_4_2: Final = HelmVersion(
    minor="4.2",
    version="v4.2",
    go_version="go1.26",
    kube_client_version="v1.36",
    kube_version="v1.36.0",
    empty_file_is_a_line=True,
    missing_functions=_DURATIONS,
)  # as the upstream controller embeds it
HELM_4_3: Final = HelmVersion(
    minor="4.3",
    version="v4.3.1",
    git_commit="c0d08d0d6d9424d4a14febb5e8a3e51b0dd00dff",
    git_tree_state="clean",
    go_version="go1.27.2",
    kube_client_version="v1.37",
    kube_version="v1.37.0",
)  # as its command was built
_KNOWN: Final = (HELM_3, HELM_4_2, HELM_4_3)


def helm_version(text: str) -> HelmVersion:
    """Return the release that `3`, `v3.21`, `4.2` or `4.3.1` asks for; a major means its newest.

    Raises ChartError for one whose rules are not known.
    """
    wanted = text.removeprefix("v")
    for known in reversed(_KNOWN):
        if f"{known.minor}.".startswith(f"{wanted}.") or wanted.startswith(f"{known.minor}."):
            return known
    names = ", ".join(known.minor for known in _KNOWN)
    raise ChartError(f"helm_version {text!r} is not known: name one of {names}")
