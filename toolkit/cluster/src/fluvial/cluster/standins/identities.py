"""Who the stand-ins are to admission: the users of a real cluster's components."""

from __future__ import annotations

from fluvial.cluster.endpoints.target import User
from fluvial.cluster.standins.view import View

__all__ = ["controller", "node", "scheduler"]

_AUTHENTICATED = "system:authenticated"


def controller(view: View, name: str) -> View:
    """Return the view of one controller of kube-controller-manager, which has its own account."""
    groups = ("system:serviceaccounts", "system:serviceaccounts:kube-system", _AUTHENTICATED)
    user = User(f"system:serviceaccount:kube-system:{name}", groups)
    return view.acting(user, "kube-controller-manager")


def scheduler(view: View) -> View:
    """Return the view of the scheduler."""
    return view.acting(User("system:kube-scheduler", (_AUTHENTICATED,)), "kube-scheduler")


def node(view: View, name: str) -> View:
    """Return the view of a node's kubelet."""
    return view.acting(User(f"system:node:{name}", ("system:nodes", _AUTHENTICATED)), "kubelet")
