#pragma once

// The rows of a data file as items of a task. A bad row is an error that says where it stands, or
// is left out and counted.

#include "qed/host.h"
#include "qed/task.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#pragma GCC visibility push(hidden)
namespace qed {
inline namespace sdk_1 {

// Opened in a task's `open`; after that [any].
class Rows {
 public:
  // Makes an item of a row's JSON; throws Error that names the field at fault.
  using Make = Item (*)(std::string_view row);

  // `columns` empty: all. With `skips_bad` every row is read now, and the log says how many are
  // left out, and why the first of them is.
  void open(const Host& host, std::string_view path, Make make, bool skips_bad,
            const std::vector<std::string_view>& columns = {}) {
    make_ = make;
    file_ = host.data(path, columns);
    skips_bad_ = skips_bad;
    if (!skips_bad) return;
    const std::uint64_t n = file_.count();
    std::string first;
    for (std::uint64_t i = 0; i < n; ++i) {
      try {
        read(i);
        good_.push_back(i);
      } catch (const Error& e) {
        if (e.code() != QED_DATA) throw;
        if (first.empty()) first = e.what();
      }
    }
    if (good_.size() == n) return;
    host.log(2, "left out " + std::to_string(n - good_.size()) + " of the " + std::to_string(n) +
                    " rows of " + std::string(path) + "; the first: " + first);
  }

  // 0 where no file was opened.
  std::uint64_t count() const {
    if (!file_.is_open()) return 0;
    return skips_bad_ ? good_.size() : file_.count();
  }

  // Throws Error for a bad row, or when there is no row of this index.
  Item item(std::uint64_t index) const {
    const std::uint64_t n = count();
    if (index >= n) {
      throw Error("there is no row " + std::to_string(index) + " of " + std::to_string(n),
                  QED_INVALID);
    }
    return read(skips_bad_ ? good_[index] : index);
  }

 private:
  Item read(std::uint64_t row) const {
    const std::string json = file_.row(row);
    try {
      return make_(json);
    } catch (const Error& e) {
      throw Error(file_.place(row) + ": " + e.what(), e.code());
    }
  }

  DataFile file_;
  Make make_ = nullptr;
  bool skips_bad_ = false;
  std::vector<std::uint64_t> good_;
};

}  // namespace sdk_1
}  // namespace qed
#pragma GCC visibility pop
