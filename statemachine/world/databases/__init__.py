"""Where a run's PostgreSQL database comes from: a named server, or a private one that ends with the run.

``databases.py`` makes the database and drops it; ``private_server.py`` starts a server for one run out of
what ``binaries.py`` finds, under ``watchdog.py``, which stops it even when the run is killed;
``availability.py`` says why there is none.
"""
