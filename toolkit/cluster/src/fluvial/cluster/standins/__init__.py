"""Small stand-ins for a cluster's own controllers, and the node that runs its pods.

`manager.run(api, options)` starts all of them. Each controller is one module that reads from a
shared `view.View` and writes through it; what it decides is a pure function wherever that matters.

Behaviour can be scripted for one workload, by annotations on its pod template:

| annotation | value | effect |
|---|---|---|
| `fluvial.dev/rollout-delay` | duration, `2s` | not ready before it has run that long |
| `fluvial.dev/never-ready` | `"true"` | containers run and never become ready |
| `fluvial.dev/crash-loop` | `"true"` | containers exit with code 1 at once, again and again |
| `fluvial.dev/image-pull-failure` | `"true"` | ErrImagePull, then ImagePullBackOff, for ever |
| `fluvial.dev/unschedulable` | `"true"` | the pod stays Pending, as on a full cluster |
| `fluvial.dev/run-for` | duration | how long a simulated container of a Job runs (default `0s`) |
| `fluvial.dev/exit-code` | number | with which code it then exits (default 0) |
"""
