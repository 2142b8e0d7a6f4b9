"""The configuration: its keys, its checks, and the plan that follows from it."""
