"""Find the programs and libraries that are not Python: on this system, else unpacked from Debian packages into a cache folder."""

import ctypes.util
import platform
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

from platformdirs import user_cache_path

from genesis_lib.demo import debian
from genesis_lib.errors import StackError

__all__ = ["find", "on_hand", "pango_environment", "working_folder"]

# Debian's name of each program, and the name it has everywhere else.
_PROGRAMS: Mapping[str, tuple[str, ...]] = {
    "prometheus": ("prometheus",),
    "promtool": ("promtool",),
    "prometheus-alertmanager": ("alertmanager", "prometheus-alertmanager"),
    "amtool": ("amtool",),
    "prometheus-node-exporter": ("node_exporter", "prometheus-node-exporter"),
}
_ALIASES = {"alertmanager": "prometheus-alertmanager", "node_exporter": "prometheus-node-exporter"}
_PACKAGES = ("prometheus", "prometheus-alertmanager", "prometheus-node-exporter")

_PANGO = ("libpango-1.0-0", "libpangoft2-1.0-0", "libharfbuzz-subset0", "fonts-dejavu-core")
# Of what Pango depends on, whatever is not part of every system. Beginnings only: newer releases append "t64" to some of the names.
_PANGO_NEEDS = re.compile(
    r"(libpango|libharfbuzz|libfribidi|libthai|libdatrie|libgraphite2|libfreetype|libfontconfig|libpng16|libexpat|libbrotli|libbz2|zlib1g"
    r"|libglib2|libffi|libpcre|libmount|libblkid|libselinux|fontconfig-config$|fonts-dejavu-core$)"
)

_HOW = """\
{what} is not on this system. Any one of these mends it:
  macOS      brew install prometheus alertmanager node_exporter
  anywhere   unpack the release archives of prometheus, alertmanager and node_exporter from https://prometheus.io/download/ into a
             folder on PATH
  Docker     take the programs out of the images prom/prometheus, prom/alertmanager and prom/node-exporter (they lie in /bin) into a
             folder on PATH
  Debian     apt-get install {packages}"""


def find(name: str, *, progress: Callable[[str], None] = lambda _: None) -> Path:
    """The program of this name: prometheus, promtool, alertmanager, amtool or node_exporter (also under Debian's names).

    Looks on PATH, then in the cache folder; fills that from Debian packages where apt is at hand.

    Raises:
        StackError: it cannot be had; the message says what to do on this system.

    """
    if found := on_hand(name):
        return found
    program, folder = _ALIASES.get(name, name), _unpacked_programs()
    if not folder.is_dir() and not debian.is_here():
        raise StackError(_HOW.format(what=name, packages=" ".join(_PACKAGES)))
    try:
        found_in = debian.unpacked(_PACKAGES, folder, progress=progress, finish=_relocate) / "usr" / "bin" / program
    except StackError as error:
        raise StackError(f"{_HOW.format(what=name, packages=' '.join(_PACKAGES))}\n{error}") from error
    if not found_in.is_file():
        raise StackError(f"{found_in} is missing; delete {folder} and try again")
    return found_in


def on_hand(name: str) -> Path | None:
    """The program of this name where it is already here, on PATH or in the cache folder; nothing is fetched."""
    program = _ALIASES.get(name, name)
    for known_as in _PROGRAMS[program]:
        if found := shutil.which(known_as):
            return Path(found)
    unpacked = _unpacked_programs() / "usr" / "bin" / program
    return unpacked if unpacked.is_file() else None


def working_folder(program: Path) -> Path:
    """The folder to start a found program in: an unpacked one finds its own files (templates, web pages) only from there."""
    folder = _unpacked_programs()
    return folder if program.is_relative_to(folder) else Path("/")


def pango_environment(*, progress: Callable[[str], None] = lambda _: None) -> Mapping[str, str]:
    """The environment variables that a process needs, when it is started, for WeasyPrint to find Pango; none where the system has it.

    Raises:
        StackError: Pango is not there and cannot be had; the message says what to do.

    """
    if ctypes.util.find_library("pango-1.0") and ctypes.util.find_library("pangoft2-1.0"):
        return {}
    if not debian.is_here():
        raise StackError(
            "no PDF is made: Pango is not on this system; mend: brew install pango, or your system's own package"
        )
    folder = _cache() / "pango"
    try:
        if not folder.is_dir():
            packages = debian.needed_by(_PANGO, folder=folder.parent, keep=_PANGO_NEEDS)
            debian.unpacked(packages, folder, progress=progress)
    except StackError as error:
        raise StackError(
            f"no PDF is made: Pango cannot be had; mend: apt-get install {' '.join(_PANGO)}\n{error}"
        ) from error
    return {"LD_LIBRARY_PATH": _library_path(folder), "FONTCONFIG_FILE": str(_font_configuration(folder))}


def _unpacked_programs() -> Path:
    return _cache() / "binaries"


def _relocate(root: Path) -> None:
    """Let the programs find their files where they were unpacked.

    Debian's builds read them from /usr/share/prometheus, and Alertmanager does not start without its templates. The path in the
    program is replaced by a relative one of the same length, as installers of relocatable packages do.
    """
    for name in _PROGRAMS:
        program = root / "usr" / "bin" / name
        if program.is_file():
            program.write_bytes(program.read_bytes().replace(b"/usr/share/prometheus", b"usr//share/prometheus"))


def _library_path(folder: Path) -> str:
    return ":".join(sorted({str(path.parent) for path in folder.rglob("*.so.*")}))


def _font_configuration(folder: Path) -> Path:
    """A fontconfig file that knows the system's fonts, if there are any, and the unpacked ones."""
    path = folder / "fonts.conf"
    if not path.is_file():
        text = f"""<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "urn:fontconfig:fonts.dtd">
<fontconfig>
  <dir>/usr/share/fonts</dir>
  <dir>{folder}/usr/share/fonts</dir>
  <cachedir>{folder}/font-cache</cachedir>
  <include ignore_missing="yes">{folder}/etc/fonts/conf.d</include>
</fontconfig>
"""
        partial = path.with_suffix(".partial")
        partial.write_text(text)
        partial.replace(path)
    return path


def _cache() -> Path:
    """The cache folder, one for each release of the system: unpacked libraries fit no other."""
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        release = {}
    system = release.get("ID", platform.system().lower()) + release.get("VERSION_ID", "")
    return user_cache_path("genesis-readiness") / f"{system}-{platform.machine()}"
