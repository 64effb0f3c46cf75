#include "core/cli/open_host.h"

#include "core/data/dataset_service.h"
#include "core/sandbox/sandbox_service.h"

namespace qed {

std::unique_ptr<PluginHost> open_host(const CommonOptions& options, const ScanSettings& scan) {
  auto host = std::make_unique<PluginHost>(default_folders(options.plugin_dirs), scan);
  host->add_service(kDatasetService, dataset_service());
  if (sandbox_service() != nullptr) host->add_service(kSandboxService, sandbox_service());
  return host;
}

}  // namespace qed
