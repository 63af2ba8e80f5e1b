"""From a field of a released document to what wrote it: a template, a post-renderer, a label.

    trace = ReleaseTrace(obj, place)
    done = render(chart, values, release_of(obj), provenance=True, …)
    final = post_render(done, trace.renderer(), strategy=obj.spec.post_render_strategy, …)
    origins = trace.explain(done, layers.origins)
    print(origins.of(final.manifests[0])["/spec/replicas"])

Every step of `spec.postRenderers` is a kustomization, which knows the place of each field in the
stream that it was given. So a field is followed from step to step, until a patch or an image is
found that has set it, or the document that a template has printed.
"""

from collections.abc import Iterator
from typing import Final, NamedTuple, TypeAlias

from fluvial.apis.helm import HelmRelease
from fluvial.apis.ids import Unstructured
from fluvial.render.helm._layers import ValueOrigins, keys_of
from fluvial.render.helm._marking import template_of, unmarked
from fluvial.render.helm._model import Hook, Manifest, RenderedChart
from fluvial.render.helm._postrender import STREAM, BuiltSteps, PostRenderer
from fluvial.render.helm._provenance import FieldOrigin, explain
from fluvial.render.helm.flux._place import ReleasePlace
from fluvial.render.helm.flux._postrender import labels_of, post_renderer, steps_of
from fluvial.render.objects import Origin
from fluvial.render.pointers import leaves
from fluvial.render.yaml import load, load_all, load_documents

__all__ = ["ReleaseOrigins", "ReleaseTrace"]

_OWNER: Final = "label of the owner"

_Places: TypeAlias = dict[tuple[int, int], list[tuple[int, str]]]
"""By line and column what starts there: the number of a document, and a pointer."""


class _Printed(NamedTuple):
    """A field of a document as a template has printed it; None when nobody knows which."""

    document: Manifest | Hook | None
    pointer: str


class _Step(NamedTuple):
    """One of `spec.postRenderers`, by its number, and what it has built."""

    number: int
    result: BuiltSteps


class _Run(NamedTuple):
    """What became of one stream: its steps, and the documents after the last of them."""

    steps: list[_Step]
    documents: list[Unstructured]


class ReleaseTrace:
    """Remembers what the post-renderers of a release do.

    `place` says where its HelmRelease is written.
    """

    def __init__(self, obj: HelmRelease, place: ReleasePlace | None = None) -> None:
        self.obj = obj
        self.place = place
        self.runs: list[_Run] = []

    def renderer(self) -> PostRenderer:
        """Return the post-renderer of the release, which tells this trace what it does."""
        steps: list[_Step] = []

        def tell(number: int, result: BuiltSteps) -> None:
            steps.append(_Step(number, result))

        run = post_renderer(labels_of(self.obj), steps_of(self.obj), tell)

        def traced(text: str) -> str:
            steps.clear()
            result = run(text)
            documents = [one for one in load_all(result) if isinstance(one, dict)]
            self.runs.append(_Run(list(steps), documents))
            return result

        return traced

    def explain(self, done: RenderedChart, values: ValueOrigins) -> "ReleaseOrigins":
        """Return the origins of what came of `done`, which was rendered with provenance."""
        return ReleaseOrigins(self, done, values)


class ReleaseOrigins:
    """The origins of a release's fields; see `ReleaseTrace.explain`."""

    def __init__(self, trace: ReleaseTrace, done: RenderedChart, values: ValueOrigins) -> None:
        self._trace = trace
        self._labels = labels_of(trace.obj)
        self._done = done
        self._values = values
        printed: list[Manifest | Hook] = [*done.manifests, *done.hooks]
        self._printed = [(one, load(one.text, file=one.path)) for one in printed]
        # Worked out once: a stream is parsed and a document explained for all of its fields.
        self._explained: dict[int, dict[str, FieldOrigin]] = {}
        self._streams: dict[str, list[Manifest | Hook | None]] = {}
        self._starts: dict[str, _Places] = {}
        self._fields: dict[tuple[str, ...], Origin] = {}

    def of(self, document: Manifest | Hook) -> dict[str, FieldOrigin | Origin]:
        """Return the origin of each field that holds no others, by RFC 6901 pointer.

        A field that no template has written has an Origin, whose `by` says which part of the spec
        did. Raises YamlError for a document that is no YAML.
        """
        final = load(document.text, file=document.path)
        found = self._find(document.path, final)
        # A document that no post-renderer has seen is still as its template has printed it.
        untouched = self._match(document.path, final) if found is None else None
        origins: dict[str, FieldOrigin | Origin] = {}
        for pointer in leaves(final):
            if found is None:
                source: _Printed | Origin = _Printed(untouched, pointer)
            else:
                source = self._label(pointer) or self._follow(*found, pointer)
            origin = self._template(source) if isinstance(source, _Printed) else source
            origins[pointer] = origin or Origin(document.path, 0, 0, "template")
        return origins

    def _find(self, path: str, final: Unstructured) -> tuple[_Run, int] | None:
        """Return in which stream a document has come out, and as which of it."""
        for run in self._trace.runs:
            for index, one in enumerate(run.documents):
                if template_of(one) == path and unmarked(one) == final:
                    return run, index
        return None

    def _label(self, pointer: str) -> Origin | None:
        """Return the origin of what is put on every document at last."""
        parts = keys_of(pointer)
        if len(parts) != 3 or parts[0] != "metadata":
            return None
        _, field, key = parts
        if field == "labels" and key in self._labels.origin:
            metadata = self._trace.obj.metadata
            return Origin(f"HelmRelease {metadata.namespace}/{metadata.name}", 0, 0, _OWNER)
        common = {"labels": self._labels.common, "annotations": self._labels.annotations}
        if key in common.get(field, {}):
            return self._written(("commonMetadata", field, key), "spec.commonMetadata")
        return None

    def _follow(self, run: _Run, index: int, pointer: str) -> _Printed | Origin:
        """Follow a field through the steps, from the last to the first."""
        for step in reversed(run.steps):
            built = step.result.built
            if index >= len(built):  # what has no name passes by all steps
                (printed,) = self._documents(step.result.passing[index - len(built)])
                return _Printed(printed, pointer)
            origins = built[index].provenance or {}
            known = next((up for up in _upwards(pointer) if up in origins), None)
            if known is None:
                return _Printed(None, pointer)
            origin = origins[known]
            if origin.file != STREAM:
                return self._set_by(step, origin)
            at = self._places(step.result.stream).get((origin.line, origin.column), [])
            if not at:
                return _Printed(None, pointer)
            # The first entry of a list's item starts where the item does: the name tells.
            named = [one for one in at if keys_of(one[1])[-1:] == keys_of(known)[-1:]]
            index, above = (named or at)[0]
            pointer = above + pointer[len(known) :]
        return _Printed(self._documents(run.steps[0].result.stream)[index], pointer)

    def _set_by(self, step: _Step, origin: Origin) -> Origin:
        """Return where the patch or image is written that has set a field."""
        at = self._places(step.result.kustomization).get((origin.line, origin.column), [])
        entry = keys_of(at[0][1])[:2] if at else ()
        field = ("postRenderers", str(step.number), "kustomize", *entry)
        return self._written(field, f"{origin.by} of spec.postRenderers")

    def _written(self, field: tuple[str, ...], by: str) -> Origin:
        if field not in self._fields:
            place = self._trace.place
            self._fields[field] = (
                place.origin(("spec", *field), by)
                if place is not None
                else Origin(f"spec.{'.'.join(field)}", 0, 0, by)
            )
        return self._fields[field]

    def _template(self, source: _Printed) -> FieldOrigin | None:
        """Return the origin of a field in its template, or of the nearest that holds it."""
        document = source.document
        if document is None:
            return None
        if id(document) not in self._explained:
            self._explained[id(document)] = explain(self._done, document, self._values)
        found = self._explained[id(document)]
        return next((found[up] for up in _upwards(source.pointer) if up in found), None)

    def _documents(self, stream: str) -> list[Manifest | Hook | None]:
        """Return what the documents of a stream were when templates had printed them."""
        if stream not in self._streams:
            self._streams[stream] = [
                self._match(template_of(one), unmarked(one)) for one in load_all(stream)
            ]
        return self._streams[stream]

    def _match(self, path: str, value: Unstructured) -> Manifest | Hook | None:
        printed = (one for one, found in self._printed if one.path == path and found == value)
        return next(printed, None)

    def _places(self, stream: str) -> _Places:
        """Return what starts where in a stream."""
        if stream not in self._starts:
            found: _Places = {}
            for number, document in enumerate(load_documents(stream, positions=True)):
                for pointer, place in (document.positions or {}).items():
                    found.setdefault((place.line, place.column), []).append((number, pointer))
            self._starts[stream] = found
        return self._starts[stream]


def _upwards(pointer: str) -> Iterator[str]:
    """Yield a pointer, and those of what holds its value, the nearest first."""
    while pointer:
        yield pointer
        pointer = pointer.rpartition("/")[0]
    yield ""
