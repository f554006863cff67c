"""Our hasher at a cost that protects nothing, so that tests are quick."""

from doorward.django.hashers import Argon2id


class CheapArgon2id(Argon2id):
    time_cost = 1
    memory_cost = 64
