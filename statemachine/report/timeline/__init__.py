"""A history as one HTML page that needs nothing else: no script, no font, no network.

It draws what the events say.  The lease is drawn as the lifecycle declares it, from the acquisition on,
and where a row says otherwise the page says so; a worker that is drawn as working may long be dead or
stuck in truth, if no event told.  Neither a step's height nor a quiet time's is to scale.
"""

NAME = "timeline.html"
