"""Provenance: where each line of an output comes from, and which values were read for it.

A set of templates that traces is compiled to closures of its own, so one that does not pays
nothing. Values are known by identity: `Trace.know` is told which containers stand where, and a
field taken from one of them is a read, and so is what `index`, `get` and `dig` find in one. What
`include` and `tpl` return is found again, line by line, in what the action around them prints,
however it was indented.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final, NamedTuple, Self

from fluvial.render.gotemplate import _nodes as nodes
from fluvial.render.gotemplate._compile import BodyFn, Compiler
from fluvial.render.gotemplate._function import Function
from fluvial.render.gotemplate._lex import line_at
from fluvial.render.gotemplate._operands import Slots, ValueFn
from fluvial.render.gotemplate._run import MISSING, ArgFn, Run
from fluvial.render.gotemplate._values import PLAIN, Boxed, byte_len, truth

__all__ = ["TRACING_COMPILER", "LineOrigin", "Path", "Place", "Trace"]

Path = tuple[str, ...]
Reads = tuple[Path, ...]

_LINES: Final = re.compile(r"[^\n]*\n|[^\n]+")
_LOOKUPS: Final[dict[str, Callable[[Sequence[Any]], tuple[Any, Sequence[Any]]]]] = {
    "index": lambda values: (values[0], values[1:]),
    "get": lambda values: (values[0], values[1:]),
    "dig": lambda values: (values[-1], values[:-2]),
}
"""Functions that go into a container: which of their arguments it is, and which are the keys."""


class Place(NamedTuple):
    """A place in a template; line and column count from one."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        """Print as compilers do."""
        return f"{self.file}:{self.line}:{self.column}"


class LineOrigin(NamedTuple):
    """Where one line of output comes from.

    `place` is the action that wrote the line last, or the text. `reads` are the paths of values
    that the actions of the line read, `through` the places in included templates that took part,
    `under` the paths of values on which it depends that the line is there at all: those that `if`,
    `with` and `range` around it read.
    """

    place: Place
    reads: Reads = ()
    through: tuple[Place, ...] = ()
    under: Reads = ()


class Trace:
    """What executions leave behind; one for one set of templates.

    `lines` are those of the execution that ended last.
    """

    def __init__(self) -> None:
        self.places: dict[int, Path] = {}
        self.lines: list[LineOrigin] = []
        self.ended: list[tuple[str, list[LineOrigin]]] = []
        self._kept: list[Any] = []

    def know(self, value: Any, path: Path = ()) -> None:
        """Tell where a map and all that it holds stands. It must not change its identity."""
        pending = [(value, path)]
        while pending:
            item, at = pending.pop()
            if isinstance(item, (dict, list)) and id(item) not in self.places:
                self.places[id(item)] = at
                self._kept.append(item)
                inner: Iterable[tuple[Any, Any]] = (
                    item.items() if isinstance(item, dict) else enumerate(item)
                )
                pending.extend((below, (*at, str(key))) for key, below in inner)

    def run(self, *state: Any) -> "TracingRun":
        """Make the state of an execution."""
        made = TracingRun(*state)
        made.attach(self, _Output())
        return made

    def executed(self, run: Run, text: str) -> None:
        """Take note of an execution that ended."""
        assert isinstance(run, TracingRun)
        self.lines = run.output.lines
        self.ended.append((text, self.lines))


class _Output:
    """The lines written so far."""

    def __init__(self) -> None:
        self.lines: list[LineOrigin] = []
        self.fresh = True
        self._only_text = False

    def add(self, origin: LineOrigin, *, text: bool, printed: bool, ends: bool) -> None:
        """Add a part of a line, a `text` or not; `printed` by an action, and `ends` it."""
        if self.fresh:
            self.lines.append(origin)
            self._only_text = text
        elif printed:
            last = self.lines[-1]
            # Where the text stands is of no interest once an action has written, too.
            before = () if self._only_text else last.through
            self._only_text = self._only_text and text
            self.lines[-1] = LineOrigin(
                origin.place,
                merged(last.reads, origin.reads),
                (*before, *origin.through),
                merged(last.under, origin.under),
            )
        self.fresh = ends


def merged(*several: Reads) -> Reads:
    """Join reads, each once, in their order."""
    return tuple(dict.fromkeys(path for reads in several for path in reads))


class TracingRun(Run):
    """An execution that notes what it reads and writes."""

    __slots__ = (
        "at", "caller", "dot_reads", "loops", "mark", "output", "reads", "sources", "trace",
        "under",
    )  # fmt: skip

    def attach(self, trace: Trace, output: _Output) -> None:
        """Set what every execution of the trace has; nested ones write to the same output."""
        self.trace, self.output = trace, output
        self.at = 0
        self.mark = 0
        self.caller: Place | None = None  # the outermost `template` action that this is within
        self.reads: list[Path] = []
        self.dot_reads: Reads = ()
        self.under: Reads = ()
        self.loops: list[Reads] = []
        self.sources: list[Reads] = [()] * len(self.vars)

    def nested(self, template: Any, data: Any) -> Self:
        """Make the state for a `template` action."""
        made = super().nested(template, data)
        made.attach(self.trace, self.output)
        made.dot_reads = tuple(self.reads)
        made.under = self.under
        made.caller = self.caller or self.place(self.base + self.at)
        return made

    def note(
        self, place: Place, reads: Reads = (), through: tuple[Place, ...] = (), under: Reads = ()
    ) -> LineOrigin:
        """Make the origin of what is written at a place."""
        if self.caller is not None:
            place, through = self.caller, (place, *through)
        return LineOrigin(place, reads, through, merged(self.under, under))

    def call(  # noqa: PLR0917  (as what it overrides)
        self,
        node: nodes.Node,
        name: str,
        function: Function,
        dot: Any,
        args: Sequence[ArgFn],
        final: Any = MISSING,
    ) -> Any:
        """Call a function; one that goes into a known container reads what it finds there."""
        keys_of = _LOOKUPS.get(name)
        if keys_of is None:
            return super().call(node, name, function, dot, args, final)

        def noted(*values: Any) -> Any:
            result = function.call(*values)
            container, keys = keys_of(values)
            at = self.trace.places.get(id(container))
            if at is not None:
                if at in self.reads:
                    self.reads.remove(at)  # the container was read only to go into it
                self.reads.append((*at, *(f"{key}" for key in keys)))
            return result

        return super().call(node, name, function._replace(call=noted), dot, args, final)

    def place(self, pos: int) -> Place:
        """Return a place in the template that is executed."""
        text = self.template.text
        start = text.rfind("\n", 0, pos) + 1
        return Place(self.template.file, line_at(text, pos), byte_len(text[start:pos]) + 1)

    def write_text(self, text: str) -> None:
        """Write a text of the template."""
        super().write(text)
        place = self.place(self.base)
        for number, line in enumerate(_LINES.findall(text)):
            column = place.column if not number else 1
            origin = self.note(Place(place.file, place.line + number, column))
            printed = self.caller is not None and not line.isspace()
            self.output.add(origin, text=True, printed=printed, ends=line.endswith("\n"))

    def write(self, text: str) -> None:
        """Write what an action prints."""
        super().write(text)
        place = self.place(self.base + self.at)
        reads = tuple(dict.fromkeys(self.reads))
        lines = _LINES.findall(text)
        inner = _found([line.strip() for line in lines], self.trace.ended[self.mark :])
        for number, line in enumerate(lines):
            below = inner.get(number)
            if below is None:
                origin = self.note(place, reads)
            else:
                through = (below.place, *below.through)
                origin = self.note(place, merged(reads, below.reads), through, below.under)
            self.output.add(origin, text=False, printed=True, ends=line.endswith("\n"))


def _found(lines: list[str], ended: list[tuple[str, list[LineOrigin]]]) -> dict[int, LineOrigin]:
    """Find the lines of included outputs among those of an action, by their text."""
    found: dict[int, LineOrigin] = {}
    for text, origins in reversed(ended):
        wanted = [
            (line.strip(), origin)
            for line, origin in zip(_LINES.findall(text), origins, strict=True)
            if line.strip()
        ]
        number = 0
        for line, origin in wanted:
            at = next((place for place in range(number, len(lines)) if line in lines[place]), None)
            if at is not None:
                found.setdefault(at, origin)
                number = at + (lines[at] == line)
    return found


class _TracingCompiler(Compiler):
    """Makes closures that keep the reads of a TracingRun."""

    number = 1

    def text(self, node: nodes.Text) -> BodyFn:
        """Make the closure of a text."""
        text = node.text

        def write(run: Run, _dot: Any) -> int:
            assert isinstance(run, TracingRun)
            run.write_text(text)
            return 0

        return write

    def action(self, node: nodes.Step) -> BodyFn:
        """Make the closure of an action: its reads begin with it."""
        return self._beginning(super().action(node), node.form.start)

    def template_call(self, node: nodes.Step) -> BodyFn:
        """Make the closure of a `template` action: so do its reads."""
        return self._beginning(super().template_call(node), node.form.start)

    def _beginning(self, plain: BodyFn, start: int) -> BodyFn:
        def traced(run: Run, dot: Any) -> int:
            assert isinstance(run, TracingRun)
            run.reads = []
            run.at = start
            run.mark = len(run.trace.ended)
            return plain(run, dot)

        return traced

    def pipe(self, node: nodes.Pipe, slots: Slots) -> ValueFn:
        """Make the closure of a pipeline: what it reads is the source of what it declares."""
        plain = super().pipe(node, slots)
        targets = [slots[variable.slot] for variable in node.declared]
        if not targets:
            return plain

        def traced(run: Run, dot: Any) -> Any:
            assert isinstance(run, TracingRun)
            outer, run.reads = run.reads, []
            value = plain(run, dot)
            for slot in targets:
                run.sources[slot] = tuple(run.reads)
            run.reads = outer + run.reads
            return value

        return traced

    def variable(self, slot: int) -> ValueFn:
        """Make the closure of a variable: using it is reading its sources."""

        def traced(run: Run, _dot: Any) -> Any:
            assert isinstance(run, TracingRun)
            run.reads.extend(run.sources[slot])
            return run.vars[slot]

        return traced

    def dot(self) -> ValueFn:
        """Make the closure of dot: using it is reading what it was set from."""

        def traced(run: Run, dot: Any) -> Any:
            assert isinstance(run, TracingRun)
            run.reads.extend(run.dot_reads)
            return dot

        return traced

    def fields(
        self, node: nodes.Node, base: ValueFn, names: list[str], *, held: bool = False
    ) -> ValueFn:
        """Make the closure of fields: the deepest one of a known container is read."""

        def traced(run: Run, dot: Any) -> Any:
            assert isinstance(run, TracingRun)
            run.node = node
            before = len(run.reads)
            start = base(run, dot)
            value = start.value if type(start) is Boxed else start
            read: Path | None = None
            for name in names:
                if type(value) not in PLAIN:
                    break
                at = run.trace.places.get(id(value))
                if at is not None:
                    read = (*at, name)
                value = value.get(name)
            if read is not None:
                run.reads[before:] = [read]
            return run.fields(node, start, names, dot, held=held)

        return traced

    def branch(self, node: nodes.Control) -> BodyFn:
        """Make the closure of `if` and `with`."""
        condition = self.condition(node)
        body, otherwise = self.body(node.body), self.body(node.otherwise)
        rebinds = node.keyword == "with"

        def branch(run: Run, dot: Any) -> int:
            assert isinstance(run, TracingRun)
            run.budget.step()
            run.reads = []
            value = condition(run, dot)
            outer, above = run.dot_reads, run.under
            run.under = merged(above, tuple(run.reads))
            try:
                if not truth(value):
                    return otherwise(run, dot)
                if not rebinds:
                    return body(run, dot)
                run.dot_reads = tuple(run.reads)
                return body(run, value)
            finally:
                run.dot_reads, run.under = outer, above

        return branch

    def loop(self, node: nodes.Control) -> BodyFn:
        """Make the closure of `range`: an item of a known list or map has a path of its own."""
        pipe = self.condition(node)
        declared = node.form.pipe.declared if node.form.pipe else []
        slots = [node.slots[variable.slot] for variable in declared]

        def noted(run: Run, dot: Any) -> Any:
            assert isinstance(run, TracingRun)
            run.reads = []
            value = pipe(run, dot)
            run.loops.append(tuple(run.reads))
            run.under = merged(run.under, tuple(run.reads))
            return value

        def visit(run: Run, value: Any, key: Any) -> None:
            assert isinstance(run, TracingRun)
            at = run.trace.places.get(id(value))
            run.dot_reads = run.loops[-1] if at is None else ((*at, str(key)),)
            for slot in slots:
                run.sources[slot] = run.dot_reads

        plain = self.looping(noted, self.body(node.body), self.body(node.otherwise), slots, visit)

        def loop(run: Run, dot: Any) -> int:
            assert isinstance(run, TracingRun)
            outer, above, depth = run.dot_reads, run.under, len(run.loops)
            try:
                return plain(run, dot)
            finally:
                run.dot_reads, run.under = outer, above
                del run.loops[depth:]

        return loop


TRACING_COMPILER: Final = _TracingCompiler()
