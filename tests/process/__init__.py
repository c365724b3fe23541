"""Real processes: writers, folders and readers at once; kills, forks, exits and interrupts; keys that must not leak."""
