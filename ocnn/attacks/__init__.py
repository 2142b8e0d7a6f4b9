"""Attacks on a classifier, which make the anomalies of Table 4."""
