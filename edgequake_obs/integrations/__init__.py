"""litellm's place for what listens to calls."""
