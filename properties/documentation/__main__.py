"""Write all pages anew."""

import sys

from properties.documentation.pages import main

sys.exit(main())
