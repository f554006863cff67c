"""The routes of the tutorial, and Doorward's own at /auth/."""

from django.urls import include, path

from tutorial import views

urlpatterns = [
    path("login", views.login),
    path("protected", views.protected),
    path("me", views.me),
    path("auth/", include("doorward.django.urls")),
]
