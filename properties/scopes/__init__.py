"""Which systems are looked at: the scopes of the ledger, their switches as text, and the levels of detail."""
