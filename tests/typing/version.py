"""What a type checker must see in the package itself."""

from typing import assert_type

import doorward

assert_type(doorward.__version__, str)
