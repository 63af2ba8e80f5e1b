"""kustomize-controller: builds what an artifact holds and keeps it applied.

A reconcile reads what it depends on (`observe`), decides whether it may go on (`decide`, a pure
function), and then deploys: fetch, build in a worker, apply, prune, check health, one module each.
"""
