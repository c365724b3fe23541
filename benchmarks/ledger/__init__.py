"""The ledger at size, and what calls hold while they wait."""
