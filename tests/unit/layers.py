"""The layers of statemachine/ as data: whom each module may import, inside of it and outside."""

from __future__ import annotations

JUDGING = {"facts", "history", "ledger", "legality", "lifecycle"}
MAY_IMPORT: dict[str, set[str]] = {
    # pure: the specification, what happened, and the judges
    "lifecycle": set(),
    "legality": {"lifecycle"},
    "history": {"lifecycle"},
    "ndjson": {"history", "lifecycle"},
    "facts": {"history", "legality", "lifecycle"},
    "ledger": {"facts", "history", "legality", "lifecycle"},
    "invariants": JUDGING,
    "reach": JUDGING,
    "verdict": set(),
    "logs": {"binding", "command", "invariants", "report", "verdict"} | JUDGING,
    # the world, the port, and one example of both
    "world": {"history", "lifecycle"},
    "pieces": {"invariants", "lifecycle"},
    "binding": {"lifecycle", "pieces"},
    "ports": {"binding", "example", "history", "world"},
    "observer": {"binding", "lifecycle", "world"},
    "example": {
        "binding",
        "bystanders",
        "history",
        "invariants",
        "lifecycle",
        "observer",
        "ports",
        "reach",
        "world",
    },
    "bystanders": {"binding"},
    "deadlines": {"example", "lifecycle"},
    "operations": {"binding", "deadlines", "example", "history", "lifecycle", "ports", "world"},
    "drain": {"deadlines", "example", "history", "invariants", "operations"},
    # what plays examples, and what tells of them
    "run": {"example", "history", "invariants", "reach", "verdict", "world"},
    "machine": {"drain", "example", "operations", "run"},
    "script": {"drain", "example", "history", "operations", "run"},
    "rewriting": {"example", "history", "run", "script", "world"},
    "minimise": {"example", "rewriting", "run", "script"},
    "explain": {"example", "history", "run", "script"},
    "replay": {"drain", "example", "history", "invariants", "ndjson", "operations", "run"},
    "embedded": {"machine", "minimise", "run"},
    "report": {"explain", "invariants", "ndjson", "reach", "run", "script", "verdict", "world"} | JUDGING,
    "failures": {"ndjson", "report", "run"},
    "regression": {"drain", "example", "invariants", "operations", "report", "run"},
    "safety": set(),
    "standalone": {"binding", "example", "safety"},
    "progress": {"run", "world"},
    "plugin": {
        *("binding", "certificate", "embedded", "example", "in_pytest", "regression", "report", "safety"),
        "session",
    },
    "in_pytest": {
        *("binding", "command", "embedded", "example", "explain", "failures", "history", "ndjson"),
        *("progress", "replay", "report", "run", "session", "verdict"),
    },
    "session": {
        *("binding", "embedded", "history", "lifecycle", "ndjson", "replay", "report", "run", "safety"),
        "standalone",
    },
    "test_embedded": {"in_pytest"},
    "test_processes": {"in_pytest"},
    # real processes, and the gate
    "processes": {
        *("binding", "command", "failures", "invariants", "lifecycle", "logs", "report", "safety"),
        *("standalone", "verdict"),
    },
    "gate": {"binding", "command", "logs", "processes"},
    # python -m statemachine
    "command": set(),
    "pool": set(),
    "certificate": {
        *("binding", "command", "embedded", "example", "invariants", "machine", "operations"),
        *("pool", "report", "run", "standalone"),
    },
    "checkbinding": {
        *("binding", "command", "example", "invariants", "operations", "report", "standalone", "world"),
        *JUDGING,
    },
    "soak": {
        *("binding", "command", "embedded", "example", "explain", "failures", "invariants", "pool"),
        *("report", "run", "session", "standalone", "world"),
    },
    "__main__": {
        *("binding", "certificate", "checkbinding", "command", "gate", "lifecycle", "logs", "pool"),
        *("processes", "safety", "soak"),
    },
}
"""Direct imports inside of statemachine/, by module or package; inside of a package all are free."""

PURE = ("lifecycle", "legality", "history", "ndjson", "facts", "ledger", "invariants", "reach", "logs")
OUTSIDE: dict[str, dict[str, set[str]]] = {
    "django": {
        "anywhere": {"world.django_faults"},
        "in functions": {"checkbinding.tables", "example", "standalone", "plugin", "processes.stage"},
    },
    "hypothesis": {
        "anywhere": {
            *("machine", "embedded", "plugin", "progress", "session"),
            *("certificate.baseline", "certificate.hunt"),
        },
        "in functions": set(),
    },
    "freezegun": {"anywhere": {"world.clock"}, "in functions": set()},
    "pytest": {"anywhere": {"in_pytest", "plugin", "progress", "session"}, "in functions": set()},
    "models_under_test": {"anywhere": set(), "in functions": set()},
}
"""Who may import these packages: at all, or only when a function is called."""
