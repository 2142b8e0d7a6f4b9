"""Readers of archive formats; nothing is ever extracted or unpickled."""
