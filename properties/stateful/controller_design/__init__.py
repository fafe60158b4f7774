"""The machines of the attestation-controller design, their oracles, and its controllers in lockstep with the system."""
