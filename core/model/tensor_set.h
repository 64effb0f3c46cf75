#pragma once

// The tensors of one or several safetensors files as one set: the weights of a model folder, or the
// moments of an optimizer.

#include "core/model/config.h"
#include "core/model/safetensors.h"

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

namespace qed {

// Reads headers when it is made and numbers when asked. Const members are thread-safe.
class TensorSet {
 public:
  // One file.
  explicit TensorSet(const std::filesystem::path& file);
  // The weights of a Hugging Face folder: model.safetensors, else the files that
  // model.safetensors.index.json names. Throws Error with the file that is missing or damaged, and
  // the tensor that is in no file or not in the one that the index says.
  static TensorSet open_folder(const std::filesystem::path& folder);

  // Throws Error with file and tensor unless these are the tensors of the set, no more and no
  // fewer, with these shapes and in a format that qed reads.
  void check(std::span<const TensorSpec> expected) const;

  const std::string& name() const { return name_; }  // the file, or the index of the files
  bool contains(const std::string& tensor) const { return tensors_.contains(tensor); }
  std::vector<std::string> tensors() const;  // sorted
  const TensorEntry& entry(const std::string& tensor) const;
  std::uint64_t num_bytes() const;  // of the files
  std::size_t num_files() const { return files_.size(); }

  // Rows of a tensor, as float32. `tensor` and its shape were checked. Throws Error with file and
  // tensor when a number is not finite.
  void read_rows(const TensorSpec& tensor, std::int64_t first_row, std::int64_t num_rows,
                 float* out) const;

 private:
  struct Place {
    const SafetensorsFile* file;
    const TensorEntry* entry;
  };
  TensorSet() = default;
  void add(const std::filesystem::path& file);
  const Place& place(const std::string& tensor) const;

  std::string name_;
  std::vector<std::unique_ptr<SafetensorsFile>> files_;
  std::map<std::string, Place> tensors_;
};

}  // namespace qed
