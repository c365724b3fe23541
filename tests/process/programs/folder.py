"""folder.py SECONDS: folds every 0.1 s and prints how many records each fold took in. SECONDS 0: until killed."""

import sys
import time

from edgequake_obs import ledger

seconds = float(sys.argv[1])
deadline = time.monotonic() + seconds if seconds else float("inf")
while time.monotonic() < deadline:
    report = ledger.fold()
    print(report.records, report.busy, flush=True)
    time.sleep(0.1)
