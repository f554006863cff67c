"""The front page, the members' routes, the admin, and Doorward under /auth."""

from django.contrib import admin
from django.urls import include, path

from guestbook import views

urlpatterns = [
    path("", views.book, name="book"),
    path("write", views.write, name="write"),
    path("lines", views.lines, name="lines"),
    path("wipe", views.wipe, name="wipe"),
    path("admin/", admin.site.urls),
]
urlpatterns += [path("auth/", include("doorward.django.urls"))]
