"""The Django application. Its label is `doorward`: that of a package named `django` would be Django's own."""

from __future__ import annotations

from importlib import import_module

from django.apps import AppConfig


class DoorwardConfig(AppConfig):
    name = "doorward.django"
    label = "doorward"
    verbose_name = "Doorward"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to Django and have the settings looked at. The Doorward itself is made when it is first used."""
        # By name: they need models, which are there by now and not when this module is loaded.
        import_module("doorward.django.signals").connect()
        import_module("doorward.django.checks")
