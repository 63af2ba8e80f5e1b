"""Version ranges: the grammar is shared with charts and templates, in `fluvial.apis.semver`."""

from fluvial.apis.semver import Constraint, ConstraintInvalid, coerce_version, parse_version

__all__ = ["Constraint", "ConstraintInvalid", "coerce_version", "parse_version"]
