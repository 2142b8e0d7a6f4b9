"""No PyOD, but the little of its interface by which a detector of PyOD's is known: `pyod.models.base.BaseDetector`."""
