"""Run tests with a mutant in force: `python -m properties.mutation KEY ARGUMENTS-OF-PYTEST`."""

import sys

from properties.mutation.loading import in_force
from properties.mutation.operators import files, mutants

if __name__ == "__main__":
    key, *arguments = sys.argv[1:]
    (chosen,) = [
        mutant for file in files() if key.startswith(f"{file}: ") for mutant in mutants(file) if mutant.key == key
    ]
    with in_force(chosen):
        import pytest

        status = pytest.main(arguments)
    sys.exit(status)
