"""The commands of the console script, one module each: `configure` declares the options, `run` does the work.

`run` returns the exit status. A module is imported when its command is chosen, so that `attestation --help` is cheap.
"""
