"""values.schema.json: each chart's values against its own schema, subcharts included."""

import functools
from typing import TYPE_CHECKING, Any

import msgspec

from fluvial.render.helm._encode import to_json
from fluvial.render.helm._errors import ValuesError
from fluvial.render.helm._model import Chart
from fluvial.render.helm._schema_words import worded

if TYPE_CHECKING:
    import jsonschema_rs

__all__ = ["check_schemas"]

_HEAD = "values don't meet the specifications of the schema(s) in the following chart(s):\n"


def check_schemas(chart: Chart, values: dict[str, Any]) -> None:
    """Raise ValuesError with every violation, chart by chart. References are never fetched."""
    problems = _problems(chart, values)
    if problems:
        raise ValuesError(_HEAD + "".join(problems), file="values.schema.json")


def _problems(chart: Chart, values: dict[str, Any]) -> list[str]:
    found = []
    if chart.schema is not None:
        lines = _violations(chart, chart.schema, values)
        if lines:
            found.append(f"{chart.name}:\n" + "".join(f"- at {line}\n" for line in lines))
    for sub in chart.subcharts:
        inner = values.get(sub.name)
        if isinstance(inner, dict):
            found += _problems(sub, inner)
    return found


def _violations(chart: Chart, schema: bytes, values: dict[str, Any]) -> list[str]:
    try:
        # Decoded again, so that whole floats are the integers that a schema means.
        document = msgspec.json.decode(to_json(values))
        return worded(_validator(schema).iter_errors(document))
    except (msgspec.DecodeError, ValueError) as error:
        # What follows the first line says that values are masked.
        problem = str(error).partition("\n")[0]
        raise ValuesError(
            f"{chart.path}/values.schema.json cannot be used: {problem}",
            file=f"{chart.path}/values.schema.json",
        ) from None


@functools.lru_cache(maxsize=32)
def _validator(schema: bytes) -> "jsonschema_rs.Validator":
    """Compile a schema, once for all renders. Raises DecodeError and ValueError."""
    import jsonschema_rs  # noqa: PLC0415  (few charts have a schema; the import costs 10 MB)

    # Masked, because values may be secret and errors end up in a status.
    return jsonschema_rs.validator_for(
        msgspec.json.decode(schema), retriever=_refuse, mask="the value"
    )


def _refuse(uri: str) -> Any:
    if uri.startswith("urn:"):
        return True
    raise ValueError(
        f"the reference {uri} would have to be fetched: put it into the schema, or skip validation"
    )
