"""The transactions lane: two operations at once on a real PostgreSQL, interleaved statement by statement.

``scheduler`` knows which operations are in flight and lets one of them go on, ``sessions`` their connections,
``server`` what only the database can tell; ``lane`` puts them under the examples of every other lane.
"""
