"""`python -m kubeslice.stage.meter PEER PORT SMALL BULK FILLING`: one end, until it is ended."""

import gc
import os
import signal
import sys
from contextlib import suppress

from kubeslice.stage.meter.loop import Meter, Plan

peer, port, small, bulk, filling = sys.argv[1:]
signal.signal(signal.SIGTERM, signal.SIG_DFL)
# What measures comes before what is measured: it needs little, and a meter that waits for a processor sees gaps
# that are not there.
with suppress(OSError):
    os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(1))
gc.disable()
with suppress(BrokenPipeError):
    Meter(Plan(peer, int(port), int(small), int(bulk), filling.encode())).run()
