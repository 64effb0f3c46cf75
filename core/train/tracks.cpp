#include "core/train/tracks.h"

#include "core/util/parallel.h"

#include <ATen/core/grad_mode.h>

#include <algorithm>

namespace qed {

namespace {

constexpr std::int64_t kGrain = 1 << 14;  // numbers per piece of work

}  // namespace

std::vector<Transformer*> open_tracks(Transformer& model) {
  std::vector<Transformer*> out;
  for (std::size_t i = 0; i < num_tracks(model); ++i) out.push_back(&model.track(i));
  return out;
}

std::vector<std::size_t> track_batches(const Transformer& model,
                                       std::span<const Sequence> sequences,
                                       std::int64_t micro_tokens) {
  const auto tracks = static_cast<std::int64_t>(num_tracks(model));
  std::int64_t limit = std::max<std::int64_t>(micro_tokens / tracks, 1);
  std::vector<std::size_t> cut = micro_batches(sequences, limit);
  if (tracks == 1) return cut;
  // The lowest limit that keeps every track as busy: as many micro-batches, or so few more that
  // the tracks have the same number of them.
  const std::size_t num =
      (cut.size() - 1 + num_tracks(model) - 1) / num_tracks(model) * num_tracks(model);
  for (std::int64_t low = 1; low < limit;) {
    const std::int64_t middle = low + (limit - low) / 2;
    std::vector<std::size_t> found = micro_batches(sequences, middle);
    if (found.size() - 1 <= num) {
      limit = middle;
      cut = std::move(found);
    } else {
      low = middle + 1;
    }
  }
  return cut;
}

void run_tracks(const Transformer& model, std::size_t num_batches, const TrackWork& work) {
  const std::size_t at_once = std::min(num_tracks(model), static_cast<std::size_t>(num_threads()));
  const bool has_grad = at::GradMode::is_enabled();
  for (std::size_t first = 0; first < num_batches; first += at_once) {
    const std::size_t n = std::min(at_once, num_batches - first);
    const auto spread = [&](const std::function<void(std::size_t)>& run) {
      if (!run) return;
      parallel_for(static_cast<std::int64_t>(n), 1, [&](std::int64_t begin, std::int64_t end) {
        const at::AutoGradMode mode(has_grad);  // a thread's own
        for (auto i = static_cast<std::size_t>(begin); i < static_cast<std::size_t>(end); ++i) {
          run(first + i);
        }
      });
    };
    spread(work.forward);
    for (std::size_t i = first; i < first + n; ++i) work.between(i);
    spread(work.backward);
  }
}

void add_up_tracks(Transformer& model) {
  float* sum = model.weights().grad().data_ptr<float>();
  for (Transformer* track : open_tracks(model)) {
    if (track == &model) continue;
    float* part = track->weights().grad().data_ptr<float>();
    parallel_for(model.weights().grad().numel(), kGrain, [&](auto begin, auto end) {
      for (auto i = begin; i < end; ++i) {
        sum[i] += part[i];
        part[i] = 0;
      }
    });
  }
}

}  // namespace qed
