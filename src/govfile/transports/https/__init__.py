"""Messages over HTTPS (RFC 9110, 9112): each posted once, with deadlines and bounds on everything that comes back.

It stands on `http.client`, on which `requests` and `urllib3` stand too. Their layers are left out: they would have to
be kept from redirects, repetitions, cookies, and proxies and logins of the surroundings, they bound neither a whole
call nor an answer, and they do not tell when the first byte of a request leaves.
"""

from govfile.transports.https.transport import HttpsTransport

__all__ = ["HttpsTransport"]
