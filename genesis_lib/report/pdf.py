"""Set an HTML page on paper with WeasyPrint, in a process of its own.

Of its own, because WeasyPrint needs the system's Pango: where that lies in a folder of ours, the loader must be told before the
process starts; and where it is missing, nothing else may break. Run as `python -m genesis_lib.report.pdf IN.html OUT.pdf`.
"""

import hashlib
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from genesis_lib.errors import GenesisError

__all__ = ["PdfError", "render"]

_NO_PANGO = 4  # exit codes of the process
_TIMEOUT_S = 300
_FACES = {
    "Genesis Sans": {
        "DejaVuSans": "",
        "DejaVuSans-Bold": "font-weight: bold;",
        "DejaVuSans-Oblique": "font-style: italic;",
    },
    "DejaVu Sans Mono": {"DejaVuSansMono": "", "DejaVuSansMono-Bold": "font-weight: bold;"},
}


class PdfError(GenesisError):
    """The PDF cannot be made; all else can."""


def render(page: str, *, library_path: Path | None = None) -> bytes:
    """The page as a PDF, the same bytes for the same page.

    Args:
        page: HTML that holds all it needs.
        library_path: a folder with Pango's libraries; None: the system's.

    Raises:
        PdfError: Pango cannot be loaded, or WeasyPrint failed; the message says how to mend it.

    """
    with TemporaryDirectory(prefix="genesis-pdf-") as name:
        folder = Path(name)
        source, made = folder / "page.html", folder / "page.pdf"
        source.write_text(page, encoding="utf-8")
        # Warnings inside WeasyPrint are its own affair; ours are errors in tests.
        command = [sys.executable, "-W", "ignore", "-m", "genesis_lib.report.pdf", str(source), str(made)]
        try:
            done = subprocess.run(  # noqa: S603 - our own module
                command, env=_environment(folder, library_path), capture_output=True, timeout=_TIMEOUT_S, check=False
            )
        except subprocess.TimeoutExpired as error:
            raise PdfError(
                f"no PDF: WeasyPrint took longer than {_TIMEOUT_S} s; the HTML report holds the same"
            ) from error
        if done.returncode == _NO_PANGO:
            raise PdfError(
                "no PDF: WeasyPrint cannot load Pango. Install it (Debian, Ubuntu: apt-get install libpango-1.0-0 libpangoft2-1.0-0"
                f" libharfbuzz-subset0; macOS: brew install pango) and run again. It said: {_last_line(done.stderr)}"
            )
        if done.returncode or not made.is_file():
            raise PdfError(f"no PDF: WeasyPrint failed (exit {done.returncode}): {_last_line(done.stderr)}")
        return made.read_bytes()


def _environment(folder: Path, library_path: Path | None) -> dict[str, str]:
    """This process's environment, with the libraries to load and, where the system has no font configuration, one of ours."""
    environment = dict(os.environ)
    if library_path is None:
        return environment
    environment["LD_LIBRARY_PATH"] = os.pathsep.join(
        filter(None, [str(library_path), os.environ.get("LD_LIBRARY_PATH")])
    )
    if "FONTCONFIG_FILE" not in environment and not Path("/etc/fonts/fonts.conf").is_file():
        configuration = folder / "fonts.conf"
        configuration.write_text(
            '<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd">'
            f"<fontconfig><dir>{_fonts()}</dir><cachedir>{folder}</cachedir></fontconfig>",
            encoding="utf-8",
        )
        environment["FONTCONFIG_FILE"] = str(configuration)
    return environment


def _last_line(output: bytes) -> str:
    lines = output.decode(errors="replace").strip().splitlines()
    return lines[-1] if lines else "nothing"


def _fonts() -> Path:
    """The fonts that come with matplotlib, so that paper looks the same on a machine without any; found without importing it."""
    spec = find_spec("matplotlib")
    if spec is None or spec.origin is None:
        raise PdfError("no PDF: matplotlib, whose fonts it uses, is not installed")
    return Path(spec.origin).parent / "mpl-data" / "fonts" / "ttf"


def _font_faces(fonts: Path) -> str:
    return "\n".join(
        f'@font-face {{ font-family: "{family}"; {style} src: url({(fonts / f"{file}.ttf").as_uri()}); }}'
        for family, files in _FACES.items()
        for file, style in files.items()
    )


def _main(source: Path, destination: Path) -> int:
    """Set one page; what this process exits with."""
    try:
        import weasyprint
        from weasyprint.text.fonts import FontConfiguration
        from weasyprint.urls import URLFetcher
    except OSError as error:
        print(error, file=sys.stderr)  # noqa: T201 - read by `render`
        return _NO_PANGO

    fonts = _fonts()

    class Fetcher(URLFetcher):  # type: ignore[misc]
        """Fetches what the page itself holds, and our fonts; nothing else, from nowhere."""

        def fetch(self, url: str, headers: Any = None) -> Any:
            if url.startswith("data:") or url in {p.as_uri() for p in fonts.glob("DejaVu*.ttf")}:
                return super().fetch(url, headers)
            raise ValueError(f"a report asks for nothing outside itself: {url}")

    page = source.read_text(encoding="utf-8")
    configuration, fetcher = FontConfiguration(), Fetcher(allowed_protocols={"data", "file"})
    faces = weasyprint.CSS(string=_font_faces(fonts), font_config=configuration, url_fetcher=fetcher)
    weasyprint.HTML(string=page, url_fetcher=fetcher).write_pdf(
        destination,
        stylesheets=[faces],
        font_config=configuration,
        pdf_identifier=hashlib.sha256(page.encode()).digest(),
        pdf_tags=True,
        dpi=220,
    )
    return 0


if __name__ == "__main__":
    sys.exit(_main(Path(sys.argv[1]), Path(sys.argv[2])))
