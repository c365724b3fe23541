"""What spans and metrics cost the caller, beside those of other instrumentors on the same work."""
