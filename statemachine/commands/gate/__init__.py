"""The gate report as one command: the seven lines of its §1, then the PHASE 2 checklist of its §3.

``steps.py`` tries what the script of the report tries, in this process; ``rehearsal.py`` runs real workers,
kills one and drives a message to the DLQ; ``report.py`` words both.  The verdicts are computed: a step that
did not run is no pass.  A gate tries each thing once; what only a search finds, docs/gate.md says.
"""
