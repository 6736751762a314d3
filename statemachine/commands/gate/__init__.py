"""The release gate as one command: the seven lines of its script, then the PHASE 2 checklist.

The gate report is a team's release checklist; docs/gate.md retells it, and the sections cited here (§1) are
those of that page.  ``steps.py`` tries in this process what the report's script tries, ``phase_2.py`` runs
real workers, kills one and drives a message to the DLQ, ``report.py`` words both.  Verdicts are computed: a
step that did not run is no pass.  A gate tries each thing once, so it misses what only a search finds.
"""
