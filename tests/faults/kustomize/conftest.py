from delivery import pipeline, team

__all__ = ["pipeline", "team"]
