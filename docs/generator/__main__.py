"""Write the generated parts of the docs anew: all, or those whose page or name has one of the words given. With --deep
also those that take the better part of a minute each."""

import sys

from docs.generator.pages import write

if __name__ == "__main__":
    for changed in write([word for word in sys.argv[1:] if word != "--deep"], "--deep" in sys.argv):
        print(f"{changed} is new", flush=True)
