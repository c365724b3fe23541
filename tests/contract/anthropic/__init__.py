"""Programs that use the anthropic SDK: `versions.py` runs these where it is installed."""
