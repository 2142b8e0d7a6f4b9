"""The commands of the jobs, `python -m workflow.scripts.NAME`: each reads its arguments and calls the package.

What a command imports, a million objects with TensorFlow, lives until the process ends. Python's garbage collector
would look through all of it while it is imported and once more at the end, a quarter of a short job's time: it starts
when the work does (`ocnn.steps.runtime.job`), and at the end it is told that nothing is garbage.
"""

import atexit
import gc

gc.disable()
atexit.register(gc.freeze)
