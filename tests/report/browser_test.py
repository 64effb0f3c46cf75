"""report.html in a real browser: charts are drawn, samples can be browsed, nothing fails.

A small script at the end of the page uses it as a person would and leaves what it saw in the page,
which the browser then prints. Skipped where there is no Chromium; QED_BROWSER names one.
"""

import html
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile

NASTY = "<img src=x onerror=\"document.title='HACKED'\"></script><b>bold</b>"

PROBE = """
<script>
const seen = {};
const press = element => element.dispatchEvent(new MouseEvent("click", {bubbles: true}));
const type = (element, text) => {
  element.value = text;
  element.dispatchEvent(new Event(element.tagName === "SELECT" ? "change" : "input"));
};
const painted = canvas => {
  const pixels = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data;
  let count = 0;
  for (let i = 3; i < pixels.length; i += 4) count += pixels[i] > 0;
  return count;
};
const charts = (place = "#main") => Object.fromEntries([...document.querySelectorAll(place + " .chart")].map(card =>
  [card.dataset.chart, {painted: painted(card.querySelector("canvas")),
    labels: [...card.querySelectorAll(".u-series .u-label")].map(l => l.textContent)}]));
const samples = () => [...document.querySelectorAll(".sample")].map(card =>
  ({verdict: card.dataset.verdict, text: card.querySelector("pre").textContent}));
const drawn = () => new Promise(done => setTimeout(done, 50));  // uPlot draws after the event
const use = async () => {
  await drawn();
  seen.title = document.title;
  seen.charts = charts();
  seen.alarms = document.getElementById("alarms").textContent;
  press(document.getElementById("theme"));
  seen.theme = document.documentElement.dataset.theme;
  await drawn();
  seen.again = charts();
  type(document.getElementById("smooth"), "0.9");
  document.getElementById("all").open = true;
  await drawn();
  seen.more = document.querySelectorAll("#more .chart").length;
  press(document.querySelector("[data-tab=analysis]"));
  await drawn();
  seen.analysis = charts("#analysis");
  seen.words = document.getElementById("analysis").textContent;
  press(document.querySelector("[data-tab=samples]"));
  seen.step = document.getElementById("step")?.value;
  seen.samples = samples();
  press(document.querySelector("[data-filter=wrong]"));
  seen.wrong = samples();
  press(document.querySelector("[data-filter=all]"));
  type(document.querySelector("#samples input"), "ANSWER 1-0");
  seen.found = samples();
  type(document.querySelector("#samples input"), "");
  type(document.getElementById("step"), "1");
  seen.first = samples();
  seen.address = location.hash;
  seen.bold = document.querySelectorAll("#samples b:not([data-verdict]):not(.meta b)").length;
  press(document.querySelector("[data-tab=config]"));
  seen.config = document.getElementById("config").textContent;
};
use().catch(error => { seen.error = String(error.stack); }).finally(() => {
  const out = document.createElement("textarea");
  out.id = "seen";
  out.textContent = JSON.stringify(seen);
  document.body.append(out);
});
</script>
"""


def check(is_true, what):
    if not is_true:
        sys.exit(f"FAILED: {what}")


def find_browser():
    names = [os.environ.get("QED_BROWSER", ""), "chromium", "chromium-browser", "google-chrome"]
    return next((path for path in map(shutil.which, filter(None, names)) if path), None)


def make_run(folder, reward=0.5):
    folder.mkdir()
    rows, lines = [], []
    for step in range(1, 4):
        row = {"stage": "rl", "step": step, "training/global_step": step, "critic/rewards/mean": reward * step,
               "response_length/mean": 5.0 * step, "response_length/clip_ratio": 0.2 * step, "actor/entropy": 1 / step,
               "actor/ppo_kl": 1e-5 * step, "actor/pg_clipfrac": None, "group/frac_all_1": 0.25,
               "group/frac_mixed": 0.5, "group/frac_all_0": 0.25, "timing_s/gen": 0.5, "timing_s/step": 1.0,
               "timing_s/update_actor": 0.4, "reward/right_frac": 0.5}
        rows += [row, {"stage": "rl", "step": step, "training/global_step": step, "val-core/t/mean@1": 0.3 * step}]
        for group in range(2):
            for sample in range(3):
                lines.append({"training/global_step": step, "step": step, "task": "t", "item": f"i{group}",
                              "group": group, "sample": sample, "prompt": f"question {group} {NASTY}",
                              "completion": f"<think>wait</think>answer {group}-{sample} {NASTY}", "finish": "stop",
                              "num_tokens": 4, "reward": None if sample == 2 else float(sample),
                              "verdict": ("wrong", "right", "none")[sample], "terms": {"correct": 1.0},
                              "advantage": 0.5, "note": NASTY})
    (folder / "metrics.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (folder / "samples.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    (folder / "config.toml").write_text("# the config\n")


def browse(browser, page, profile):
    """Opens the page with the probe in it. Returns what the probe saw and what the console said."""
    text = page.read_text()
    check("</body>" in text, "the page has no end")
    probed = page.with_suffix(".probed.html")
    probed.write_text(text.replace("</body>", PROBE + "</body>"))
    done = subprocess.run([browser, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run",
                           f"--user-data-dir={profile}", "--window-size=1300,1000", "--virtual-time-budget=5000",
                           "--enable-logging=stderr", "--dump-dom", probed.as_uri()],
                          capture_output=True, text=True, timeout=100)
    found = re.search(r'<textarea id="seen">(.*?)</textarea>', done.stdout, re.DOTALL)
    check(found, f"the page did not get to its end: {done.stderr[-2000:]}")
    return (json.loads(html.unescape(found.group(1))),
            [line for line in done.stderr.splitlines() if "CONSOLE" in line])


def report(*arguments):
    return subprocess.run([os.environ["QED_BIN"], "report", *map(str, arguments)], check=True, text=True,
                          capture_output=True).stdout


def test_one_run(browser, folder):
    make_run(folder / "one")
    report(folder / "one")
    seen, console = browse(browser, folder / "one" / "report.html", folder / "profile")
    check("error" not in seen, seen.get("error"))
    check(not console, f"the console is not silent: {console}")
    check(seen["title"] == "one – qed report", seen["title"])
    expected = ["Reward", "Accuracy", "Length", "Entropy", "KL", "Clipped and cut", "Groups", "Time"]
    check(list(seen["charts"]) == expected, list(seen["charts"]))
    for state in ("charts", "again"):
        blank = [name for name, chart in seen[state].items() if chart["painted"] < 500]
        check(not blank, f"{state}: nothing is drawn in {blank}")
    check(seen["charts"]["Groups"]["labels"][1:] == ["group/frac_all_1", "group/frac_mixed", "group/frac_all_0"],
          seen["charts"]["Groups"])
    check(seen["alarms"].startswith("step 2: response_length/clip_ratio is 0.4: "), seen["alarms"])
    check(seen["theme"] in ("light", "dark"), seen["theme"])
    check(seen["more"] >= 12, f"{seen['more']} charts of all metrics")

    expected = ["Kinds", "Length by kind", "Thinking and answer", "pass@k", "Reflection words",
                "Reflection and being right", "Reflection@k", "Steps", "Cut, repeating, boxed", "Language mixing"]
    check(list(seen["analysis"]) == expected, list(seen["analysis"]))
    blank = [name for name, chart in seen["analysis"].items() if chart["painted"] < 500]
    check(not blank, f"nothing is drawn in {blank}")
    check("18 completions of 3 steps" in seen["words"] and "simplerl" in seen["words"], seen["words"])

    check(seen["step"] == "3" and len(seen["samples"]) == 6, f"step {seen['step']}: {seen['samples']}")
    check([s["verdict"] for s in seen["samples"]] == ["wrong", "right", "not scored"] * 2, seen["samples"])
    check([s["verdict"] for s in seen["wrong"]] == ["wrong"] * 2, seen["wrong"])
    check([s["text"] for s in seen["found"]] == [f"<think>wait</think>answer 1-0 {NASTY}"], seen["found"])
    check(len(seen["first"]) == 6 and "step=1" in seen["address"], seen["address"])
    check(seen["bold"] == 0 and "HACKED" not in seen["title"], "text of a model became part of the page")
    check("# the config" in seen["config"], seen["config"])


def test_several_runs(browser, folder):
    make_run(folder / "two", reward=0.1)
    said = report(folder / "one", folder / "two")
    check(f"report  {folder / 'compare.html'}" in said, said)
    seen, console = browse(browser, folder / "compare.html", folder / "profile")
    check("error" not in seen and not console, f"{seen.get('error')} {console}")
    check(all(chart["labels"][1:] == ["one", "two"] for chart in seen["charts"].values()), seen["charts"])


browser = find_browser()
if browser is None:
    print("SKIPPED: no Chromium found: install one, or name it in QED_BROWSER")
    sys.exit(77)
with tempfile.TemporaryDirectory(prefix="qed-browser-test-") as folder:
    folder = pathlib.Path(folder)
    test_one_run(browser, folder)
    test_several_runs(browser, folder)
print("charts drawn and samples browsed in", browser)
