"""From score files to what a person reads."""
