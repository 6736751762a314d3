"""A history as one HTML page that needs nothing else: no script, no font, no network.

It draws what the events say.  The lease is drawn as the lifecycle declares it, from the acquisition on,
and where a row says otherwise the page says so.  A worker that is drawn as working may in truth be dead or
stuck, if no event says so.  Neither a step's height nor that of passing time is to scale.
"""

NAME = "timeline.html"
