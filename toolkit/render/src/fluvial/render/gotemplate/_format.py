"""How Go prints values: `%v` and its relatives, and the formats of printf."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from fluvial.render.gotemplate._errors import FunctionError
from fluvial.render.gotemplate._floats import format_float
from fluvial.render.gotemplate._values import Boxed, type_of
from fluvial.render.gotemplate._verbs import DEEPEST, Directive

__all__ = ["DEEPEST", "format_float", "sprint", "sprintf", "sprintln", "text_of"]

_WIDEST: Final = 1_000_000


def text_of(value: Any, depth: int = 0) -> str:
    """Print a value as `%v` does; nil is `<nil>`.

    Raises FunctionError for a value that is nested too deep, such as one that holds itself.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return "<nil>"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        return format_float(value)
    if depth > DEEPEST:
        raise FunctionError("the value is nested too deep, or holds itself")
    if isinstance(value, dict):
        if "__str__" in type(value).__dict__:
            return str(value)
        pairs = " ".join(f"{key}:{text_of(value[key], depth + 1)}" for key in sorted(value))
        return f"map[{pairs}]"
    if isinstance(value, (list, bytes)):
        return "[" + " ".join([text_of(item, depth + 1) for item in value]) + "]"
    if isinstance(value, complex):
        real, imaginary = format_float(value.real), format_float(value.imag)
        return f"({real}{'' if imaginary[0] in '+-' else '+'}{imaginary}i)"
    if isinstance(value, Boxed):
        return text_of(value.value, depth)
    return str(value)


def sprint(values: Sequence[Any]) -> str:
    """Join as `print`: a blank only between operands of which neither is a string."""
    out: list[str] = []
    for index, value in enumerate(values):
        if index and not isinstance(value, str) and not isinstance(values[index - 1], str):
            out.append(" ")
        out.append(text_of(value))
    return "".join(out)


def sprintln(values: Iterable[Any]) -> str:
    """Join as `println`: blanks between all, a newline at the end."""
    return " ".join(map(text_of, values)) + "\n"


def sprintf(form: str, values: Sequence[Any]) -> str:
    """Format as `printf`. A mismatch prints, as in Go: `%!d(string=x)`.

    Raises FunctionError only for values nested too deep.
    """
    return _Printer(form, values).run()


class _Printer:
    """One call of printf."""

    def __init__(self, form: str, values: Sequence[Any]) -> None:
        self.form, self.values = form, values
        self.at = 0
        self.next = 0
        self.reordered = False
        self.good = True
        self.out: list[str] = []

    def run(self) -> str:
        form = self.form
        while self.at < len(form):
            percent = form.find("%", self.at)
            if percent < 0:
                self.out.append(form[self.at :])
                break
            self.out.append(form[self.at : percent])
            self.at = percent + 1
            self._directive()
        if not self.reordered and self.next < len(self.values):
            extra = ", ".join(
                "<nil>" if value is None else f"{type_of(value)}={text_of(value)}"
                for value in self.values[self.next :]
            )
            self.out.append(f"%!(EXTRA {extra})")
        return "".join(self.out)

    def _directive(self) -> None:
        form = self.form
        verb = form[self.at : self.at + 1]
        if verb in {"s", "d"} and self.next < len(self.values):  # nearly all of them
            value = self.values[self.next]
            if type(value) is (str if verb == "s" else int):
                self.at += 1
                self.next += 1
                self.out.append(str(value))
                return
        flags = set()
        self.good = True
        while self.at < len(form) and form[self.at] in "+-# 0":
            flags.add(form[self.at])
            self.at += 1
        indexed = self._index()
        width, indexed = self._width(flags, indexed)
        precision = None
        if form.startswith(".", self.at):
            self.at += 1
            self.good &= not indexed
            precision, indexed = self._precision()
        if not indexed:
            self._index()
        if self.at >= len(form):
            self.out.append("%!(NOVERB)")
            return
        verb = form[self.at]
        self.at += 1
        if verb == "%":
            self.out.append("%")
        elif not self.good:
            self.out.append(f"%!{verb}(BADINDEX)")
        elif self.next >= len(self.values):
            self.out.append(f"%!{verb}(MISSING)")
        else:
            value = self.values[self.next]
            self.next += 1
            self.out.append(Directive(verb, flags, width, precision).text(value))

    def _width(self, flags: set[str], indexed: bool) -> tuple[int | None, bool]:
        """Read the width; say whether an index stands directly before what follows."""
        if not self.form.startswith("*", self.at):
            width = self._digits()
            if indexed and width is not None:
                self.good = False
            return width, indexed
        width = self._from_operand()
        if width is None:
            self.out.append("%!(BADWIDTH)")
        elif width < 0:
            flags.add("-")
            width = -width
        return width, False

    def _precision(self) -> tuple[int | None, bool]:
        """Read the precision; say whether an index stands directly before what follows."""
        indexed = self._index()
        if not self.form.startswith("*", self.at):
            return self._digits() or 0, indexed
        precision = self._from_operand()
        if precision is None or precision < 0:
            self.out.append("%!(BADPREC)")
            precision = None
        return precision, False

    def _from_operand(self) -> int | None:
        """Take a width or precision from the operands; None for what is none."""
        self.at += 1
        if self.next >= len(self.values):
            return None
        value = self.values[self.next]
        self.next += 1
        if not isinstance(value, int) or isinstance(value, bool) or abs(value) > _WIDEST:
            return None
        return int(value)

    def _digits(self) -> int | None:
        """Read a number; one that is too large ends the format, as in Go."""
        form = self.form
        number = None
        while self.at < len(form) and "0" <= form[self.at] <= "9":
            if number is not None and number > _WIDEST:
                self.at = len(form)
                return None
            number = (number or 0) * 10 + int(form[self.at])
            self.at += 1
        return number

    def _index(self) -> bool:
        """Read `[n]`; say whether there is one that is well formed."""
        form = self.form
        if not form.startswith("[", self.at):
            return False
        self.reordered = True
        close = form.find("]", self.at)
        if close < 0 or len(form) - self.at < 3:
            self.at += 1
            self.good = False
            return False
        digits = form[self.at + 1 : close]
        self.at = close + 1
        formed = digits.isascii() and digits.isdecimal() and len(digits) < 8
        if formed and 1 <= int(digits) <= len(self.values):
            self.next = int(digits) - 1
        else:
            self.good = False
        return formed
