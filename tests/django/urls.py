"""The routes of the test project."""

from django.contrib import admin
from django.urls import include, path

from doorward.django.decorators import needs
from tests.django import views
from tests.scenarios.hosts.base import WANTS

urlpatterns = [
    path("admin/", admin.site.urls),
    path("open", views.open_to_all),
    path("who", views.who),
    path("awho", views.awho),
    path("closed", views.closed),
    path("djangos-closed", views.djangos_closed),
    path("aclosed", views.aclosed),
    path("editors", views.editors),
    path("aeditors", views.aeditors),
    path("permitted", views.permitted),
    path("fresh", views.fresh),
    path("leave", views.leave),
    path("do-leave", views.do_leave),
    path("their-sign-in", views.their_sign_in),
    path("atomic-sign-in", views.atomic_sign_in),
    path("all-in-one", views.all_in_one),
    path("change-by-do", views.change_by_do),
    path("broken-sign-in", views.broken_sign_in),
]
for route, wants in WANTS.items():
    urlpatterns += [path(route[1:], needs(**wants)(views.enough)), path(f"a{route[1:]}", needs(**wants)(views.aenough))]
urlpatterns += [path("auth/", include("doorward.django.urls"))]
