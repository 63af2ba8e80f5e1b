"""`fluvial demo`: from a commit to a promoted release, and from a bad one back, on this machine.

It starts an embedded control plane with a real Envoy, a Git host, a metrics server and the four
controllers, each as a process; pushes to a real repository; sends real requests; and ends with
status 0 only when every step happened as told. It knows the controllers only through the Kubernetes
API, Git and the start of their processes.

Errors: `DemoError` ← `StepFailed` (what was expected did not happen; names the step, what was seen
and the process to look at) and `ProcessEnded` (a process is gone that should run).
"""
