"""`govfile vero`: the Finnish certificate service, and the certificate tried at the register."""

from govfile.cli.commands import new_app

app = new_app("The Finnish certificate service: enrol, renew, fetch, and try a certificate.")

from govfile.cli.vero import enrol as _enrol  # noqa: E402, F401, I001  (each declares its commands on `app`, in this order)
from govfile.cli.vero import renew as _renew  # noqa: E402, F401
from govfile.cli.vero import follow as _follow  # noqa: E402, F401
from govfile.cli.vero import settling as _settling  # noqa: E402, F401
from govfile.cli.vero import doctor as _doctor  # noqa: E402, F401
