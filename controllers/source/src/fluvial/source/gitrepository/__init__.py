"""GitRepository: observe what the remote and the storage have, decide, act.

`observe` asks, `decide` is a pure function of what was found, and each action has a module of its
own: `keep` what is stored, or `build` an artifact.
"""
