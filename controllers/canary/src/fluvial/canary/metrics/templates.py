"""Queries that users write: Go templates over the facts of a Canary."""

from typing import Final

from fluvial.canary.metrics.model import QueryError, QueryModel
from fluvial.render.gotemplate import TemplateError, Templates

__all__ = ["rendered_query"]

_NAME: Final = "tmpl"
"""What upstream calls every template in its messages."""


def rendered_query(text: str, model: QueryModel) -> str:
    """Fill a query in; raises QueryError with the template's own message and position.

    Besides Go's built-in functions there is one for each field of the model, e.g.
    `{{ namespace }}` and `{{ variables.direction }}`; a variable that is missing is an error.
    """
    templates = Templates(
        {
            "name": lambda: model.name,
            "namespace": lambda: model.namespace,
            "target": lambda: model.target,
            "service": lambda: model.service,
            "ingress": lambda: model.ingress,
            "route": lambda: model.route,
            "interval": lambda: model.interval,
            "variables": lambda: dict(model.variables),
        },
        missing="error",
    )
    try:
        templates.add(_NAME, text)
        return templates.execute(_NAME, None)
    except TemplateError as error:
        raise QueryError(str(error)) from error
