"""A new distribution with a controller, from the templates beside this module."""

import importlib.metadata
import importlib.resources
import keyword
import re
import string
from collections.abc import Iterator
from importlib.resources.abc import Traversable
from pathlib import Path

from fluvial.apis.crds import file_name, text
from fluvial.apis.definition import define
from fluvial.apis.schema import Model

__all__ = ["NewController", "NotPossible"]

_NAME = re.compile(r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?")
_GROUP = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)+")
_KIND = re.compile(r"[A-Z][A-Za-z0-9]{0,62}")
_PLURAL = re.compile(r"[a-z][a-z0-9]{0,62}")
_SUFFIX = ".tmpl"


class NotPossible(Exception):  # noqa: N818 - the name says what happened
    """Why there is no new distribution; names the argument and the way out."""


class _Spec(Model, kw_only=True):
    """What users write."""

    text: str
    """The text to keep."""


class NewController:
    """What is to be created; raises NotPossible for a name that Kubernetes or Python refuses."""

    def __init__(self, name: str, group: str, kind: str = "", plural: str = "") -> None:
        self.name = name
        self.group = group
        stem = name.removesuffix("-controller")
        self.kind = kind or "".join(word.capitalize() for word in stem.split("-"))
        self.plural = plural or f"{self.kind.lower()}s"
        self.package = name.replace("-", "_")
        for value, pattern, argument, form in (
            (self.name, _NAME, "NAME", "lower case letters, digits and dashes"),
            (self.group, _GROUP, "--group", "a domain name, e.g. example.com"),
            (self.kind, _KIND, "--kind", "letters and digits, the first one upper case"),
            (self.plural, _PLURAL, "--plural", "lower case letters and digits"),
        ):
            if not pattern.fullmatch(value):
                raise NotPossible(f"{argument}: {value!r} does not do; write {form}")
        if keyword.iskeyword(self.package):
            raise NotPossible(f"NAME: {name!r} is a word of Python's; take another")

    def write(self, directory: Path) -> Path:
        """Create the folder NAME in a directory and return it; an existing one is left alone."""
        target = directory / self.name
        if target.exists():
            raise NotPossible(f"{target} is there already; take another NAME or --directory")
        for path, content in self._files():
            file = target / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(content, encoding="utf-8")
        return target

    def _files(self) -> Iterator[tuple[str, str]]:
        values = {
            "name": self.name,
            "group": self.group,
            "kind": self.kind,
            "plural": self.plural,
            "package": self.package,
            "fluvial": importlib.metadata.version("fluvial-toolkit"),
        }
        root = importlib.resources.files("fluvial.cli.new") / "template"
        for path, template in _templates(root, ""):
            place = path.removesuffix(_SUFFIX).replace("src/package", f"src/{self.package}")
            yield place, string.Template(template.read_text("utf-8")).substitute(values)
        kind = define(f"{self.group}/v1alpha1", self.kind, _Spec, plural=self.plural)
        yield f"deploy/{file_name(kind)}", text(kind)


def _templates(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for entry in sorted(folder.iterdir(), key=lambda one: one.name):
        if entry.is_dir():
            yield from _templates(entry, f"{path}{entry.name}/")
        elif entry.name.endswith(_SUFFIX):
            yield f"{path}{entry.name}", entry
