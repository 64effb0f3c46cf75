#include "core/report/report_page.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/report/analysis_text.h"
#include "core/report/run_table.h"
#include "core/util/embedded.h"
#include "core/util/error.h"
#include "core/util/files.h"

namespace qed {

extern const std::vector<EmbeddedFile> kReportPage;  // generated from page/
extern const std::vector<EmbeddedFile> kUplot;       // generated from third_party/uplot

namespace {

using nlohmann::ordered_json;

constexpr std::size_t kMostPoints = 2000;  // of a curve on the page

std::string_view file(const std::vector<EmbeddedFile>& files, std::string_view path) {
  const auto found = std::find_if(files.begin(), files.end(),
                                  [&](const EmbeddedFile& f) { return f.path == path; });
  QED_CHECK(found != files.end(), path);
  return found->text;
}

// Six digits are more than a chart shows.
ordered_json rounded(double value) {
  if (!std::isfinite(value)) return nullptr;
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return std::strtod(text, nullptr);
}

ordered_json to_json(const SampleAnalysis& analysis) {
  constexpr std::size_t kMostWords = 30;
  ordered_json steps = ordered_json::array(), series = ordered_json::object();
  for (const auto& [step, tally] : analysis.steps) {
    for (const auto& [name, value] : tally_numbers(tally)) {
      ordered_json& column = series[name];
      while (column.size() < steps.size()) column.push_back(nullptr);
      column.push_back(rounded(value));
    }
    steps.push_back(step);
  }
  const SampleTally total = analysis.total();
  return {{"step", std::move(steps)},
          {"series", std::move(series)},
          {"num_samples", total.num_samples},
          {"lists", list_cells(total)},
          {"words", word_cells(total, kMostWords)}};
}

ordered_json to_json(const RunData& run) {
  const Curves curves = thinned(run.curves, kMostPoints);
  ordered_json series = ordered_json::object();
  for (const auto& [name, column] : curves.series) {
    ordered_json& to = series[name] = ordered_json::array();
    for (const double value : column) to.push_back(rounded(value));
  }
  ordered_json figures = ordered_json::array();
  for (const Figure& f : final_figures(run)) figures.push_back({f.name, f.text, f.help});
  ordered_json alarms = ordered_json::array();
  for (const Alarms::Raised& a : run.alarms) alarms.push_back({a.global_step, a.sentence});
  return {{"name", run.name},
          {"alarms", alarms},
          {"config", run.config},
          {"figures", figures},
          {"points", run.curves.step.size()},
          {"step", curves.step},
          {"stage", curves.stage},
          {"series", std::move(series)},
          {"samples", run.samples},
          {"analysis", to_json(run.analysis)}};
}

// JSON that may stand inside a script element: nothing in it can end the element.
std::string for_script(const ordered_json& value) {
  std::string out;
  for (const char c : value.dump(-1, ' ', false, ordered_json::error_handler_t::replace)) {
    if (c == '<') {
      out += "\\u003c";
    } else {
      out += c;
    }
  }
  return out;
}

void replace_once(std::string& text, std::string_view mark, std::string_view with) {
  const std::size_t at = text.find(mark);
  QED_CHECK(at != text.npos, mark);
  text.replace(at, mark.size(), with);
}

}  // namespace

std::string report_page(std::span<const RunData> runs) {
  ordered_json data = ordered_json::array();
  for (const RunData& run : runs) data.push_back(to_json(run));
  std::string page(file(kReportPage, "report.html"));
  replace_once(page, "/*uplot style*/", file(kUplot, "uPlot.min.css"));
  replace_once(page, "/*style*/", file(kReportPage, "report.css"));
  replace_once(page, "/*uplot*/", file(kUplot, "uPlot.iife.min.js"));
  replace_once(page, "/*charts*/", file(kReportPage, "charts.js"));
  replace_once(page, "/*samples*/", file(kReportPage, "samples.js"));
  replace_once(page, "/*analysis*/", file(kReportPage, "analysis.js"));
  replace_once(page, "/*report*/", file(kReportPage, "report.js"));
  replace_once(page, "/*data*/", for_script(data));  // last: what it holds may look like a mark
  return page;
}

void write_report(const std::filesystem::path& run_folder) {
  const RunData run = read_run(run_folder);
  write_file(run_folder / "report.html", report_page(std::span(&run, 1)));
}

}  // namespace qed
