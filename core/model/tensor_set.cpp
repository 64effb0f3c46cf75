#include "core/model/tensor_set.h"

#include "core/util/error.h"
#include "core/util/files.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

namespace qed {

namespace fs = std::filesystem;

namespace {

using nlohmann::json;

constexpr char kSingle[] = "model.safetensors";
constexpr char kIndex[] = "model.safetensors.index.json";

// The index's map from tensors to files beside it.
std::map<std::string, std::string> read_index(const fs::path& path) {
  const json index = json::parse(read_file(path), nullptr, false);
  const auto bad = [&] {
    return Error(cat(path.string(), " is not an index of safetensors files"),
                 "it must have an object `weight_map` from tensors to files");
  };
  if (!index.is_object() || !index.contains("weight_map")) throw bad();
  const json& map = index["weight_map"];
  if (!map.is_object() || map.empty()) throw bad();
  std::map<std::string, std::string> out;
  for (const auto& [tensor, file] : map.items()) {
    if (!file.is_string()) throw bad();
    const fs::path name(file.get<std::string>());
    if (name.empty() || name.has_parent_path()) {
      throw Error(cat(path.string(), " says that `", tensor, "` is in ", name.string(),
                      ", which is no file beside it"));
    }
    out[tensor] = name.string();
  }
  return out;
}

// Weights in formats that qed does not read.
[[noreturn]] void no_weights(const fs::path& folder) {
  std::error_code ignored;
  std::string hint = "give a Hugging Face folder";
  for (const char* other : {"pytorch_model.bin", "pytorch_model.bin.index.json"}) {
    if (fs::exists(folder / other, ignored)) {
      hint = cat("it has ", other, ": load it in transformers and save it again");
    }
  }
  throw Error(cat(folder.string(), " has no weights: no ", kSingle, " and no ", kIndex), hint);
}

// x * 0 is 0 for finite numbers only. In lanes, which the compiler makes fast.
bool all_finite(const float* x, std::int64_t n) {
  constexpr std::int64_t kLanes = 16;
  float sum[kLanes] = {};
  std::int64_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    for (std::int64_t l = 0; l < kLanes; ++l) sum[l] += x[i + l] * 0.0f;
  }
  for (; i < n; ++i) sum[0] += x[i] * 0.0f;
  return std::all_of(sum, sum + kLanes, [](float lane) { return lane == 0; });
}

}  // namespace

TensorSet::TensorSet(const fs::path& file) : name_(file.string()) { add(file); }

void TensorSet::add(const fs::path& file) {
  files_.push_back(std::make_unique<SafetensorsFile>(file));
  const SafetensorsFile& opened = *files_.back();
  for (const auto& [name, entry] : opened.tensors()) {
    const auto [at, is_new] = tensors_.insert({name, {&opened, &entry}});
    if (!is_new) {
      throw Error(
          cat("`", name, "` is both in ", at->second.file->path(), " and in ", opened.path()));
    }
  }
}

TensorSet TensorSet::open_folder(const fs::path& folder) {
  std::error_code ignored;
  if (fs::exists(folder / kSingle, ignored)) return TensorSet(folder / kSingle);
  if (!fs::exists(folder / kIndex, ignored)) no_weights(folder);
  TensorSet out;
  out.name_ = (folder / kIndex).string();
  const auto index = read_index(folder / kIndex);
  std::set<std::string> files;
  for (const auto& [tensor, file] : index) files.insert(file);
  for (const std::string& file : files) {
    if (!fs::exists(folder / file, ignored)) {
      throw Error(cat((folder / file).string(), " is missing; ", out.name_, " names it"),
                  "get the whole folder again");
    }
    out.add(folder / file);
  }
  for (const auto& [tensor, file] : index) {
    const auto found = out.tensors_.find(tensor);
    if (found == out.tensors_.end()) {
      throw Error(
          cat("`", tensor, "` is in no file, but ", out.name_, " says that it is in ", file));
    }
    const fs::path place(found->second.file->path());
    if (place.filename() != file) {
      throw Error(cat("`", tensor, "` is in ", place.string(), ", but ", out.name_,
                      " says that it is in ", file));
    }
  }
  return out;
}

void TensorSet::check(std::span<const TensorSpec> expected) const {
  std::set<std::string> names;
  for (const TensorSpec& spec : expected) {
    names.insert(spec.name);
    const auto at = tensors_.find(spec.name);
    if (at == tensors_.end()) throw Error(cat(name_, " has no tensor `", spec.name, "`"));
    const auto& [file, entry] = at->second;
    if (!dtype_of_tag(entry->tag)) {
      throw Error(cat("`", spec.name, "` in ", file->path(), " is ", entry->tag,
                      ", which is not supported"),
                  "supported are F32, F16 and BF16");
    }
    if (entry->shape != spec.shape) {
      throw Error(cat("`", spec.name, "` in ", file->path(), " is ", shape_text(entry->shape),
                      ", but config.json asks for ", shape_text(spec.shape)));
    }
  }
  for (const auto& [name, place] : tensors_) {
    if (!names.contains(name)) {
      throw Error(cat(place.file->path(), " has a tensor `", name,
                      "` that a model of its config.json lacks"));
    }
  }
}

std::vector<std::string> TensorSet::tensors() const {
  std::vector<std::string> out;
  for (const auto& [name, place] : tensors_) out.push_back(name);
  return out;
}

const TensorSet::Place& TensorSet::place(const std::string& tensor) const {
  const auto at = tensors_.find(tensor);
  QED_CHECK(at != tensors_.end(), tensor);
  return at->second;
}

const TensorEntry& TensorSet::entry(const std::string& tensor) const {
  return *place(tensor).entry;
}

std::uint64_t TensorSet::num_bytes() const {
  std::uint64_t total = 0;
  for (const auto& file : files_) total += file->num_bytes();
  return total;
}

void TensorSet::read_rows(const TensorSpec& tensor, std::int64_t first_row, std::int64_t num_rows,
                          float* out) const {
  const auto& [file, entry] = place(tensor.name);
  const Dtype dtype = dtype_of_tag(entry->tag).value();
  const std::int64_t row = tensor.row_length(), n = num_rows * row;
  const std::uint64_t begin =
      entry->begin + static_cast<std::uint64_t>(first_row * row * qed::num_bytes(dtype));
  file->read(begin, begin + static_cast<std::uint64_t>(n * qed::num_bytes(dtype)), dtype, out);
  if (!all_finite(out, n)) {
    throw Error(cat("`", tensor.name, "` in ", file->path(), " holds a number that is not finite"));
  }
}

}  // namespace qed
