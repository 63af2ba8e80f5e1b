from delivery import pipeline, team
from passes import passes

__all__ = ["passes", "pipeline", "team"]
