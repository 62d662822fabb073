"""Open a report in headless Chromium at desktop and phone width, look for faults, and keep the pictures.

``look.py REPORT [FOLDER]``: exit 1 when a picture inside the page is broken, the page is wider than the window, or a file outside
the page is asked for.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

WIDTHS = {"desktop": 1280, "phone": 390}
FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--allow-file-access-from-files",
]
WRAPPER = """<!doctype html><body style="margin:0">
<iframe id="f" src="{src}" style="border:0" width="{width}" height="4000"></iframe>
<pre id="said"></pre><script>
document.getElementById("f").onload = function () {{
  const d = this.contentDocument, images = [...d.images];
  document.getElementById("said").textContent = JSON.stringify({{
    wide: d.documentElement.scrollWidth, broken: images.filter(i => !i.naturalWidth).length, images: images.length,
    outside: [...d.querySelectorAll("[src],link[href]")].map(e => e.src || e.href).filter(u => !u.startsWith("data:")),
    headings: d.querySelectorAll("h1,h2,h3").length }});
}};
</script>"""


def browser() -> str:
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        sys.exit("look.py: no Chromium found; on Debian: apt install chromium")
    return found


def run(flags: list[str], page: Path) -> str:
    with tempfile.TemporaryDirectory() as profile:
        command = [browser(), *FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
        return subprocess.run(command, capture_output=True, text=True, timeout=180, check=True).stdout


def look(report: Path, name: str, width: int, pictures: Path) -> list[str]:
    wrapper = report.with_name(f".look-{name}.html")
    wrapper.write_text(WRAPPER.format(src=report.name, width=width))
    try:
        dom = run(["--dump-dom", "--virtual-time-budget=20000", f"--window-size={max(width, 500)},4000"], wrapper)
        shot = [
            f"--screenshot={pictures / name}.png",
            f"--window-size={max(width, 500)},4000",
            "--virtual-time-budget=20000",
        ]
        run(shot, wrapper)
    finally:
        wrapper.unlink()
    said = json.loads(re.search(r'<pre id="said">(.*?)</pre>', dom, re.S)[1].replace("&amp;", "&"))
    print(
        f"{name}: {said['images']} pictures, {said['headings']} headings, {said['wide']} px wide in a window of {width}"
    )
    faults = [f"{name}: {said['broken']} pictures do not show"] * bool(said["broken"])
    faults += [f"{name}: no picture or no heading at all"] * (not said["images"] or not said["headings"])
    faults += [f"{name}: the page is {said['wide']} px wide"] * (said["wide"] > width)
    faults += [f"{name}: asks for {said['outside']}"] * bool(said["outside"])
    return faults


def main() -> int:
    report = Path(sys.argv[1]).resolve()
    pictures = Path(sys.argv[2] if len(sys.argv) > 2 else report.parent / "pictures").resolve()
    pictures.mkdir(parents=True, exist_ok=True)
    faults = [fault for name, width in WIDTHS.items() for fault in look(report, name, width, pictures)]
    print("\n".join(faults) or f"no fault; pictures in {pictures}")
    return bool(faults)


if __name__ == "__main__":
    sys.exit(main())
