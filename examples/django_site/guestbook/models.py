"""The lines of the guest book. Members are the project's own users."""

from django.conf import settings
from django.db import models


class Line(models.Model):
    member = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="lines")
    text = models.CharField(max_length=280)

    class Meta:
        ordering = ["-id"]
