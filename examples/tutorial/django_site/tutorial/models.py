"""The project's own users, as Django's documentation asks every new project to have them."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    pass
