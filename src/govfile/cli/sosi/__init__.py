"""`govfile sosi`: the Danish healthcare token service."""

from govfile.cli.commands import new_app

app = new_app("The Danish healthcare token service: sign, exchange, verify and show ID cards.")

from govfile.cli.sosi import issue as _issue  # noqa: E402, F401, I001  (each declares its commands on `app`, in this order)
from govfile.cli.sosi import exchange as _exchange  # noqa: E402, F401
from govfile.cli.sosi import looking as _looking  # noqa: E402, F401
from govfile.cli.sosi import doctor as _doctor  # noqa: E402, F401
