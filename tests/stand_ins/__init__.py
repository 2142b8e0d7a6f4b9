"""Packages that stand in for others in tests: this folder on the path, they are found by the others' names."""
