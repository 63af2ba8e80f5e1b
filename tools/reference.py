"""The reference of the toolkit: a page per public module, and not one public name without words.

mkdocs runs this as a hook: it adds the pages `reference/<module>.md` and their place in the
navigation. A name that nobody has documented ends the build.

    python tools/reference.py      prints what is not documented
"""

import pathlib
import sys

import griffe
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.files import File, Files

ROOT = pathlib.Path(__file__).resolve().parent.parent
SOURCES = [str(ROOT / "toolkit" / member / "src") for member in ("sdk", "render")]

CHECKED = "fluvial.toolkit"
"""The package of which every public name has words."""

SHOWN = (
    "fluvial.render.objects",
    "fluvial.render.kustomize",
    "fluvial.render.kustomize.flux",
    "fluvial.render.helm",
    "fluvial.render.helm.flux",
    "fluvial.render.helm.repository",
    "fluvial.render.gotemplate",
)
"""Packages that have a page beside the toolkit's modules."""

SELF_DESCRIBING = ("Counter", "Gauge", "Histogram", "flag", "duration")
"""Calls that take the words for what they make: a metric's help, a flag's help."""


def members(of: griffe.Object) -> list[griffe.Object]:
    """List the public names that are defined here, not imported."""
    return [
        member
        for name, member in of.members.items()
        if isinstance(member, griffe.Object) and not name.startswith("_")
    ]


def described(name: griffe.Object) -> bool:
    """Whether it has words: its own, its class's in backticks, or its flag's or metric's help."""
    if name.has_docstring:
        return True
    if isinstance(name, griffe.Function):
        return any("overload" in str(decorator.value) for decorator in name.decorators)
    if not isinstance(name, griffe.Attribute):
        return False
    made_by = str(name.value).partition("(")[0]
    if made_by == "TypeVar" or made_by in SELF_DESCRIBING:
        return True
    home = name.parent
    return (
        home is not None and home.docstring is not None and f"`{name.name}" in home.docstring.value
    )


def undocumented(of: griffe.Object) -> list[str]:
    """List every public name below this one that nobody has described, by its full path."""
    found = []
    for member in members(of):
        if not described(member):
            found.append(member.path)
        if isinstance(member, griffe.Module | griffe.Class):
            found += undocumented(member)
    return found


def modules(of: griffe.Module) -> list[str]:
    """List the public modules, this one first, that define or export a name."""
    own = [of.path] if of.exports or members(of) else []
    below = [member for member in members(of) if isinstance(member, griffe.Module)]
    return own + [path for module in below for path in modules(module)]


def toolkit() -> griffe.Module:
    """Read the toolkit's source, without importing it."""
    package = griffe.GriffeLoader(search_paths=SOURCES).load(CHECKED)
    assert isinstance(package, griffe.Module)
    return package


def pages() -> dict[str, str]:
    """Path of each page of the reference, and the module that it is about."""
    return {f"reference/{path}.md": path for path in [*modules(toolkit()), *SHOWN]}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Put the pages into the navigation; refuse to build while something has no words."""
    if missing := undocumented(toolkit()):
        raise PluginError("no words for " + ", ".join(missing))
    config.nav = [*(config.nav or []), {"Reference": [{m: page} for page, m in pages().items()]}]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages, which stand in no folder."""
    for page, module in pages().items():
        files.append(File.generated(config, page, content=f"# {module}\n\n::: {module}\n"))
    return files


if __name__ == "__main__":
    names = undocumented(toolkit())
    print("\n".join(names) or "every public name has words")
    sys.exit(bool(names))
