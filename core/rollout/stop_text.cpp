#include "core/rollout/stop_text.h"

#include <algorithm>

namespace qed {

StopSearch::StopSearch(const std::vector<std::string>& strings) : strings_(&strings) {
  for (const std::string& s : strings) longest_ = std::max(longest_, s.size());
}

std::optional<StopMatch> StopSearch::feed(std::string_view bytes) {
  const std::size_t before = tail_.size();
  tail_ += bytes;
  std::size_t first = tail_.npos, which = 0;
  for (std::size_t i = 0; i < strings_->size(); ++i) {
    const std::string& s = (*strings_)[i];
    const std::size_t from = before + 1 > s.size() ? before + 1 - s.size() : 0;
    const std::size_t found = tail_.find(s, from);
    if (found < first) {
      first = found;
      which = i;
    }
  }
  if (first != tail_.npos) return StopMatch{which, tail_.size() - first};
  if (tail_.size() >= longest_) tail_.erase(0, tail_.size() + 1 - longest_);
  return {};
}

std::string cut_at_stop(std::string text, std::string_view stop, std::size_t tail,
                        bool keeps_stop) {
  // Bytes that are no character decode to three each, so the string may begin up to that much
  // earlier than `tail` says; before that there is none.
  const std::size_t reach = stop.size() + 3 * (tail - stop.size());
  const std::size_t at = text.find(stop, text.size() > reach ? text.size() - reach : 0);
  if (at == text.npos) return text;  // a special token that the text leaves out
  text.resize(at + (keeps_stop ? stop.size() : 0));
  return text;
}

}  // namespace qed
