"""`python -m pipeline` is `watch287g`."""

import sys

from pipeline.cli.entry import main

sys.exit(main())
