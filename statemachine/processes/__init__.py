"""The lane of real processes: workers on a real database and a real SQS API, killed by SIGKILL.

- ``statemachine.binding.fleet``: what a binding offers for this lane;
- ``stage``: starts what the workers need (``servers``, ``databases``);
- ``workers``, ``crew``: run the worker processes and have their logs judged by ``statemachine.logs``;
- ``moments``, ``plan``: which worker is struck when;
- ``campaign``: plays such a plan; ``figures`` and ``report`` say what came of it.

It needs POSIX signals.  The same plan strikes the same fleets at the same moments; on which job, and at
which microsecond, depends on real clocks and schedulers.
"""
