"""Doorward in Django: put "doorward.django" into INSTALLED_APPS, and sign-in happens in the project's own process."""
