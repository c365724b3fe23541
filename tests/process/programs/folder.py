"""folder.py SECONDS [patient]: folds every 0.1 s and prints how many records each fold took in.

SECONDS 0: until killed. Who is patient prints the reason where it cannot fold, and goes on.
"""

import sys
import time

from edgequake_obs import ledger

seconds = float(sys.argv[1])
deadline = time.monotonic() + seconds if seconds else float("inf")
while time.monotonic() < deadline:
    try:
        report = ledger.fold()
        print(report.records, report.busy, flush=True)
    except ledger.LedgerError as error:
        if "patient" not in sys.argv:
            raise
        print(f"refused: {error}", flush=True)
    time.sleep(0.1)
