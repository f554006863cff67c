"""User models as projects have them: other keys, no user name, no password column."""

import uuid

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class Member(AbstractBaseUser):
    """No user name; the key is a UUID."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    email = models.EmailField(unique=True)
    full_name = models.CharField(max_length=150, blank=True)

    USERNAME_FIELD = "email"
    objects = BaseUserManager()


class Guest(AbstractBaseUser):
    """The key is text of the project's choosing, and so is the name to sign in by; the password is elsewhere."""

    code = models.CharField(max_length=64, primary_key=True)
    login = models.CharField(max_length=40, unique=True)
    password = None

    USERNAME_FIELD = "login"
    objects = BaseUserManager()


class Citizen(AbstractBaseUser):
    """Cannot be made without a value that Doorward does not know."""

    email = models.EmailField(unique=True)
    town = models.CharField(max_length=40, null=False, default=None)

    USERNAME_FIELD = "email"
    objects = BaseUserManager()


class Clerk(AbstractBaseUser):
    """Columns that keep less than we take; a name in two of them."""

    username = models.CharField(max_length=20, unique=True)
    email = models.EmailField(max_length=40)
    first_name = models.CharField(max_length=10, blank=True)
    last_name = models.CharField(max_length=15, blank=True)

    USERNAME_FIELD = "username"
    objects = BaseUserManager()
