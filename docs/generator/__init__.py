"""The generated parts of `docs/`: `pages` finds and writes them, `tables` and `searches` make them."""
