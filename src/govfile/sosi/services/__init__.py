"""Calling services with a card or a token, and being the service that is called."""
