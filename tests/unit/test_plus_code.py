"""Plus codes against the specification's own vectors (google/open-location-code, test_data/encoding.csv, length 10)."""

from __future__ import annotations

import pytest

from field_api.domain.plus_code import plus_code

PUBLISHED = """
20.3700625,2.7821875,7FG49QCJ+2V
47.0000625,8.0000625,8FVC2222+22
-41.2730625,174.7859375,4VCPPQGP+Q9
-89.9999375,-179.9999375,22222222+22
90,1,CFX3X2X2+X2
47.0000625,728.0000625,8FVC2222+22
-41.2730625,1254.7859375,4VCPPQGP+Q9
47.0000625,-711.9999375,8FVC2222+22
-41.2730625,-905.2140625,4VCPPQGP+Q9
1.2,3.4,6FH56C22+22
35.6,3.033,8F75J22M+26
-37.014,-159.936,43J2X3P7+CJ
10.734,-168.294,722HPPM4+JC
-25.798,-59.812,5862652Q+R6
-19.212,107.423,5PG9QCQF+66
-18.32,96.397,5MHRM9JW+2R
"""


@pytest.mark.parametrize("line", PUBLISHED.split())
def test_a_point_has_the_code_that_the_specification_gives(line: str) -> None:
    latitude, longitude, code = line.split(",")
    assert plus_code(float(latitude), float(longitude)) == code
