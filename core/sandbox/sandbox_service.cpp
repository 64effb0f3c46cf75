#include "core/sandbox/sandbox_service.h"

#include "core/host/service_call.h"

#include <algorithm>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace qed {
namespace {

using sandbox::Job;
using sandbox::Limits;
using sandbox::Run;

constexpr std::uint64_t kMaxWaitMs = 60'000;

// A copy of a growable struct, with 0 for every member that the writer did not know.
template <class T>
T read(const T* p) {
  T out{};
  if (p != nullptr) std::memcpy(&out, p, std::min<std::size_t>(p->size, sizeof out));
  return out;
}

std::vector<std::string> words(qed_strs list) {
  std::vector<std::string> out;
  for (std::uint64_t i = 0; list.p != nullptr && i < list.n; ++i) {
    out.emplace_back(from_abi(list.p[i]));
  }
  return out;
}

std::string text(qed_bytes bytes) {
  if (bytes.p == nullptr) return {};
  return {reinterpret_cast<const char*>(bytes.p), bytes.n};
}

Limits limits(const qed_sandbox_limits* given) {
  const qed_sandbox_limits in = read(given);
  Limits out;
  const auto take = [](auto value, auto& to) {
    if (value != 0) to = value;
  };
  take(in.processes, out.processes);
  take(in.cpu_ms, out.cpu_ms);
  take(in.wall_ms, out.wall_ms);
  take(in.memory_bytes, out.memory_bytes);
  take(in.disk_bytes, out.disk_bytes);
  take(in.files, out.files);
  take(in.output_bytes, out.output_bytes);
  return out;
}

Job read_job(const qed_sandbox_job* given) {
  const qed_sandbox_job in = read(given);
  Job out;
  for (std::uint64_t i = 0; i < in.num_files; ++i) {
    const qed_sandbox_file file = read(in.files[i]);
    out.files.push_back(
        {std::string(from_abi(file.name)), text(file.data), file.is_executable != 0});
  }
  out.build = words(in.build);
  out.products = words(in.products);
  out.command = words(in.command);
  for (std::uint64_t i = 0; i < in.num_runs; ++i) out.inputs.push_back(text(in.inputs[i]));
  out.build_limits = limits(in.build_limits);
  out.run_limits = limits(in.run_limits);
  out.stops = (in.flags & QED_JOB_STOP) != 0;
  return out;
}

void write(qed_writer* out, const std::string& bytes) {
  if (out == nullptr || bytes.empty()) return;
  // What a writer does not take is its owner's choice.
  out->append(out, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
}

void fill(qed_sandbox_run* out, const Run& run) {
  if (out == nullptr) return;
  qed_sandbox_run filled = read(out);
  filled.outcome = run.outcome;
  filled.exit_code = run.exit_code;
  filled.signal = run.signal;
  filled.cpu_us = run.cpu_us;
  filled.wall_us = run.wall_us;
  filled.memory_bytes = run.memory_bytes;
  write(filled.output, run.output);
  write(filled.errors, run.errors);
  std::memcpy(out, &filled, std::min<std::size_t>(out->size, sizeof filled));
}

}  // namespace

SandboxService::SandboxService(std::vector<std::string> command)
    : client_(std::move(command)),
      table_{{sizeof(qed_host_sandbox), 0, &check, &submit, &poll, &drop}, &client_} {}

std::int32_t SandboxService::check(const qed_host_sandbox* self, qed_call* call) noexcept {
  return serve(call, QED_UNSUPPORTED, [&] { client(self).check(); });
}

std::int32_t SandboxService::submit(const qed_host_sandbox* self, qed_call* call,
                                    const qed_sandbox_job* job, std::uint64_t* ticket) noexcept {
  return serve(call, QED_RESOURCE, [&] {
    const Job copy = read_job(job);
    const std::string problem = sandbox::problem_of(copy);
    if (!problem.empty()) return refuse_call(call, QED_INVALID, problem);
    *ticket = client(self).submit(copy);
    return QED_OK;
  });
}

std::int32_t SandboxService::poll(const qed_host_sandbox* self, qed_call* call,
                                  std::uint64_t ticket, std::uint64_t wait_ms,
                                  qed_sandbox_run* build, qed_sandbox_run* const* runs,
                                  std::uint64_t n) noexcept {
  return serve(call, QED_INTERNAL, [&] {
    const std::chrono::milliseconds wait(std::min(wait_ms, kMaxWaitMs));
    const auto result = client(self).poll(ticket, wait);
    if (!result) return QED_PENDING;
    if (!result->failure.empty()) return refuse_call(call, QED_RESOURCE, to_utf8(result->failure));
    fill(build, result->build);
    for (std::uint64_t i = 0; i < n; ++i) {
      fill(runs[i], i < result->runs.size() ? result->runs[i] : Run{});
    }
    return QED_OK;
  });
}

void SandboxService::drop(const qed_host_sandbox* self, std::uint64_t ticket) noexcept {
  serve(nullptr, QED_INTERNAL, [&] { client(self).drop(ticket); });
}

const qed_host_sandbox* sandbox_service() {
  static const qed_host_sandbox* const service = []() -> const qed_host_sandbox* {
    std::error_code ec;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", ec);
    if (ec || program.filename() != "qed") return nullptr;
    const std::vector<std::string> command = {program.string(), "plugin", "sandbox"};
    return (new SandboxService(command))->abi();
  }();
  return service;
}

}  // namespace qed
