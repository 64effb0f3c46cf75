#include "data.h"

#include "puzzle.h"
#include "solver.h"

#include "qed/hash.h"

#include <limits>

namespace countdown {
namespace {

constexpr std::uint32_t kTestShare = 20;  // one key in twenty
constexpr std::uint64_t kTinyZeroTrain = 327'680, kTinyZeroTest = 1024;
constexpr std::int32_t kWarning = 2;

// Calls use(index, puzzle) for every good row, up to `max_rows` rows.
template <class Use>
void scan(const qed::Host& host, const qed::DataFile& file, const DataOptions& options, Use&& use) {
  std::uint64_t num_bad = 0;
  std::string first;
  const std::uint64_t limit = options.max_rows > 0 ? static_cast<std::uint64_t>(options.max_rows)
                                                   : std::numeric_limits<std::uint64_t>::max();
  for (std::uint64_t i = 0; i < std::min(file.count(), limit); ++i) {
    try {
      use(i, parse_plain(file.row(i)));
    } catch (const qed::Error& error) {
      std::string what = error.what();
      const std::string place = file.place(i);
      if (what.find(place) == what.npos) what = place + ": " + what;
      if (options.bad_rows != "skip") {
        throw qed::Error(what + "; repair it, or set bad_rows = \"skip\"", error.code());
      }
      if (num_bad++ == 0) first = what;
    }
  }
  if (num_bad == 0) return;
  host.log(kWarning,
           "countdown: skipped " + std::to_string(num_bad) + " bad rows; the first: " + first);
}

}  // namespace

bool is_test_key(std::string_view key) { return qed::crc32(key) % kTestShare == 0; }

void Data::open(const qed::Host& host, const DataOptions& options) {
  const std::vector<std::string_view> columns = {"target", "nums"};
  if (!options.hold_out.empty()) {
    scan(host, host.data(options.hold_out, columns), options,
         [&](std::uint64_t, const Plain& puzzle) { held_out_.insert(key_of(puzzle)); });
  }
  if (options.data.empty()) return;
  const auto is_wanted = [&](const Plain& puzzle) {
    return !options.plus_minus || is_plus_minus_solvable(puzzle.nums, puzzle.target);
  };
  if (!options.eval_data.empty()) {
    test_file_ = host.data(options.eval_data, columns);
    scan(host, test_file_, options, [&](std::uint64_t i, const Plain& puzzle) {
      held_out_.insert(key_of(puzzle));
      if (is_wanted(puzzle)) test_.push_back(i);
    });
  }
  train_file_ = host.data(options.data, columns);
  scan(host, train_file_, options, [&](std::uint64_t i, const Plain& puzzle) {
    if (!is_wanted(puzzle)) return;
    const std::string key = key_of(puzzle);
    bool is_test = false;
    if (options.eval_data.empty()) {
      is_test = options.split == "hash" ? is_test_key(key) : i >= kTinyZeroTrain;
      if (is_test && options.split != "hash" && i >= kTinyZeroTrain + kTinyZeroTest) return;
    }
    if (is_test) {
      test_.push_back(i);
    } else if (!is_held_out(key)) {
      train_.push_back(i);
    }
  });
  if (train_.empty()) throw qed::Error("`" + options.data + "` has no row to train on");
}

std::uint64_t Data::count(std::string_view split) const { return rows(split).size(); }

qed::Item Data::load(std::string_view split, std::uint64_t index) const {
  const auto& kept = rows(split);
  if (index >= kept.size()) {
    throw qed::Error("there is no item " + std::to_string(index) + " in split `" +
                         std::string(split) + "`: it has " + std::to_string(kept.size()),
                     QED_INVALID);
  }
  const auto& file = split == "test" && test_file_.is_open() ? test_file_ : train_file_;
  const Plain puzzle = parse_plain(file.row(kept[index]));
  return {key_of(puzzle), write(puzzle)};
}

}  // namespace countdown
