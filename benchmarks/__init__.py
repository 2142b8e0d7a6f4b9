"""Scripts that measure speed; see README.md."""
