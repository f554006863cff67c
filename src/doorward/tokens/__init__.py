"""For services that are sent access tokens of a Doorward: check them here, without asking it each time."""

from doorward.tokens.answers import Answer, Demand, bearer_of
from doorward.tokens.fetching import KeysUnavailable
from doorward.tokens.verifier import Token, TokenRefused, Verifier

__all__ = ["Answer", "Demand", "KeysUnavailable", "Token", "TokenRefused", "Verifier", "bearer_of"]
