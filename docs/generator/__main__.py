"""Write the generated parts of the docs anew: all, or those whose page or name has one of the words given. With --deep
also those that take minutes. With --check nothing is written: the pages that are out of date are named, with status 1.
"""

import sys

from docs.generator.pages import write

if __name__ == "__main__":
    is_check = "--check" in sys.argv
    words = [word for word in sys.argv[1:] if word not in ("--deep", "--check")]
    changed = False
    for page in write(words, "--deep" in sys.argv, is_check):
        changed = True
        print(f"{page} is {'out of date; run: make docs' if is_check else 'new'}", flush=True)
    sys.exit(int(is_check and changed))
