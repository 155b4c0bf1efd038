"""Files over FTP with TLS (RFC 959, 2228, 2428, 3659, 4217), with a client certificate and nothing in clear text."""

from govfile.transports.ftps.transport import FtpsTransport

__all__ = ["FtpsTransport"]
