"""litellm's place for the classes of answers."""
