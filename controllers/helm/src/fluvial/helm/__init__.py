"""helm-controller: keeps Helm releases as HelmReleases want them.

A reconcile observes (the chart, the values, the records in the cluster), determines the state of
the release, decides what to do next (`decide`, a pure function), and lets one small action do it:
`actions.install`, `upgrade`, `rollback`, `uninstall`, `unlock`. What actions share is in `engine`
(objects, hooks, definitions), the records in Helm's own format in `storage`.
"""
