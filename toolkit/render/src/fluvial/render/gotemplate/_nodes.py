"""The tree of a parsed template. `str()` of a node is Go's String(), which error messages quote."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from fluvial.render.gotemplate._quote import quote

if TYPE_CHECKING:
    from fluvial.render.gotemplate._actions import Form

__all__ = [
    "Action",
    "Bool",
    "Break",
    "Called",
    "Chain",
    "Command",
    "Continue",
    "Control",
    "Dot",
    "Field",
    "Identifier",
    "Items",
    "Nil",
    "Node",
    "Number",
    "Pipe",
    "Printed",
    "Step",
    "String",
    "TemplateCall",
    "Text",
    "Variable",
    "argument_text",
]


class Node:
    """A node and the offset in the text at which errors about it point."""

    __slots__ = ("pos",)

    def __init__(self, pos: int) -> None:
        self.pos: Final = pos


class Text(Node):
    """Text between actions."""

    __slots__ = ("text",)

    def __init__(self, pos: int, text: str) -> None:
        super().__init__(pos)
        self.text = text


class Dot(Node):
    """The node of `.`."""

    __slots__ = ()

    def __str__(self) -> str:
        return "."


class Nil(Node):
    """The node of `nil`."""

    __slots__ = ()

    def __str__(self) -> str:
        return "nil"


class Bool(Node):
    """`true` or `false`."""

    __slots__ = ("value",)

    def __init__(self, pos: int, value: bool) -> None:
        super().__init__(pos)
        self.value = value

    def __str__(self) -> str:
        return "true" if self.value else "false"


class Number(Node):
    """A constant without a type: what it is depends on where it goes.

    `integer` and `real` are None when the text has no such form; `ideal` is the value it has where
    anything is accepted.
    """

    __slots__ = ("ideal", "integer", "real", "text")

    def __init__(
        self, pos: int, text: str, integer: int | None, real: float | None, ideal: Any
    ) -> None:
        super().__init__(pos)
        self.text, self.integer, self.real, self.ideal = text, integer, real, ideal

    def __str__(self) -> str:
        return self.text


class String(Node):
    """A string constant and how it was written."""

    __slots__ = ("quoted", "text")

    def __init__(self, pos: int, quoted: str, text: str) -> None:
        super().__init__(pos)
        self.quoted, self.text = quoted, text

    def __str__(self) -> str:
        return self.quoted


class Identifier(Node):
    """The name of a function."""

    __slots__ = ("name",)

    def __init__(self, pos: int, name: str) -> None:
        super().__init__(pos)
        self.name = name

    def __str__(self) -> str:
        return self.name


class Field(Node):
    """`.a.b` on dot."""

    __slots__ = ("names",)

    def __init__(self, pos: int, names: list[str]) -> None:
        super().__init__(pos)
        self.names = names

    def __str__(self) -> str:
        return "".join(f".{name}" for name in self.names)


class Variable(Node):
    """`$x.a.b`; `names` are the fields, `slot` is its number within the action."""

    __slots__ = ("name", "names", "slot")

    def __init__(self, pos: int, name: str, names: list[str], slot: int) -> None:
        super().__init__(pos)
        self.name, self.names, self.slot = name, names, slot

    def __str__(self) -> str:
        return ".".join([self.name, *self.names])


class Chain(Node):
    """`(pipeline).a.b`."""

    __slots__ = ("base", "names")

    def __init__(self, pos: int, base: Node, names: list[str]) -> None:
        super().__init__(pos)
        self.base, self.names = base, names

    def __str__(self) -> str:
        base = f"({self.base})" if isinstance(self.base, Pipe) else str(self.base)
        return base + "".join(f".{name}" for name in self.names)


class Command(Node):
    """One stage of a pipeline: an operand and its arguments."""

    __slots__ = ("args",)

    def __init__(self, pos: int, args: list[Node]) -> None:
        super().__init__(pos)
        self.args = args

    def __str__(self) -> str:
        return " ".join(map(argument_text, self.args))


class Pipe(Node):
    """Declarations and commands."""

    __slots__ = ("assigns", "commands", "declared")

    def __init__(self, pos: int) -> None:
        super().__init__(pos)
        self.declared: list[Variable] = []
        self.assigns = False
        self.commands: list[Command] = []

    def __str__(self) -> str:
        text = " | ".join(map(str, self.commands))
        if self.declared:
            sign = "=" if self.assigns else ":="
            text = f"{', '.join(map(str, self.declared))} {sign} {text}"
        return text


def argument_text(node: Node) -> str:
    """Print an argument: a pipeline has its parentheses."""
    return f"({node})" if isinstance(node, Pipe) else str(node)


class Items(Node):
    """A list of nodes: the body of a template or of a branch.

    `later` makes the nodes when they are wanted first; without it they are appended to `nodes`.
    """

    __slots__ = ("_later", "_nodes")

    def __init__(self, pos: int, later: Callable[[], list[Node]] | None = None) -> None:
        super().__init__(pos)
        self._later = later
        self._nodes: list[Node] = []

    @property
    def nodes(self) -> list[Node]:
        """The nodes in their order."""
        if self._later is not None:
            self._nodes, self._later = self._later(), None
        return self._nodes

    @property
    def empty(self) -> bool:
        """Say whether there is none, without making any."""
        return self._later is None and not self._nodes


class Printed(Node):
    """An action as errors about printing its value show it."""

    __slots__ = ("pipe",)

    def __init__(self, pos: int, pipe: Pipe) -> None:
        super().__init__(pos)
        self.pipe = pipe

    def __str__(self) -> str:
        return f"{{{{{self.pipe}}}}}"


class Step(Node):
    """A node made of one action of the text: `pos` is where the positions of its form count from.

    `slots` are the variables of the form, by their number.
    """

    __slots__ = ("form", "slots")

    def __init__(self, pos: int, form: "Form", slots: tuple[int, ...]) -> None:
        super().__init__(pos)
        self.form, self.slots = form, slots


class Action(Step):
    """A pipeline whose value is printed, unless it declares variables."""

    __slots__ = ()


class Control(Step):
    """`if`, `with` or `range`."""

    __slots__ = ("body", "keyword", "otherwise")

    def __init__(  # noqa: PLR0917  (one place makes it)
        self,
        pos: int,
        keyword: str,
        form: "Form",
        slots: tuple[int, ...],
        body: Items,
        otherwise: Items | None,
    ) -> None:
        super().__init__(pos, form, slots)
        self.keyword, self.body, self.otherwise = keyword, body, otherwise


class Break(Node):
    """The node of `break`."""

    __slots__ = ()


class Continue(Node):
    """The node of `continue`."""

    __slots__ = ()


class TemplateCall(Step):
    """`template "name" pipeline`, or the call that a `block` is."""

    __slots__ = ()


class Called(Node):
    """A call of a template as errors about it show it."""

    __slots__ = ("name", "pipe")

    def __init__(self, pos: int, name: str, pipe: Pipe | None) -> None:
        super().__init__(pos)
        self.name, self.pipe = name, pipe

    def __str__(self) -> str:
        pipe = f" {self.pipe}" if self.pipe else ""
        return f"{{{{template {quote(self.name)}{pipe}}}}}"
