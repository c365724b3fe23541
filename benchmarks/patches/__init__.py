"""What recording the openai SDK's and litellm's calls adds to them, beside other instrumentors."""
