#pragma once

// The door between the program, which is free of LibTorch and starts in milliseconds, and
// libqed_engine.so, which the program opens for train and its like. Both are built together, so
// this boundary is plain C++; it is not part of the plugin ABI.

#include "core/config/run_config.h"
#include "core/host/plugin_host.h"

#include <filesystem>

namespace qed {

struct TrainRequest {
  const RunConfig& config;
  PluginHost& plugins;
  std::filesystem::path run_folder;
  bool fresh = false;   // delete what the run folder holds, and start again
  std::string program;  // how the user calls qed, for commands to be printed
  std::string command;  // the whole command that resumes the run
};

// Trains, resumes or says that the run is finished. Returns an exit code; throws Error.
using EngineTrain = int (*)(const TrainRequest& request);
inline constexpr char kEngineTrainSymbol[] = "qed_engine_train";  // extern "C", of type EngineTrain

}  // namespace qed
