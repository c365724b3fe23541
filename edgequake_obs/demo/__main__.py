"""`python -m edgequake_obs.demo`."""

from edgequake_obs.demo.program import main

raise SystemExit(main())
