"""Where the console script `attestation` begins. Until the program is there, an interrupt just ends the process."""

from __future__ import annotations

import signal

AS_PYTHON_HAS_IT = signal.getsignal(signal.SIGINT) is signal.default_int_handler
"""Not so where the process was told to ignore interrupts, such as in the background of a shell."""


def main() -> int:
    """Run the command of the process; returns the exit status."""
    from properties import cli

    if AS_PYTHON_HAS_IT:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    return cli.main()


if AS_PYTHON_HAS_IT:
    signal.signal(signal.SIGINT, signal.SIG_DFL)

if __name__ == "__main__":
    raise SystemExit(main())
