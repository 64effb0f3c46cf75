#include "core/cli/open_host.h"

#include "core/data/dataset_service.h"

namespace qed {

std::unique_ptr<PluginHost> open_host(const CommonOptions& options, const ScanSettings& scan) {
  auto host = std::make_unique<PluginHost>(default_folders(options.plugin_dirs), scan);
  host->add_service(kDatasetService, dataset_service());
  return host;
}

}  // namespace qed
