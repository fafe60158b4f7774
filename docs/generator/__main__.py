"""Write the generated parts of the docs anew: all, or those whose page or name has one of the words given. With --deep
also those that take minutes. With --check nothing is written: the pages that are out of date are named, with status 1.
"""

import argparse
import sys

from docs.generator.pages import regions, write

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m docs.generator", description=__doc__)
    parser.add_argument("words", nargs="*", metavar="WORD")
    parser.add_argument("--deep", action="store_true")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    for word in options.words:
        if not regions([word], options.deep):
            parser.error(f"no page or name of a generated part has {word!r} in it; docs/ has <!-- generated: NAME -->")
    changed = list(write(options.words, options.deep, options.check))
    for page in changed:
        print(f"{page} is {'out of date; run: make docs' if options.check else 'new'}")
    sys.exit(int(options.check and bool(changed)))
