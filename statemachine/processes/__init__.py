"""The lane of real processes: workers on a real database and a real SQS API, really killed.

``fleet.py`` says what a binding offers for it; ``stage.py`` starts what the workers need (``servers.py``,
``databases.py``); ``workers.py`` and ``crew.py`` run them; ``moments.py`` and ``plan.py`` say when which of
them is struck; ``campaign.py`` plays such a plan, and ``statemachine.logs`` judges what was logged.

It needs POSIX signals.  A plan is repeated as far as real clocks and schedulers allow, and no further.
"""
