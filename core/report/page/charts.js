"use strict";
// Charts of one run, or of several laid over each other.

const kColors = ["#3b7ddd", "#e07b39", "#2f9e6e", "#b5539c", "#c9a227", "#6b63c7", "#d1495b", "#3aa6b9",
  "#8b6f47", "#7a8794"];

// What a page shows first. `names` match the metrics of a chart, in this order; a stacked chart adds
// them up; `one` is what runs are compared by, where the first name would not do.
const kCharts = [
  {title: "Reward", help: "mean over the step's completions, and its terms",
    names: [/^critic\/rewards\/mean$/, /^reward\/.+\/mean$/]},
  {title: "Accuracy", help: "share of right answers, held out (val) and in training",
    names: [/^val-core\/.+(?<!_se)$/, /^val-aux\/.+\/(mean|pass|maj)@[^/]*(?<!_se)$/, /^reward\/right_frac$/]},
  {title: "Length", help: "tokens of a completion; thinking and answer where the text marks them",
    names: [/^response_length\/mean$/, /^response_length\/think\/mean$/, /^response_length\/answer\/mean$/,
      /^response_length\/max$/]},
  {title: "Entropy", help: "nats per token, before the step's updates", names: [/^actor\/entropy$/]},
  {title: "KL", help: "nats: to the reference, and to the policy of the rollout",
    names: [/^actor\/kl_loss$/, /^actor\/reward_kl_penalty$/, /^actor\/ppo_kl$/]},
  {title: "Clipped and cut", help: "share of tokens that the loss clips; share of completions cut by the budget",
    names: [/^actor\/pg_clipfrac/, /^response_length\/clip_ratio$/]},
  {title: "Groups", help: "share of prompts whose completions are all right, mixed, all wrong", stacked: true,
    colors: ["#2f9e6e", "#c9a227", "#d1495b"],
    names: [/^group\/frac_all_1$/, /^group\/frac_mixed$/, /^group\/frac_all_0$/], one: /^group\/frac_mixed$/},
  {title: "Time", help: "seconds of a step, by phase", stacked: true,
    names: [/^timing_s\/(?!step$|testing$)/], one: /^timing_s\/step$/},
  {title: "Gradient", help: "norm before clipping", names: [/^actor\/grad_norm$/, /^sft\/grad_norm$/]},
  {title: "Warm-up loss", help: "supervised, nats per token", names: [/^sft\/loss$/]},
  {title: "Learning rate", help: "", names: [/^actor\/lr$/, /^sft\/lr$/]},
  {title: "Critic", help: "", names: [/^critic\/vf_explained_var$/, /^critic\/vf_loss$/]},
];

const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

function make(tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  return element;
}

function short(value) {
  if (value == null) return "–";
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-3 || size >= 1e6)) return value.toExponential(2).replace(/\.?0+e/, "e");
  return String(Number(value.toPrecision(4)));
}

// Exponential moving average, without the pull of its start.
function smoothed(values, weight) {
  if (!weight) return values;
  let sum = 0, mass = 0;
  return values.map(v => {
    if (v == null) return v;
    sum = weight * sum + (1 - weight) * v;
    mass = weight * mass + (1 - weight);
    return sum / mass;
  });
}

const hasValues = column => column !== undefined && column.some(v => v != null);

function matching(run, patterns) {
  const found = [];
  for (const pattern of patterns) {
    for (const name of Object.keys(run.series)) {
      if (pattern.test(name) && !found.includes(name) && hasValues(run.series[name])) found.push(name);
    }
  }
  return found;
}

// The curves of a chart: [{label, step, values}].
function curvesOf(spec, runs) {
  if (runs.length === 1) {
    return matching(runs[0], spec.names).map(name =>
      ({label: name, step: runs[0].step, values: runs[0].series[name]}));
  }
  const patterns = spec.one ? [spec.one] : spec.names;
  const names = patterns.map(p => [...new Set(runs.flatMap(run => matching(run, [p])))]).flat();
  if (!names.length) return [];
  return runs.flatMap((run, index) => hasValues(run.series[names[0]])
    ? [{label: run.name, step: run.step, values: run.series[names[0]], index, metric: names[0]}] : []);
}

// Steps at which a curve has values only: evaluations are far apart, and phases of a stage absent in others.
function table(curve) {
  const kept = curve.step.map((_, i) => i).filter(i => curve.values[i] != null);
  return [kept.map(i => curve.step[i]), kept.map(i => curve.values[i])];
}

function stack(data) {
  const out = [data[0]];
  for (let s = 1; s < data.length; ++s) {
    out.push(data[s].map((v, i) => {
      let sum = null;
      for (let below = s; below < data.length; ++below) {
        if (data[below][i] != null) sum = (sum ?? 0) + data[below][i];
      }
      return sum;
    }));
  }
  return out;
}

function axis(extra) {
  return {stroke: style("--dim"), grid: {stroke: style("--grid"), width: 1}, ticks: {show: false}, ...extra};
}

// Draws a chart into a new card below `parent`. Returns a function that draws it anew.
function addChart(parent, spec, runs, settings) {
  const curves = curvesOf(spec, runs);
  if (!curves.length) return null;
  const card = make("div", "card chart");
  card.dataset.chart = spec.title;
  card.append(make("h3", "", spec.title));
  card.append(make("p", "", curves[0].metric ?? spec.help));
  const place = make("div");
  card.append(place);
  parent.append(card);
  const isStacked = spec.stacked && runs.length === 1;
  let plot = null;
  const draw = () => {
    if (plot) plot.destroy();
    const raw = uPlot.join(curves.map(table));
    const data = isStacked ? stack(raw) : raw.map((column, i) => i ? smoothed(column, settings.smooth) : column);
    const width = Math.max(200, place.clientWidth);
    const points = raw[0].length;
    plot = new uPlot({
      width, height: 220, cursor: {sync: {key: "qed"}, points: {size: 6}},
      scales: {x: {time: false}, ...(isStacked ? {y: {range: (u, min, max) => [0, max || 1]}} : {})},
      axes: [axis({size: 30}), axis({size: 62, values: (u, splits) => splits.map(short)})],
      series: [{label: "step"}, ...curves.map((curve, i) => {
        const color = (curve.index === undefined && spec.colors?.[i]) || kColors[(curve.index ?? i) % kColors.length];
        return {label: curve.label, stroke: color, width: isStacked ? 1 : 1.5, spanGaps: true,
          fill: isStacked ? color : undefined,
          points: {show: !isStacked && table(curve)[0].length < 40, size: 5},
          value: (u, v, s, index) => short(index == null ? null : raw[s][index])};
      })],
    }, data, place);
    card.dataset.drawn = String(points);
  };
  draw();
  return draw;
}
