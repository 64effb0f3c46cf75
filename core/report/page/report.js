"use strict";
// Puts the page together. What is shown stands in the address, so that a view can be linked to.

(() => {
  const runs = JSON.parse(document.getElementById("data").textContent);
  const byId = id => document.getElementById(id);
  const state = Object.fromEntries(new URLSearchParams(location.hash.slice(1)));
  const settings = {smooth: Number(state.smooth ?? 0)};
  const redraws = [];
  const kTabs = ["charts", "analysis", "samples", "config"];

  function remember() {
    const kept = Object.entries(state).filter(([, value]) => value !== undefined && value !== "");
    history.replaceState(null, "", "#" + new URLSearchParams(kept));
  }

  function redraw() {
    for (const draw of redraws) draw();
    if (state.tab === "analysis") showAnalysis(byId("analysis"), runs, settings);
  }

  function setTheme(theme) {
    document.documentElement.dataset.theme = theme;
  }

  function showFigures() {
    const place = byId("figures");
    if (runs.length === 1) {
      for (const [name, text, help] of runs[0].figures) {
        if (text === "-") continue;
        const card = make("div", "card");
        card.title = help;
        card.append(make("b", "", text), make("span", "dim", name));
        place.append(card);
      }
      return;
    }
    const names = runs[0].figures.map(figure => figure[0]);
    const used = names.map((_, i) => i).filter(i => runs.some(run => run.figures[i][1] !== "-"));
    const table = make("table"), head = table.insertRow();
    head.append(make("th", "", "run"));
    for (const i of used) {
      const cell = make("th", "", names[i]);
      cell.title = runs[0].figures[i][2];
      head.append(cell);
    }
    runs.forEach((run, index) => {
      const row = table.insertRow(), name = row.insertCell(), chip = make("span", "chip");
      chip.style.background = kColors[index % kColors.length];
      name.append(chip, run.name);
      for (const i of used) row.insertCell().textContent = run.figures[i][1];
    });
    const card = make("div", "card");
    card.append(table);
    place.append(card);
  }

  function showAlarms() {
    for (const run of runs.filter(r => r.alarms.length)) {
      const card = make("div", "card");
      for (const [step, sentence] of run.alarms) {
        const where = runs.length > 1 ? `${run.name}, step ${step}: ` : `step ${step}: `;
        const line = make("div", "", sentence);
        line.prepend(make("span", "dim", where));
        card.append(line);
      }
      byId("alarms").append(card);
    }
  }

  function showAll() {
    const names = [...new Set(runs.flatMap(run => Object.keys(run.series)))].sort();
    const fill = () => {
      byId("more").replaceChildren();
      redraws.length = numMain;
      const text = byId("search").value.toLowerCase();
      for (const name of names.filter(n => n.toLowerCase().includes(text))) {
        const exact = new RegExp("^" + name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") + "$");
        const draw = addChart(byId("more"), {title: name, help: "", names: [exact]}, runs, settings);
        if (draw) redraws.push(draw);
      }
    };
    byId("search").addEventListener("input", fill);
    byId("all").addEventListener("toggle", () => { if (byId("all").open) fill(); });
  }

  function showConfig() {
    const section = byId("config");
    for (const run of runs) {
      const card = make("div", "card group");
      card.append(make("h2", "", run.name), make("pre", "", run.config || "no config.toml"));
      section.append(card);
    }
  }

  function showTab(name) {
    const tab = kTabs.includes(name) ? name : "charts";
    state.tab = tab === "charts" ? undefined : tab;
    for (const id of kTabs) byId(id).hidden = id !== tab;
    for (const button of byId("tabs").children) {
      button.setAttribute("aria-selected", String(button.dataset.tab === tab));
    }
    if (tab === "charts") redraw();
    if (tab === "analysis") showAnalysis(byId("analysis"), runs, settings);
    if (tab === "samples") showSamples(byId("samples"), runs, state, remember);
    remember();
  }

  const title = runs.map(run => run.name).join(" · ");
  document.title = title + " – qed report";
  byId("title").textContent = title;
  const prefersDark = matchMedia("(prefers-color-scheme: dark)");
  setTheme(state.theme ?? (prefersDark.matches ? "dark" : "light"));
  showFigures();
  showAlarms();
  for (const spec of kCharts) {
    const draw = addChart(byId("main"), spec, runs, settings);
    if (draw) redraws.push(draw);
  }
  if (!redraws.length) byId("main").append(make("p", "dim", "No metrics yet."));
  const numMain = redraws.length;
  showAll();
  showConfig();

  byId("smooth").value = settings.smooth;
  byId("smooth").addEventListener("input", event => {
    settings.smooth = Number(event.target.value);
    state.smooth = settings.smooth || undefined;
    remember();
    redraw();
  });
  byId("theme").addEventListener("click", () => {
    state.theme = document.documentElement.dataset.theme === "dark" ? "light" : "dark";
    setTheme(state.theme);
    remember();
    redraw();
  });
  prefersDark.addEventListener("change", event => {
    if (state.theme) return;
    setTheme(event.matches ? "dark" : "light");
    redraw();
  });
  for (const button of byId("tabs").children) {
    button.addEventListener("click", () => showTab(button.dataset.tab));
  }
  let pending = 0;
  addEventListener("resize", () => {
    clearTimeout(pending);
    pending = setTimeout(() => { if (!byId("charts").hidden || state.tab === "analysis") redraw(); }, 150);
  });
  showTab(state.tab);
})();
