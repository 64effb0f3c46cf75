"use strict";
// The browser of samples: completions of a run by step, verdict and text.

const kVerdicts = ["all", "right", "wrong", "none", "not scored"];
const verdictOf = sample => sample.reward == null ? "not scored" : sample.verdict;

function field(parent, name, value) {
  const span = make("span", "", name + " ");
  span.append(make("b", "", value));
  parent.append(span);
}

// A completion, thinking dimmed. Text only: nothing in it is taken for HTML.
function completionText(text) {
  const pre = make("pre");
  const end = text.indexOf("</think>");
  const at = end >= 0 ? end + "</think>".length : Math.max(0, text.indexOf("<answer>"));
  if (at > 0) pre.append(make("span", "think", text.slice(0, at)));
  pre.append(document.createTextNode(text.slice(at)));
  return pre;
}

function sampleCard(sample) {
  const verdict = verdictOf(sample);
  const card = make("div", "sample");
  card.dataset.verdict = verdict;
  const meta = make("div", "meta");
  const mark = make("b", "", verdict);
  mark.dataset.verdict = verdict;
  meta.append(mark);
  field(meta, "reward", short(sample.reward));
  field(meta, "advantage", short(sample.advantage));
  field(meta, "tokens", String(sample.num_tokens));
  if (sample.finish !== "stop") field(meta, "ended by", sample.finish);
  const terms = Object.entries(sample.terms ?? {}).filter(([, value]) => value != null);
  for (const [name, value] of terms) field(meta, name, short(value));
  field(meta, "sample", String(sample.sample));
  card.append(meta, completionText(sample.completion));
  if (sample.note) card.append(make("div", "dim", sample.note));
  return card;
}

function groupCard(group, samples) {
  const card = make("div", "card group");
  const meta = make("div", "meta");
  field(meta, "task", group.task);
  field(meta, "item", group.item);
  field(meta, "group", String(group.group));
  const right = group.samples.filter(s => s.verdict === "right").length;
  field(meta, "right", `${right} of ${group.samples.length}`);
  card.append(meta, make("pre", "prompt", group.prompt));
  for (const sample of samples) card.append(sampleCard(sample));
  return card;
}

function chooser(parent, label, values, onChange) {
  const select = make("select");
  select.setAttribute("aria-label", label);
  for (const value of values) select.append(new Option(value, value));
  select.addEventListener("change", onChange);
  parent.append(select);
  return select;
}

// Fills the section. `state` has run, step, verdict and text, and is kept up to date; `changed` is
// called when it changed.
function showSamples(section, runs, state, changed) {
  const withSamples = runs.filter(run => run.samples.length);
  section.replaceChildren();
  if (!withSamples.length) {
    section.append(make("p", "dim", "No samples yet: they come with the first reinforcement step."));
    return;
  }
  const run = withSamples.find(r => r.name === state.run) ?? withSamples[0];
  const steps = [...new Set(run.samples.map(group => group.global_step))];
  if (!steps.includes(Number(state.step))) state.step = steps[steps.length - 1];
  if (!kVerdicts.includes(state.verdict)) state.verdict = "all";
  const at = steps.indexOf(Number(state.step));

  const bar = make("div", "bar");
  const again = change => {
    Object.assign(state, change);
    changed();
    showSamples(section, runs, state, changed);
  };
  if (withSamples.length > 1) {
    const select = chooser(bar, "run", withSamples.map(r => r.name), () => again({run: select.value}));
    select.value = run.name;
  }
  const move = (text, title, by) => {
    const button = make("button", "", text);
    button.title = title;
    button.disabled = steps[at + by] === undefined;
    button.addEventListener("click", () => again({step: steps[at + by]}));
    bar.append(button);
  };
  move("‹", "step before", -1);
  const step = chooser(bar, "step", steps, () => again({step: Number(step.value)}));
  step.value = String(state.step);
  step.id = "step";
  for (const option of step.options) option.textContent = "step " + option.value;
  move("›", "step after", 1);

  const groups = run.samples.filter(group => group.global_step === Number(state.step));
  const all = groups.flatMap(group => group.samples);
  for (const verdict of kVerdicts) {
    const count = verdict === "all" ? all.length : all.filter(s => verdictOf(s) === verdict).length;
    if (!count && verdict !== state.verdict && verdict !== "all") continue;
    const button = make("button", "", `${verdict} ${count}`);
    button.dataset.filter = verdict;
    button.setAttribute("aria-selected", String(verdict === state.verdict));
    button.addEventListener("click", () => again({verdict}));
    bar.append(button);
  }
  const search = make("input");
  search.type = "search";
  search.placeholder = "text in prompt or completion";
  search.value = state.text ?? "";
  bar.append(search, make("span", "dim", "a selection; samples.jsonl has them all"));
  const list = make("div");
  const fill = () => {
    const text = (state.text ?? "").toLowerCase();
    list.replaceChildren();
    for (const group of groups) {
      const inPrompt = group.prompt.toLowerCase().includes(text);
      const shown = group.samples.filter(s =>
        (state.verdict === "all" || verdictOf(s) === state.verdict) &&
        (inPrompt || s.completion.toLowerCase().includes(text)));
      if (shown.length) list.append(groupCard(group, shown));
    }
    if (!list.children.length) list.append(make("p", "dim", "Nothing here has that verdict and text."));
  };
  search.addEventListener("input", () => { state.text = search.value; changed(); fill(); });
  section.append(bar, list);
  fill();
}
