"""Where Doorward answers: `path("auth/", include("doorward.django.urls"))`. The core says which paths exist."""

from __future__ import annotations

from django.urls import path, re_path

from doorward.django.views import answer

app_name = "doorward"
urlpatterns = [
    path("", answer, name="home"),
    path("sign-in", answer, name="sign_in"),
    path("sign-up", answer, name="sign_up"),
    path("sign-out", answer, name="sign_out"),
    path("password/change", answer, name="change_password"),
    path("totp", answer, name="totp"),
    re_path("^", answer),
]
