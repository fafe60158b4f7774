"""Proofs with Z3, on the guarded commands as they are: `docs/proofs.md` says what is proved and how."""
