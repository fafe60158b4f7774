"""The commands of the console script, one module each: `configure` declares the options, `run` does the work.

`configure` must be cheap, so that `--help` is; `run` imports what it needs and returns the exit status.
"""
