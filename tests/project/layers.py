"""The floors of statemachine/ as data: whom each entry may import, inside of it and outside."""

from __future__ import annotations

JUDGING = {"lifecycle", "history", "invariants"}
MAY_IMPORT: dict[str, set[str]] = {
    "lifecycle": set(),
    "history": {"lifecycle"},
    "invariants": {"lifecycle", "history"},
    "binding": JUDGING,
    "world": {"binding"} | JUDGING,
    "search": {"world"} | JUDGING,
    "report": {"binding", "world", "search"} | JUDGING,
    "logs": {"binding", "report"} | JUDGING,
    "processes": {"binding", "history", "invariants", "logs", "report", "world"},
    "commands": {"binding", "world", "search", "report", "logs", "processes"} | JUDGING,
    "plugin": {"binding", "world", "search", "report", "processes", "commands"} | JUDGING,
    "__main__": {
        "binding",
        "history",
        "lifecycle",
        "logs",
        "processes",
        "report",
        "search",
        "world",
        "commands",
    },
    "regression": {"report"},
}
"""From the ground floor up: an entry imports what stands below it, and of that only what its row names.

Inside of an entry all imports are free, as long as no circle of modules comes of them.
"""

PURE = ("lifecycle", "history", "invariants", "logs")
"""Entries from which no chain of imports leads to a package of ``OUTSIDE``."""

OUTSIDE: dict[str, dict[str, set[str]]] = {
    "django": {
        "anywhere": {
            *("world.django_faults", "world.transactions.lane", "world.transactions.sessions"),
        },
        "in functions": {
            *("commands.check_binding.django_state", "plugin", "processes.stage", "world.lane"),
            *("world.databases.aliases", "world.databases.opening", "world.outside"),
        },
    },
    "hypothesis": {
        "anywhere": {
            *("commands.certificate.baseline", "commands.certificate.hunt"),
            *("plugin", "plugin.header", "plugin.options", "plugin.progress", "plugin.strategies"),
            *("search.engine", "search.lanes", "search.machine", "search.strategy"),
            "search.contention",
        },
        "in functions": {"search.corpus.places"},
    },
    "psycopg": {
        "anywhere": {"world.transactions.sessions"},
        "in functions": {
            *("world.databases.postgresql", "world.databases.server_url", "world.transactions.server"),
        },
    },
    "greenlet": {"anywhere": {"world.transactions.scheduler"}, "in functions": set()},
    "freezegun": {"anywhere": {"world.clock"}, "in functions": set()},
    "pytest": {
        "anywhere": {
            *("plugin", "plugin.ending", "plugin.lanes", "plugin.options", "plugin.processes_player"),
            *("plugin.progress", "plugin.replay_player", "plugin.search_player", "plugin.state"),
            "plugin.xdist",
        },
        "in functions": set(),
    },
    "models_under_test": {"anywhere": set(), "in functions": set()},
}
"""Who may import these packages: at all, or only when a function is called."""
