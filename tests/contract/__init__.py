"""Programs that use a patched library see what they see without us, and each of their calls makes one record."""
