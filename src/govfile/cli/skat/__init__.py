"""`govfile skat`: the Danish FTPS gateway."""

from govfile.cli.commands import new_app

app = new_app("The Danish tax and customs FTPS gateway: file, collect, follow.")

from govfile.cli.skat import submit as _submit  # noqa: E402, F401, I001  (each declares its commands on `app`, in this order)
from govfile.cli.skat import collect as _collect  # noqa: E402, F401
from govfile.cli.skat import follow as _follow  # noqa: E402, F401
