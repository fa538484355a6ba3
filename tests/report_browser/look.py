"""Opens the report's pages in a headless browser, checks them by check.js and stores screenshots. Run by scripts/test-report.

The page is shown in a frame as wide as the screen it stands for: a browser window cannot be as narrow as a telephone. Colour scheme and
checks go through the browser's command line, so that nothing but the browser and Python is needed.
"""

import html
import json
import pathlib
import re
import subprocess
import sys
import tempfile

WIDTHS = (1280, 390)
SCHEMES = {"light": "1", "dark": "0"}
PAGES = {"recommendation": 10, "recommendation-memo": 0, "recommendation-orders": 0}
CHECK = (pathlib.Path(__file__).parent / "check.js").read_text()

FRAME = """<!DOCTYPE html><html><head><meta charset="utf-8"><meta name="color-scheme" content="light dark">
<style>html,body{{margin:0}}iframe{{border:0;display:block;width:{width}px;height:{height}px}}</style></head>
<body><iframe src="{page}"></iframe><pre id="answer" hidden></pre><script>
{check}
window.addEventListener("load", () => {{
  const page = document.querySelector("iframe").contentDocument;
  document.getElementById("answer").textContent = JSON.stringify(checkPage(page));
}});
</script></body></html>"""


def run(browser, scheme, profile, *arguments):
    command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--allow-file-access-from-files",
               "--force-device-scale-factor=1", f"--user-data-dir={profile}", f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}",
               "--virtual-time-budget=4000", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=240, check=False)


def look(browser, folder, page, charts, width, scheme, shots, work):
    source = (folder / f"{page}.html").resolve().as_uri()
    frame = work / "frame.html"

    def write(height):
        frame.write_text(FRAME.format(width=width, height=height, page=source, check=CHECK))

    write(1200)
    answer = run(browser, scheme, work / "profile", f"--window-size={max(width, 600)},1200", "--dump-dom", frame.as_uri())
    found = re.search(r'<pre id="answer"[^>]*>(.*?)</pre>', answer.stdout, re.S)
    if not found or not found.group(1):
        return [f"the browser gave no answer: {answer.stderr[-400:]}"]
    seen = json.loads(html.unescape(found.group(1)))
    complaints = seen["complaints"]
    if seen["charts"] < charts:
        complaints.append(f"{seen['charts']} charts instead of {charts} or more")
    if seen["isDark"] != (scheme == "dark"):
        complaints.append("the page does not follow the colour scheme")
    write(seen["height"])
    shot = shots / f"{page}-{width}-{scheme}.png"
    run(browser, scheme, work / "profile", f"--window-size={max(width, 600)},{seen['height']}", f"--screenshot={shot}", frame.as_uri())
    if not shot.exists() or shot.stat().st_size < 10_000:
        complaints.append("no screenshot was taken")
    print(f"{page} at {width} pixels, {scheme}: {seen['charts']} charts, {seen['texts']} lines of text, {len(complaints)} complaints")
    return complaints


def main():
    browser, folder = sys.argv[1], pathlib.Path(sys.argv[2])
    shots = folder / "screenshots"
    shots.mkdir(parents=True, exist_ok=True)
    shots = shots.resolve()
    wrong = 0
    with tempfile.TemporaryDirectory() as work:
        for page, charts in PAGES.items():
            for width in WIDTHS:
                for scheme in SCHEMES:
                    for complaint in look(browser, folder, page, charts, width, scheme, shots, pathlib.Path(work)):
                        print(f"    {complaint}")
                        wrong += 1
        memo = (folder / "recommendation-memo.html").resolve()
        paper = pathlib.Path(work) / "memo.pdf"
        run(browser, "light", pathlib.Path(work) / "profile", "--no-pdf-header-footer", f"--print-to-pdf={paper}", memo.as_uri())
        pages = len(re.findall(rb"/Type\s*/Page\b", paper.read_bytes())) if paper.exists() else 0
        print(f"the memo prints on {pages} sheet(s)")
        wrong += pages != 1
    sys.exit(f"{wrong} complaints" if wrong else 0)


if __name__ == "__main__":
    main()
