"""Sessions in Django's admin: to be seen, and to be ended."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from doorward.django.models import Session


@admin.register(Session)
class SessionAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read only. To delete a session is to end it at once."""

    list_display = ("user_id", "kind", "ip", "user_agent", "created_at", "last_seen_at")
    fields = ("user_id", "kind", "ip", "user_agent", "created_at", "last_seen_at", "expires_at")
    search_fields = ("user_id__exact", "ip")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
