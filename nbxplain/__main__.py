"""`python -m nbxplain` is the command `nbxplain`."""

import sys

from nbxplain.cli import main

sys.exit(main())
