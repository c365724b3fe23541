"""A tour of the library that needs neither a key nor a network.

`python -m edgequake_obs.demo` (or `edgequake-obs demo`) starts a local server that plays back recorded provider
answers, makes a call of each kind against it, and shows what the ledger holds afterwards.
"""
