"""Programs that use litellm: `versions.py` runs these where litellm is installed."""
