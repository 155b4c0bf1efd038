"""Settings between which nothing lies are an error of the set-up, said before a server could be blamed for it."""

from __future__ import annotations

import pytest

from govfile.errors import ConfigurationError
from govfile.transports.ftps_policy import FtpsPolicy, TlsVersion
from govfile.transports.https_policy import HttpsPolicy


@pytest.mark.parametrize("policy", [FtpsPolicy, HttpsPolicy])
def test_a_ceiling_below_the_floor_is_refused(policy: type[FtpsPolicy | HttpsPolicy]) -> None:
    with pytest.raises(ConfigurationError, match=r"at least 1\.3 and at most 1\.2") as refused:
        policy(floor=TlsVersion.TLS_1_3, ceiling=TlsVersion.TLS_1_2)
    assert refused.value.advice
    assert policy(floor=TlsVersion.TLS_1_3, ceiling=TlsVersion.TLS_1_3).floor is TlsVersion.TLS_1_3


@pytest.mark.parametrize("ports", [(36100, 36000), (0, 100), (36000, 65536)])
def test_data_ports_that_are_no_range_are_refused(ports: tuple[int, int]) -> None:
    with pytest.raises(ConfigurationError, match="no range of ports"):
        FtpsPolicy(data_ports=ports)
    with pytest.raises(ConfigurationError, match="no range of ports"):
        FtpsPolicy(earlier_data_ports=ports)
    assert FtpsPolicy(data_ports=(36000, 36000)).data_ports == (36000, 36000)
