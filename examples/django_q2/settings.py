"""An application that uses django-q2, with its table as the broker: the package's defaults, and a timeout.

``retry`` is the lease: the package asks for a ``timeout`` below it, and warns without one.
"""

SECRET_KEY = "public-on-purpose-this-project-serves-no-requests"
INSTALLED_APPS = ["django.contrib.contenttypes", "django_q", "jobs"]
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
TIME_ZONE = "UTC"
Q_CLUSTER = {"orm": "default", "retry": 60, "timeout": 50, "poll": 0, "log_level": "CRITICAL"}
