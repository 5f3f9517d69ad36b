"""Tell which Python this is and which versions of packages it has: a program, run by the interpreter that is judged.

    python -I installed.py PACKAGE...

It needs nothing but the standard library, of any Python 3 that is still in use. The last line of its output is JSON.
"""

import json
import os
import platform
import sys
from importlib import metadata


def version(package: str) -> "str | None":
    """The version installed, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


if __name__ == "__main__":
    told = {
        "executable": sys.executable,
        "markers": {  # what the conditions in a lock file are about
            "implementation_name": sys.implementation.name,
            "os_name": os.name,
            "platform_machine": platform.machine(),
            "platform_python_implementation": platform.python_implementation(),
            "platform_system": platform.system(),
            "python_full_version": platform.python_version(),
            "python_version": ".".join(platform.python_version_tuple()[:2]),
            "sys_platform": sys.platform,
        },
        "packages": {package: version(package) for package in sys.argv[1:]},
    }
    sys.stdout.write("\n" + json.dumps(told) + "\n")
