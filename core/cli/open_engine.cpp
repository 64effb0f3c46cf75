#include "core/cli/open_engine.h"

#include <dlfcn.h>

#include <boost/dll/shared_library.hpp>
#include <filesystem>

#include "core/cli/library_path.h"
#include "core/util/error.h"

namespace qed {
namespace {

namespace dll = boost::dll;

dll::shared_library open() {
  const std::filesystem::path path = library_path("libqed_engine.so");
  if (!std::filesystem::exists(path)) {
    throw Error(cat("this build of qed has no engine: ", path.string(), " is missing"),
                "configure the build with -DQED_ENGINE=ON");
  }
  dll::shared_library library;
  std::error_code failure;
  library.load(path, static_cast<dll::load_mode::type>(RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE),
               failure);
  if (failure) {
    const char* reason = ::dlerror();
    throw Error(cat("cannot open the engine ", path.string(), ": ",
                    reason == nullptr ? "no reason given" : reason),
                "build it again, and check that LibTorch is where it was");
  }
  return library;
}

}  // namespace

void* engine_symbol(const char* symbol) {
  static auto& library = *new dll::shared_library(open());
  QED_CHECK(library.has(symbol), symbol);
  return reinterpret_cast<void*>(&library.get<void()>(symbol));
}

}  // namespace qed
