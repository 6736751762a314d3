"""Django settings of the system under test.

The verifier gives every run a database of its own.  A worker finds its database in ``JOBS_DATABASE_URL``.
Without that variable the database is in memory, so that a command typed by mistake has nothing to write to.
"""

import os

from models_under_test.database_url import database

_URL = os.environ.get("JOBS_DATABASE_URL")

SECRET_KEY = "public-on-purpose-this-project-serves-no-requests"
INSTALLED_APPS = ["models_under_test"]
DATABASES = {
    "default": database(_URL) if _URL else {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
