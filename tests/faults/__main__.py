"""See `faults.command`; the folder of the tests is where its imports begin."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from faults.command import main

sys.exit(main())
