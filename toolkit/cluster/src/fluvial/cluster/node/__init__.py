"""The node: runs allow-listed images as local processes and simulates every other one.

`kubelet.Kubelet` follows the pods that are bound to the node. Each pod has a `runner.PodRunner`,
each container of it a `container.Container`, and each of those a process, real or simulated.

- A real container listens on its pod's own address in 127.0.0.0/8, so ports stay true.
- Its environment is what the pod spec says, and nothing of the control plane's own but `PATH`.
- `FLUVIAL_ROOT` names a private directory in which its volumes are found under their mount paths.
- Its processes die with the control plane, also when that is killed (`launcher`, `reaper`).
- Probes by HTTP and TCP are real. Commands of `exec` probes and hooks are not run: an image on the
  allow-list is the only thing that this node ever starts.

This package is imported by the sample image at its start: it must stay free of imports.
"""
