"""All records of the standard features: what the tests of the stores keep."""

from doorward.core.doorward import records_of
from doorward.limits.store import LimitWindow
from doorward.presets import standard

RECORDS = (*records_of(standard()), LimitWindow)
