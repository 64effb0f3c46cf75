#pragma once

// An analysis of samples as tables for people and as JSON for programs. [any]

#include <cstddef>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "core/report/sample_analysis.h"

namespace qed {

using TextCells = std::vector<std::vector<std::string>>;  // lines, the first of them heads

// A line per list of words.
TextCells list_cells(const SampleTally& total);

// A line per word that was found, those found most first, at most `most`.
TextCells word_cells(const SampleTally& total, std::size_t most);

// Three tables: by steps, at most `rows` ranges of them and the total; by list of words; the words
// found most. "-" is nothing to count. Ends with a newline.
std::string analysis_tables(const SampleAnalysis& analysis, std::size_t rows);

// `total` and `steps` with the numbers of tally_numbers (null: NaN), `words` with the count of each
// word and the completions that have it.
nlohmann::ordered_json analysis_json(const SampleAnalysis& analysis);

}  // namespace qed
