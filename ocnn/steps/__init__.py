"""The jobs of the workflow: one function per step, from files to files, and the one runner of them all.

A rule names a function, its settings and its files by role; `python -m ocnn.steps` calls it (`ocnn.steps.__main__`).
"""
