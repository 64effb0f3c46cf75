#pragma once

// Puzzles from data files: rows with `target` and `nums`.

#include "qed/host.h"
#include "qed/task.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

namespace countdown {

// Whether a puzzle belongs to the test split, where its key decides.
bool is_test_key(std::string_view key);

struct DataOptions {
  std::string data;       // empty: no file, the generator makes the puzzles
  std::string eval_data;  // rows of the test split; empty: they come from `data`
  std::string split = "hash";
  std::string bad_rows = "error";
  std::string hold_out;
  std::int64_t max_rows = 0;
  bool plus_minus = false;  // keep the rows that + and - alone can solve
};

// The files of one task, read once at the start to check every row. [any] afterwards
class Data {
 public:
  void open(const qed::Host& host, const DataOptions& options);

  bool has_rows() const { return train_file_.is_open(); }
  // A key of `hold_out` or of `eval_data`: it must not be trained on.
  bool is_held_out(const std::string& key) const { return held_out_.contains(key); }
  std::uint64_t count(std::string_view split) const;
  qed::Item load(std::string_view split, std::uint64_t index) const;

 private:
  const std::vector<std::uint64_t>& rows(std::string_view split) const {
    return split == "test" ? test_ : train_;
  }

  qed::DataFile train_file_, test_file_;     // test_file_ not open: both splits are in train_file_
  std::vector<std::uint64_t> train_, test_;  // numbers of the rows kept
  std::unordered_set<std::string> held_out_;
};

}  // namespace countdown
