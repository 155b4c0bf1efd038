"""`govfile keys`: the key store of a profile, whoever its credentials are for."""

from govfile.cli.commands import new_app

app = new_app("Keys at rest: what there is, until when, and whether it is sound.")

from govfile.cli.keystore import looking as _looking  # noqa: E402, F401  (each declares its commands on `app`, in this order)
from govfile.cli.keystore import mending as _mending  # noqa: E402, F401
from govfile.cli.keystore import moving as _moving  # noqa: E402, F401
from govfile.cli.keystore import watch as _watch  # noqa: E402, F401
