#pragma once

// The HTML report: one page with charts and samples that needs no network and no other file.

#include <filesystem>
#include <span>
#include <string>

#include "core/report/run_data.h"

namespace qed {

// The page of one run, or of several laid over each other. The same runs give the same bytes.
std::string report_page(std::span<const RunData> runs);

// Writes report.html into a run folder, from the files that are there.
void write_report(const std::filesystem::path& run_folder);

}  // namespace qed
