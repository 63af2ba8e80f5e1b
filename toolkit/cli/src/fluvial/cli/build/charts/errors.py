"""What can go wrong on the way to a chart."""

__all__ = ["ChartUnavailable"]


class ChartUnavailable(Exception):  # noqa: N818  (in the words of the command)
    """A chart that cannot be had; the message is helm's where helm has one."""
