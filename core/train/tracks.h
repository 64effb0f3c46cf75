#pragma once

// Micro-batches of a small model side by side. Its ops are too short to be cut among threads, so a
// thread runs a micro-batch from the first op to the last. Micro-batch i belongs to track i modulo
// their number, and each track has a gradient of its own, so that threads change no bit.

#include "core/model/transformer.h"
#include "core/train/packing.h"

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

namespace qed {

inline constexpr std::size_t kTracks = 2;

// 1 for models that are not small.
inline std::size_t num_tracks(const Transformer& model) { return model.is_small() ? kTracks : 1; }

// The models of the tracks: micro-batch i runs through that of i modulo their number. Not
// thread-safe.
std::vector<Transformer*> open_tracks(Transformer& model);

// The micro-batches of a model: like micro_batches() (see packing.h), but those of all tracks at one
// time have at most `micro_tokens` rows together; and even, so that no track waits.
std::vector<std::size_t> track_batches(const Transformer& model,
                                       std::span<const Sequence> sequences,
                                       std::int64_t micro_tokens);

// What happens to micro-batch i. On any thread, several at a time: forward and backward, with
// gradients on or off as the caller has them. On the caller's thread, in order: between, after
// forward(i) and before backward(i).
struct TrackWork {
  std::function<void(std::size_t)> forward, between, backward = {};
};
void run_tracks(const Transformer& model, std::size_t num_batches, const TrackWork& work);

// Adds the gradients of the tracks to that of track 0, in order, and clears them.
void add_up_tracks(Transformer& model);

}  // namespace qed
