#include "core/cli/devices.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <sstream>
#include <thread>

#include "core/cli/commands.h"
#include "core/cli/library_path.h"
#include "core/cuda/cuda.h"
#include "core/util/memory.h"
#include "core/util/numbers.h"
#include "core/util/words.h"

namespace qed {
namespace {

using nlohmann::ordered_json;

constexpr char kCudaLibrary[] = "libqed_cuda.so";

cuda::Availability find_cuda() {
  return cuda::find_cuda(cuda::ask_driver(), library_path(kCudaLibrary));
}

struct Cpu {
  std::string name = "CPU";
  unsigned cores = std::max(1u, std::thread::hardware_concurrency());
  std::int64_t memory_bytes = available_memory_bytes();
};

Cpu find_cpu() {
  Cpu cpu;
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    const std::size_t colon = line.find(": ");
    if (!line.starts_with("model name") || colon == line.npos) continue;
    cpu.name = line.substr(colon + 2);
    break;
  }
  return cpu;
}

std::string architecture(const cuda::Gpu& gpu) { return cat("sm_", gpu.major, gpu.minor); }

ordered_json problem_json(const std::optional<Error>& problem) {
  if (!problem) return nullptr;
  return {{"error", problem->what()}, {"hint", problem->hint()}};
}

ordered_json gpu_json(const cuda::Availability& found, std::size_t i) {
  const cuda::Gpu& gpu = found.driver.gpus[i];
  const std::optional<Error>& problem = i < found.gpus.size() ? found.gpus[i] : found.refusal;
  return {{"name", gpu.name},
          {"architecture", architecture(gpu)},
          {"memory_bytes", gpu.memory_bytes},
          {"problem", problem_json(problem)}};
}

ordered_json library_json(const cuda::Availability& found) {
  if (!found.table) return nullptr;
  ordered_json architectures = ordered_json::array();
  std::istringstream words(found.table->architectures);
  for (std::string word; words >> word;) architectures.push_back("sm_" + word);
  return {{"file", library_path(kCudaLibrary).string()},
          {"cuda", cuda::cuda_version_text(found.table->runtime_version)},
          {"architectures", architectures}};
}

int print_json(const Cpu& cpu, const cuda::Availability& found) {
  const cuda::Driver& driver = found.driver;
  ordered_json out = {
      {"cpu",
       {{"name", cpu.name}, {"cores", cpu.cores}, {"available_memory_bytes", cpu.memory_bytes}}},
      {"gpus", ordered_json::array()},
      {"driver", nullptr},
      {"library", library_json(found)},
      {"problem", problem_json(found.refusal)},
      {"auto", "cpu"}};
  for (std::size_t i = 0; i < driver.gpus.size(); ++i) out["gpus"].push_back(gpu_json(found, i));
  if (driver.is_installed) {
    out["driver"] = {{"release", driver.release},
                     {"cuda", cuda::cuda_version_text(driver.version)}};
  }
  std::printf("%s\n", out.dump(2).c_str());
  return kExitOk;
}

void print_problem(const Error& problem) {
  std::printf("         %s\n", problem.what());
  if (!problem.hint().empty()) std::printf("         hint: %s\n", problem.hint().c_str());
}

int print(const Cpu& cpu, const cuda::Availability& found) {
  const cuda::Driver& driver = found.driver;
  std::printf("cpu      %s, %s, %s of memory available\n", cpu.name.c_str(),
              counted(cpu.cores, "core").c_str(), bytes_text(cpu.memory_bytes).c_str());
  for (std::size_t i = 0; i < driver.gpus.size(); ++i) {
    const cuda::Gpu& gpu = driver.gpus[i];
    std::printf("cuda:%-2zu  %s, %s, %s of memory\n", i, gpu.name.c_str(),
                architecture(gpu).c_str(), bytes_text(gpu.memory_bytes).c_str());
    if (i < found.gpus.size() && found.gpus[i]) print_problem(*found.gpus[i]);
  }
  if (driver.gpus.empty()) std::printf("cuda     none\n");
  if (found.refusal && found.gpus.empty()) print_problem(*found.refusal);
  if (driver.is_installed) {
    std::printf("driver   %s%sCUDA %s\n", driver.release.c_str(),
                driver.release.empty() ? "" : ", ",
                cuda::cuda_version_text(driver.version).c_str());
  }
  if (found.table) {
    std::printf("library  %s, CUDA %s, for %s\n", library_path(kCudaLibrary).c_str(),
                cuda::cuda_version_text(found.table->runtime_version).c_str(),
                cuda::architecture_list(found.table->architectures).c_str());
  }
  std::printf("\nrun.device = \"auto\" takes cpu; write \"cuda\" to run on a GPU.\n");
  return kExitOk;
}

}  // namespace

std::optional<GpuChoice> choose_gpu(const std::string& device) {
  if (device != "cuda") return std::nullopt;
  cuda::Availability found = find_cuda();
  if (found.refusal) throw Error(*found.refusal);
  const auto usable =
      std::ranges::find_if(found.gpus, [](const auto& problem) { return !problem; });
  const auto number = static_cast<std::size_t>(usable - found.gpus.begin());
  return GpuChoice{*found.table, static_cast<std::int32_t>(number), found.driver.gpus[number].name};
}

Run add_devices(CLI::App& app) {
  auto is_json = std::make_shared<bool>(false);  // lives as long as the command line
  CLI::App* command =
      app.add_subcommand("devices", "List CPU and GPUs, and say why a GPU cannot be used");
  command->add_flag("--json", *is_json, "print JSON");
  return [is_json] {
    const Cpu cpu = find_cpu();
    const cuda::Availability found = find_cuda();
    return *is_json ? print_json(cpu, found) : print(cpu, found);
  };
}

}  // namespace qed
