"""The application, and what it does when somebody signs up."""

from django.apps import AppConfig


class GuestbookConfig(AppConfig):
    name = "guestbook"

    def ready(self):
        from guestbook import listeners  # noqa: F401  # it needs the models
