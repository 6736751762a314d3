"""Where a run's database comes from.

- ``opening.py`` opens a lane outside of pytest, on SQLite in memory or on PostgreSQL.
- ``safety.py`` makes the databases of settings private, and refuses what is not the run's own.
- ``aliases.py`` gives all names of one database one connection.
- ``server_url.py`` reads the URL of a server as libpq does.
- ``postgresql.py`` makes a database and drops it, on a named server or on a private one.
- ``private_server.py`` starts a server for one run, out of the programs that ``binaries.py`` finds.
- ``watchdog.py`` is the process that ends that server, even when the run is killed.
- ``availability.py`` says in one line why there can be no PostgreSQL.
- ``for_tasks.py`` makes one database for each task of several processes.
"""
