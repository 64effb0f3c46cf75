#include "core/data/parquet.h"

#include "core/data/parquet_bridge.h"
#include "core/util/error.h"
#include "core/util/words.h"

#include <boost/dll/shared_library.hpp>

#include <dlfcn.h>

#include <algorithm>
#include <cstdlib>
#include <exception>
#include <future>
#include <mutex>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

namespace qed {
namespace {

namespace fs = std::filesystem;

constexpr char kLibrary[] = "libqed_parquet.so";
constexpr char kEntry[] = "qpq_library_1";
constexpr std::uint64_t kCacheBytes = 1 << 30;

void take_text(void* to, const char* text, std::size_t size) noexcept {
  static_cast<std::string*>(to)->append(text, size);
}
void take_name(void* to, const char* text, std::size_t size) noexcept {
  static_cast<std::vector<std::string>*>(to)->emplace_back(text, size);
}
void take_count(void* to, std::uint64_t count) noexcept {
  static_cast<std::vector<std::uint64_t>*>(to)->push_back(count);
}

// Where the library may be, in the order of search.
std::vector<fs::path> library_folders() {
  if (const char* folder = std::getenv("QED_LIB"); folder != nullptr) return {folder};
  std::vector<fs::path> folders;
  std::error_code ec;
  const fs::path program = fs::read_symlink("/proc/self/exe", ec);
  if (!ec) folders.push_back(program.parent_path().parent_path() / "lib");
  Dl_info self = {};
  if (::dladdr(reinterpret_cast<const void*>(&open_parquet), &self) != 0) {
    const fs::path folder = fs::absolute(self.dli_fname, ec).parent_path();
    if (!ec && std::ranges::find(folders, folder) == folders.end()) folders.push_back(folder);
  }
  return folders;
}

const qpq_library* load_library() {
  std::string searched;
  for (const fs::path& folder : library_folders()) {
    const fs::path path = folder / kLibrary;
    searched += (searched.empty() ? "" : " or ") + folder.string();
    std::error_code ec;
    if (!fs::exists(path, ec)) continue;
    boost::dll::shared_library library;
    boost::dll::fs::error_code failure;
    library.load(path,
                 static_cast<boost::dll::load_mode::type>(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE),
                 failure);
    if (failure) {
      const char* reason = ::dlerror();  // the error code does not have it
      throw Error(cat("cannot load ", path.string(), ": ", reason == nullptr ? "" : reason),
                  "`./qed build` builds it anew");
    }
    if (!library.has(kEntry)) {
      throw Error(cat(path.string(), " is of another version of qed"),
                  "`./qed build` builds it anew");
    }
    return library.get<const qpq_library*()>(kEntry)();
  }
  throw Error(cat("parquet files are read by ", kLibrary, ", which is not in ", searched),
              "`./qed build` builds it, in a minute or two");
}

// Loaded once, and searched for again after a failure.
const qpq_library& library() {
  static const qpq_library* const loaded = load_library();
  return *loaded;
}

class Parquet final : public Dataset {
 public:
  Parquet(const fs::path& path, std::span<const std::string> columns);

  std::uint64_t count() const override { return begins_.back(); }
  void row(std::uint64_t index, std::string& json) const override;
  std::string place(std::uint64_t index) const override { return cat(name_, " row ", index); }

 private:
  using Group = std::shared_ptr<const qpq_group>;
  struct Slot {
    std::shared_future<Group> group;  // not valid: not in the cache
    std::uint64_t bytes = 0;          // 0 while it is being decoded
    std::uint64_t last_use = 0;
  };

  void choose(std::span<const std::string> wanted);
  Group group(std::size_t index) const;
  Group decode(std::size_t index) const;
  void make_room(std::size_t index, std::uint64_t bytes) const;

  std::string name_;
  std::shared_ptr<qpq_file> file_;
  std::vector<std::uint32_t> columns_;
  std::vector<std::uint64_t> begins_ = {0};  // first row of each group, and the end

  mutable std::mutex mutex_;  // guards all below
  mutable std::vector<Slot> slots_;
  mutable std::uint64_t num_uses_ = 0, cached_bytes_ = 0;
};

Parquet::Parquet(const fs::path& path, std::span<const std::string> columns)
    : name_(path.string()) {
  std::string reason;
  file_ = {library().open(name_.data(), name_.size(), take_text, &reason), library().close};
  if (!file_) throw Error(cat("cannot read ", name_, ": ", reason), "", kExitUsage);
  choose(columns);
  std::vector<std::uint64_t> rows;
  library().group_rows(file_.get(), take_count, &rows);
  for (const std::uint64_t n : rows) {
    if (n > INT64_MAX - begins_.back()) throw Error(cat("cannot read ", name_, ": too many rows"));
    begins_.push_back(begins_.back() + n);
  }
  slots_.resize(rows.size());
}

void Parquet::choose(std::span<const std::string> wanted) {
  std::vector<std::string> names;
  library().columns(file_.get(), take_name, &names);
  for (const std::string& column : wanted) {
    if (std::ranges::find(names, column) != names.end()) continue;
    throw Error(cat(name_, " has no column `", column, "`"),
                closest_hint("column", nearest(column, names)), kExitUsage);
  }
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (!wanted.empty() && std::ranges::find(wanted, names[i]) == wanted.end()) continue;
    columns_.push_back(static_cast<std::uint32_t>(i));
  }
}

void Parquet::row(std::uint64_t index, std::string& json) const {
  if (index >= count()) {
    throw Error(cat(name_, " has no row ", index, ": it has ", count(), ", from 0 on"));
  }
  const auto after = std::ranges::upper_bound(begins_, index);
  const auto number = static_cast<std::size_t>(after - begins_.begin() - 1);
  const Group rows = group(number);
  const std::size_t size = json.size();
  if (library().row(rows.get(), index - begins_[number], take_text, &json) != 0) {
    const std::string reason = json.substr(size);
    json.resize(size);
    throw Error(cat("bad row in ", place(index), ": ", reason));
  }
}

Parquet::Group Parquet::group(std::size_t index) const {
  std::optional<std::promise<Group>> decoded;  // when it is this thread that decodes
  std::shared_future<Group> group;
  {
    const std::lock_guard lock(mutex_);
    Slot& slot = slots_[index];
    slot.last_use = ++num_uses_;
    if (!slot.group.valid()) slot.group = decoded.emplace().get_future().share();
    group = slot.group;
  }
  if (decoded) {
    try {
      decoded->set_value(decode(index));
    } catch (...) {
      decoded->set_exception(std::current_exception());
      const std::lock_guard lock(mutex_);
      slots_[index].group = {};
    }
  }
  return group.get();
}

Parquet::Group Parquet::decode(std::size_t index) const {
  std::string reason;
  const std::shared_ptr<qpq_group> group = {
      library().open_group(file_.get(), index, columns_.data(), columns_.size(), take_text,
                           &reason),
      library().close_group};
  if (!group) throw Error(cat("cannot read row group ", index, " of ", name_, ": ", reason));
  make_room(index, std::max<std::uint64_t>(1, library().group_bytes(group.get())));
  return group;
}

void Parquet::make_room(std::size_t index, std::uint64_t bytes) const {
  const std::lock_guard lock(mutex_);
  slots_[index].bytes = bytes;
  cached_bytes_ += bytes;
  while (cached_bytes_ > kCacheBytes) {
    Slot* oldest = nullptr;
    for (Slot& slot : slots_) {
      if (&slot == &slots_[index] || slot.bytes == 0) continue;
      if (oldest == nullptr || slot.last_use < oldest->last_use) oldest = &slot;
    }
    if (oldest == nullptr) return;
    cached_bytes_ -= oldest->bytes;
    *oldest = {};
  }
}

}  // namespace

std::shared_ptr<const Dataset> open_parquet(const fs::path& path,
                                            std::span<const std::string> columns) {
  return std::make_shared<Parquet>(path, columns);
}

}  // namespace qed
