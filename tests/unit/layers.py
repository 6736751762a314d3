"""The layers of statemachine/ as data: whom each module may import, inside of it and outside."""

from __future__ import annotations

JUDGING = {"facts", "history", "ledger", "legality", "lifecycle"}
MAY_IMPORT: dict[str, set[str]] = {
    # pure: the specification, what happened, and the judges
    "lifecycle": set(),
    "legality": {"lifecycle"},
    "log_events": {"lifecycle"},
    "history": {"lifecycle", "log_events"},
    "ndjson": {"history", "lifecycle"},
    "facts": {"history", "legality", "lifecycle"},
    "ledger": {"facts", "history", "legality", "lifecycle"},
    "invariants": JUDGING,
    "reach": JUDGING,
    "pairs": {"reach"} | JUDGING,
    "overlaps": {"reach"} | JUDGING,
    "shape": {"invariants"} | JUDGING,
    "verdict": set(),
    "logs": {"binding", "command", "invariants", "report", "verdict"} | JUDGING,
    # the world, the port, and one example of both
    "world": {"history", "lifecycle"},
    "pieces": {"invariants", "lifecycle", "reach"},
    "binding": {"lifecycle", "pieces"},
    "ports": {"binding", "example", "history", "world"},
    "observer": {"binding", "lifecycle", "world"},
    "stage": {"binding", "invariants", "world"},
    "example": {
        *("binding", "history", "invariants", "lifecycle", "observer", "reach", "stage", "world"),
    },
    "lane": {
        *("binding", "bystanders", "example", "invariants", "ports", "reach", "stage", "world"),
    },
    "bystanders": {"binding"},
    "deadlines": {"example", "lifecycle"},
    "operations": {"binding", "deadlines", "example", "history", "lifecycle", "ports", "stage", "world"},
    "drain": {"deadlines", "example", "history", "invariants", "operations"},
    # what plays examples, and what tells of them
    "run": {"example", "lane", "history", "invariants", "lifecycle", "reach", "shape", "verdict", "world"},
    "machine": {"drain", "example", "operations", "run"},
    "script": {"drain", "example", "lane", "history", "operations", "run"},
    "rewriting": {"example", "history", "operations", "run", "script", "world"},
    "minimise": {"lane", "rewriting", "run", "script", "shape"},
    "explain": {"lane", "history", "run", "script"},
    "replay": {"drain", "example", "lane", "history", "invariants", "ndjson", "operations", "run"},
    "transactions": {"binding", "history", "lane", "machine", "operations", "stage", "world"},
    "embedded": {"machine", "minimise", "run"},
    "findings": {"lane", "minimise", "run", "shape", "world"},
    "corpus": {"history", "ndjson", "pairs", "script"},
    "quest": {
        *("corpus", "embedded", "lane", "findings", "history", "invariants", "machine", "rewriting"),
        *("run", "script", "world"),
    },
    "fuzz": {
        *(
            "corpus",
            "embedded",
            "example",
            "lane",
            "findings",
            "history",
            "invariants",
            "machine",
            "pairs",
            "pool",
        ),
        *("progress", "quest", "report", "run", "session", "shape", "standalone", "world"),
    },
    "reports": {"explain", "failures", "findings", "invariants", "report", "run", "session", "shape"},
    "report": {"explain", "invariants", "ndjson", "reach", "run", "script", "verdict", "world"} | JUDGING,
    "failures": {"ndjson", "report", "run"},
    "regression": {"drain", "lane", "invariants", "operations", "report", "run"},
    "safety": set(),
    "standalone": {"binding", "lane", "safety"},
    "progress": {"run", "world"},
    "closing": {"report", "session"},
    "distributed": {"closing", "embedded", "report", "session"},
    "plugin": {
        *("binding", "certificate", "closing", "distributed", "embedded", "lane", "fuzz", "in_pytest"),
        *("invariants", "regression", "report", "safety", "session"),
    },
    "in_pytest": {
        *("binding", "command", "corpus", "distributed", "embedded", "lane", "explain", "failures"),
        *("findings", "fuzz", "history", "invariants", "ndjson", "progress", "quest", "replay", "report"),
        *("reports", "run", "runfile", "session", "verdict"),
    },
    "session": {
        *("binding", "corpus", "embedded", "fuzz", "history", "lifecycle", "ndjson", "replay", "report"),
        *("run", "safety", "standalone"),
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
    "command": {"report"},
    "pool": set(),
    "certificate": {
        *("binding", "command", "embedded", "example", "invariants", "machine", "operations"),
        *("pool", "report", "run", "standalone"),
    },
    "checkbinding": {
        *(
            "binding",
            "command",
            "example",
            "lane",
            "invariants",
            "operations",
            "report",
            "standalone",
            "world",
        ),
        *JUDGING,
    },
    "runfile": {"invariants", "lifecycle", "ndjson", "run"},
    "merging": {
        *("binding", "command", "corpus", "embedded", "lane", "explain", "failures", "findings"),
        *("invariants", "pairs", "quest", "report", "reports", "run", "runfile", "session", "shape"),
        *("standalone", "verdict"),
    },
    "soak": {
        *("binding", "command", "embedded", "lane", "explain", "findings", "pool", "report", "reports"),
        *("run", "session", "standalone", "world"),
    },
    "__main__": {
        *("binding", "certificate", "checkbinding", "command", "corpus", "gate", "lifecycle", "logs"),
        *("merging", "pool", "processes", "runfile", "safety", "soak"),
    },
}
"""Direct imports inside of statemachine/, by module or package; inside of a package all are free."""

PURE = (
    "lifecycle",
    "legality",
    "history",
    "ndjson",
    "facts",
    "ledger",
    "invariants",
    "reach",
    "logs",
    "log_events",
    "overlaps",
    "pairs",
    "shape",
)
OUTSIDE: dict[str, dict[str, set[str]]] = {
    "django": {
        "anywhere": {"transactions.lane", "transactions.sessions", "world.django_faults"},
        "in functions": {"checkbinding.tables", "lane", "standalone", "plugin", "processes.stage"},
    },
    "hypothesis": {
        "anywhere": {
            *("machine", "embedded", "plugin", "progress", "quest", "session", "in_pytest"),
            *("certificate.baseline", "certificate.hunt"),
        },
        "in functions": {"corpus.places"},
    },
    "freezegun": {"anywhere": {"world.clock"}, "in functions": set()},
    "pytest": {
        "anywhere": {"distributed", "in_pytest", "plugin", "progress", "session"},
        "in functions": set(),
    },
    "models_under_test": {"anywhere": set(), "in functions": set()},
}
"""Who may import these packages: at all, or only when a function is called."""
