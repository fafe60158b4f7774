"""The machines of the vote-registry design, their oracles, and its registries in lockstep with the system."""
