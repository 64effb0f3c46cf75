#include "core/data/dataset.h"

#include "core/data/csv.h"
#include "core/data/data_path.h"
#include "core/data/json_rows.h"
#include "core/data/parquet.h"
#include "core/data/text_rows.h"
#include "core/util/error.h"

#include <filesystem>

namespace qed {

std::shared_ptr<const Dataset> Dataset::open(const std::string& path_or_key,
                                             std::span<const std::string> columns) {
  const std::filesystem::path path = find_data_file(path_or_key);
  const std::string extension = path.extension().string();
  if (extension == ".parquet") return open_parquet(path, columns);
  if (extension == ".csv") return TextRows::open(path, std::make_unique<CsvFormat>(columns));
  if (extension == ".jsonl") return TextRows::open(path, std::make_unique<JsonLines>(columns));
  if (extension == ".json") return TextRows::open(path, std::make_unique<JsonArray>(columns));
  throw Error(
      cat("cannot tell the format of ", path.string(), " by its extension, `", extension, "`"),
      "a data file ends in .jsonl, .json, .csv or .parquet", kExitUsage);
}

}  // namespace qed
