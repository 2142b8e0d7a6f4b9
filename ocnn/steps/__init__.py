"""The steps of the workflow, each a function from files to files, by the file of rules that they serve.

Rules name them, and results are made by nothing else.
"""
