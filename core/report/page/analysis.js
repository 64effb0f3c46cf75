"use strict";
// What the completions look like: how they end, how long they are, what they say.

const kAnalysisCharts = [
  {title: "Kinds", help: "share of scored completions: right; wrong, with an answer that could be read; without one",
    stacked: true, colors: ["#2f9e6e", "#c9a227", "#d1495b"],
    names: [/^share\/correct$/, /^share\/formatted$/, /^share\/incorrect$/], one: /^share\/formatted$/},
  {title: "Length by kind", help: "mean tokens of right and of wrong completions",
    names: [/^length\/correct$/, /^length\/wrong$/, /^length\/formatted$/, /^length\/incorrect$/]},
  {title: "Thinking and answer", help: "mean characters up to </think>, and after it",
    names: [/^length\/thinking_chars$/, /^length\/answer_chars$/]},
  {title: "pass@k", help: "chance that one of k completions of a prompt is right", names: [/^pass@/]},
  {title: "Reflection words", help: "share of completions with a word of each published list",
    names: [/^(?!steps\/).+\/frac$/], one: /^understand_r1_zero\/frac$/},
  {title: "Reflection and being right", help: "share right with a word of understand_r1_zero, and without",
    names: [/^understand_r1_zero\/right_with$/, /^understand_r1_zero\/right_without$/]},
  {title: "Reflection@k", help: "prompts with a word of understand_r1_zero: share, precision, recall",
    names: [/^understand_r1_zero\/(reflection@k|precision|recall)$/]},
  {title: "Steps", help: "share of completions with a word for steps (step 1, first, next, …)", names: [/^steps\/frac$/]},
  {title: "Cut, repeating, boxed", help: "shares of completions; repeating: SimpleRL's test",
    names: [/^clip_ratio$/, /^repeat_ratio$/, /^box_ratio$/]},
  {title: "Language mixing", help: "share of completions, and of letters, in a script that the prompt does not use",
    names: [/^mixed_frac$/, /^foreign_letters_frac$/]},
];

function cellTable(cells) {
  const table = make("table");
  cells.forEach((line, index) => {
    const row = table.insertRow();
    for (const cell of line) row.append(make(index ? "td" : "th", "", cell));
  });
  return table;
}

// Fills the section.
function showAnalysis(section, runs, settings) {
  const found = runs.filter(run => run.analysis.num_samples);
  section.replaceChildren();
  if (!found.length) {
    section.append(make("p", "dim", "No samples yet: they come with the first reinforcement step."));
    return;
  }
  const grid = make("div", "grid");
  section.append(grid);
  const curves = found.map(run => ({name: run.name, step: run.analysis.step, series: run.analysis.series}));
  for (const spec of kAnalysisCharts) addChart(grid, spec, curves, settings);
  for (const run of found) {
    const card = make("div", "card");
    card.append(make("h2", "", run.name),
      make("p", "dim", `${run.analysis.num_samples} completions of ${run.analysis.step.length} steps; ` +
        "`qed analyze` reads them all, and says what the columns are"),
      cellTable(run.analysis.lists));
    if (run.analysis.words.length > 1) card.append(make("p"), cellTable(run.analysis.words));
    section.append(card);
  }
}
