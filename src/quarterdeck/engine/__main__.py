"""`python -m quarterdeck.engine --home DIR`"""

import gc

# Start-up makes many objects and drops few: collecting among them only costs time. `process` turns it on again.
gc.disable()

from quarterdeck.engine.lean import leave_out  # noqa: E402

leave_out()

from quarterdeck.engine.process import main  # noqa: E402

if __name__ == "__main__":
    raise SystemExit(main())
