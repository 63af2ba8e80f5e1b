"""The actions of a HelmRelease: install, upgrade, test, rollback, uninstall."""

from typing import Annotated

from fluvial.apis.schema import Interval, Model, Rule, Schema, defaulted

__all__ = [
    "Filter",
    "Install",
    "InstallRemediation",
    "InstallStrategy",
    "ReleaseTest",
    "Rollback",
    "Uninstall",
    "Upgrade",
    "UpgradeRemediation",
    "UpgradeStrategy",
]

_STRATEGIES = ("RemediateOnFailure", "RetryOnFailure")
_CRDS = ("Skip", "Create", "CreateReplace")
_APPLY = ("enabled", "disabled", "auto")


class InstallStrategy(Model, kw_only=True):
    """What a failed install leads to."""

    cel_rules = (
        Rule(
            "!has(self.retryInterval) || self.name != 'RemediateOnFailure'",
            ".retryInterval cannot be set when .name is 'RemediateOnFailure'",
        ),
    )

    name: Annotated[str, Schema(enum=_STRATEGIES)]
    """Remediate as the remediation says, or keep the failed release and try again."""
    retry_interval: Interval = ""
    """With RetryOnFailure: how long to wait before the next try; absent means five minutes."""


class InstallRemediation(Model, kw_only=True):
    """What is done after a failed install: the release is uninstalled."""

    retries: int = 0
    """How often to try again; negative means without end."""
    ignore_test_failures: bool | None = None
    """Do not count failed tests; absent means what `test.ignoreFailures` says."""
    remediate_last_failure: bool | None = None
    """Uninstall also after the last try; absent means no."""


class Install(Model, kw_only=True):
    """How a release is installed."""

    timeout: Interval = ""
    """Time limit of each Kubernetes operation; absent means the release's timeout."""
    strategy: InstallStrategy | None = None
    """What a failure leads to; absent means RemediateOnFailure."""
    remediation: InstallRemediation | None = None
    """What is done after a failure."""
    disable_take_ownership: bool = False
    """Refuse objects that exist and belong to no release, or to another one."""
    disable_wait: bool = False
    """Do not wait for the objects to become ready."""
    disable_wait_for_jobs: bool = False
    """Do not wait for jobs to complete."""
    disable_hooks: bool = False
    """Do not run hooks."""
    disable_openapi_validation: bool = False
    """Do not validate the objects against the cluster's OpenAPI schema."""
    disable_schema_validation: bool = False
    """Do not validate the values against the chart's JSON schema."""
    replace: bool = False
    """Use the name again of a release that failed or was uninstalled."""
    skip_crds: bool = False
    """Deprecated and without effect; see crds."""
    crds: Annotated[str, Schema(enum=_CRDS)] = ""
    """What is done with the CRDs of the chart: nothing (Skip), create those that are missing
    (Create, also when absent), or also replace those that exist (CreateReplace)."""
    create_namespace: bool = False
    """Create the target namespace when it is missing."""
    server_side_apply: bool | None = None
    """Apply on the server's side; absent means yes."""


class UpgradeStrategy(Model, kw_only=True):
    """What a failed upgrade leads to."""

    cel_rules = (
        Rule(
            "!has(self.retryInterval) || self.name == 'RetryOnFailure'",
            ".retryInterval can only be set when .name is 'RetryOnFailure'",
        ),
    )

    name: Annotated[str, Schema(enum=_STRATEGIES)]
    """Remediate as the remediation says, or keep the failed release and try again."""
    retry_interval: Interval = ""
    """With RetryOnFailure: how long to wait before the next try; absent means five minutes."""


class UpgradeRemediation(Model, kw_only=True):
    """What is done after a failed upgrade."""

    retries: int = 0
    """How often to try again; negative means without end."""
    ignore_test_failures: bool | None = None
    """Do not count failed tests; absent means what `test.ignoreFailures` says."""
    remediate_last_failure: bool | None = None
    """Remediate also after the last try; absent means yes when there are retries."""
    strategy: Annotated[str, Schema(enum=("rollback", "uninstall"))] = ""
    """How to remediate; absent means rollback."""


class Upgrade(Model, kw_only=True):
    """How a release is upgraded."""

    timeout: Interval = ""
    """Time limit of each Kubernetes operation; absent means the release's timeout."""
    strategy: UpgradeStrategy | None = None
    """What a failure leads to; absent means RemediateOnFailure."""
    remediation: UpgradeRemediation | None = None
    """What is done after a failure."""
    disable_take_ownership: bool = False
    """Refuse objects that exist and belong to no release, or to another one."""
    disable_wait: bool = False
    """Do not wait for the objects to become ready."""
    disable_wait_for_jobs: bool = False
    """Do not wait for jobs to complete."""
    disable_hooks: bool = False
    """Do not run hooks."""
    disable_openapi_validation: bool = False
    """Do not validate the objects against the cluster's OpenAPI schema."""
    disable_schema_validation: bool = False
    """Do not validate the values against the chart's JSON schema."""
    force: bool = False
    """Replace objects instead of patching them; only without server-side apply."""
    preserve_values: bool = False
    """Start from the values of the last release instead of the chart's."""
    cleanup_on_fail: bool = False
    """Delete the objects that a failed upgrade has created."""
    crds: Annotated[str, Schema(enum=_CRDS)] = ""
    """What is done with the CRDs of the chart: nothing (Skip), create those that are missing
    (Create, also when absent), or also replace those that exist (CreateReplace)."""
    chart_name_change_strategy: Annotated[str, Schema(enum=("InPlaceUpdate", "Reinstall"))] = ""
    """What a chart of another name leads to; absent means Reinstall: uninstall and install."""
    server_side_apply: Annotated[str, Schema(enum=_APPLY)] = ""
    """Apply on the server's side; absent means auto: as the release before did."""


class Filter(Model, kw_only=True):
    """A choice of tests."""

    name: Annotated[str, Schema(min_length=1, max_length=253)]
    """Name of the test."""
    exclude: bool = False
    """Leave this test out instead of running only it."""


class ReleaseTest(Model, kw_only=True):
    """How the tests of a release are run."""

    enable: bool = False
    """Run the tests after each install and upgrade."""
    timeout: Interval = ""
    """Time limit of each Kubernetes operation; absent means the release's timeout."""
    ignore_failures: bool = False
    """Go on when a test fails."""
    filters: list[Filter] | None = None
    """Which tests to run; absent means all."""


class Rollback(Model, kw_only=True):
    """How a release is rolled back."""

    timeout: Interval = ""
    """Time limit of each Kubernetes operation; absent means the release's timeout."""
    disable_wait: bool = False
    """Do not wait for the objects to become ready."""
    disable_wait_for_jobs: bool = False
    """Do not wait for jobs to complete."""
    disable_hooks: bool = False
    """Do not run hooks."""
    recreate: bool = False
    """Deprecated and without effect."""
    force: bool = False
    """Replace objects instead of patching them; only without server-side apply."""
    cleanup_on_fail: bool = False
    """Delete the objects that a failed rollback has created."""
    server_side_apply: Annotated[str, Schema(enum=_APPLY)] = ""
    """Apply on the server's side; absent means auto: as the release before did."""


class Uninstall(Model, kw_only=True):
    """How a release is uninstalled."""

    timeout: Interval = ""
    """Time limit of each Kubernetes operation; absent means the release's timeout."""
    disable_hooks: bool = False
    """Do not run hooks."""
    keep_history: bool = False
    """Keep the records of the release and mark it as uninstalled."""
    disable_wait: bool = False
    """Do not wait until the objects are gone."""
    deletion_propagation: Annotated[str, Schema(enum=("background", "foreground", "orphan"))] = (
        defaulted("background")
    )
    """What happens to dependents of the deleted objects."""
