"""The environment of the tests, set before Django's settings are read: pytest loads this file first (`-p tests.environment`).

Tests never touch the data of a running workbench.
"""

import os
import tempfile

os.environ["WORKBENCH_DATA_DIR"] = tempfile.mkdtemp(prefix="workbench-tests-")
os.environ["WORKBENCH_MASTER_KEY"] = "00" * 31 + "01"
os.environ["WORKBENCH_SECRET_KEY"] = "tests only, never anything else than tests: 0123456789 abcdefgh"
os.environ["WORKBENCH_SERIAL_DEVICES"] = "/dev/ttyUSB*,/dev/ttyS*,/dev/pts/*,/dev/serial/by-id/*"
