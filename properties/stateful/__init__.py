"""Stateful testing: each machine of the model alone, against an oracle, and the whole system, far beyond small scopes.

The machines are Hypothesis' rule-based state machines and are meant to be subclassed: add rules, oracles or invariants
of your own, and hand the class to `machine.drive`, or take its `TestCase`. `profiles.MACHINES` lists them by name.

`oracle` is the naive vote registry, `controller_oracle` the naive controller, `lockstep` runs the registries in full
fidelity beside the guarded commands, `models` are the systems to run, `search` finds known defects from scratch,
`evidence` writes what is left of a run that failed.
"""
