"""For services that are sent access tokens of a Doorward: check them here, without asking it each time."""

from doorward.tokens.answers import Answer, Demand, bearer_of
from doorward.tokens.fetching import IssuerUnavailable
from doorward.tokens.verifier import Token, TokenRefused, Verifier

__all__ = ["Answer", "Demand", "IssuerUnavailable", "Token", "TokenRefused", "Verifier", "bearer_of"]
