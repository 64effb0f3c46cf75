#include "core/run/generate_output.h"

#include "core/run/prompts.h"
#include "core/run/result_rows.h"
#include "core/util/error.h"
#include "core/util/words.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <charconv>
#include <cstdio>

namespace qed {

namespace {

// The shortest number that reads back as the same float32.
void append_number(std::string& out, float x) {
  char text[32];
  out.append(text, std::to_chars(text, text + sizeof text, x).ptr);
}

template <class T>
void append_list(std::string& out, const char* name, const std::vector<T>& values) {
  out += cat(",\"", name, "\":[");
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ',';
    if constexpr (std::is_same_v<T, float>) {
      append_number(out, values[i]);
    } else {
      out += std::to_string(values[i]);
    }
  }
  out += ']';
}

std::string quoted_json(const std::string& text) {
  return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::string fixed(const char* format, double x) {
  char text[48];
  std::snprintf(text, sizeof text, format, x);
  return text;
}

void print(const std::string& text) {
  std::fwrite(text.data(), 1, text.size(), stdout);
  std::fflush(stdout);
}

}  // namespace

GenerateOutput::GenerateOutput(std::span<const PromptToComplete> prompts,
                               std::span<const GenerateRequest> requests,
                               const Tokenizer* tokenizer, const OutputOptions& options)
    : prompts_(prompts), requests_(requests), tokenizer_(tokenizer), options_(options) {
  for (const GenerateRequest& r : requests) {
    first_.push_back(done_.size());
    done_.resize(done_.size() + r.samples.size());
  }
  if (options_.is_streaming) {
    decoder_ = std::make_unique<DecodeStream>(*tokenizer, prompts.front().decode);
  }
}

std::string GenerateOutput::text_of(std::size_t request, const Completion& c) const {
  if (tokenizer_ == nullptr) return {};
  std::string text = completion_text(*tokenizer_, c.tokens, prompts_[request].decode);
  return c.match ? cut(request, std::move(text), *c.match) : text;
}

// A task's own stop strings stay, as they do for its verifier.
std::string GenerateOutput::cut(std::size_t request, std::string text, StopMatch match) const {
  const bool keeps = options_.keeps_stop || match.string < prompts_[request].stop.size();
  return cut_at_stop(std::move(text), requests_[request].stop[match.string], match.tail, keeps);
}

std::string GenerateOutput::json_line(std::size_t request, std::size_t sample,
                                      const Completion& c) const {
  std::string out = cat("{\"row\":", request, ",\"sample\":", sample);
  if (tokenizer_ != nullptr) {
    out += cat(",\"prompt\":", quoted_json(prompts_[request].text),
               ",\"completion\":", quoted_json(text_of(request, c)));
  }
  append_list(out, "prompt_ids", prompts_[request].tokens);
  append_list(out, "completion_ids", c.tokens);
  append_list(out, "logp", c.logp);
  append_list(out, "behavior_logp", c.behavior_logp);
  return out + cat(",\"finish\":\"", finish_name(c.finish), "\"}\n");
}

std::string GenerateOutput::block(std::size_t request, std::size_t sample,
                                  const Completion& c) const {
  std::string text = text_of(request, c);
  if (tokenizer_ == nullptr) {
    for (const std::int32_t id : c.tokens) text += cat(text.empty() ? "" : " ", id);
  }
  if (done_.size() == 1) return text + "\n";
  return cat("--- ", prompts_[request].place, ", sample ", sample, ": ",
             counted(c.tokens.size(), "token"), ", ", finish_name(c.finish), "\n", text, "\n");
}

void GenerateOutput::on_token(std::size_t request, std::size_t sample, const Completion& c) {
  ++num_tokens_;
  if (options_.is_streaming) stream(c);
  if (c.finish != 0) {
    ++num_done_;
    Done& done = done_[first_[request] + sample];
    done.is_there = true;
    if (!options_.is_streaming) {
      done.text = options_.is_json ? json_line(request, sample, c) : block(request, sample, c);
      print_ready();
    }
  }
  // The text takes longer than a token of a small model.
  if (options_.is_streaming || watch_.seconds() < next_update_s_) return;
  next_update_s_ = watch_.seconds() + 0.05;
  live_.update(progress());
}

// Prints what is certain: text that may be the start of a stop string waits.
void GenerateOutput::stream(const Completion& c) {
  held_ += decoder_->push(c.tokens.back());
  std::size_t longest = 1;
  for (const std::string& s : requests_.front().stop) longest = std::max(longest, s.size());
  if (c.finish != 0) {
    held_ += decoder_->finish();
    if (c.match) held_ = cut(0, std::move(held_), *c.match);
    print(held_ + "\n");
    held_.clear();
  } else if (held_.size() >= longest) {
    std::size_t end = held_.size() + 1 - longest;
    while (end > 0 && (static_cast<unsigned char>(held_[end]) & 0xC0) == 0x80) --end;
    print(held_.substr(0, end));
    held_.erase(0, end);
  }
}

void GenerateOutput::print_ready() {
  if (next_ >= done_.size() || !done_[next_].is_there) return;
  live_.clear();
  for (; next_ < done_.size() && done_[next_].is_there; ++next_) {
    print(done_[next_].text);
    done_[next_].text.clear();
  }
}

// "37/100 completions  5123 tokens  812 tokens/s  eta 12s": from the completions that are done.
std::string GenerateOutput::progress() const {
  const double s = watch_.seconds();
  std::string text = cat(num_done_, "/", done_.size(), " completions  ", num_tokens_, " tokens  ",
                         fixed("%.0f tokens/s", static_cast<double>(num_tokens_) / s));
  if (num_done_ > 0) {
    const auto left = static_cast<double>(done_.size() - num_done_);
    text += fixed("  eta %.0fs", s * left / static_cast<double>(num_done_));
  }
  return text;
}

bool GenerateOutput::finish() {
  const double s = watch_.seconds();
  live_.clear();
  if (!options_.is_streaming) {
    for (; next_ < done_.size(); ++next_) {
      if (done_[next_].is_there) print(done_[next_].text);
    }
  } else if (num_done_ == 0) {
    print(held_ + "\n");
  }
  if (num_done_ < done_.size() && !options_.is_streaming) {
    std::fprintf(stderr, "stopped: %zu of %zu completions are done\n", num_done_, done_.size());
  }
  std::fprintf(stderr, "%s in %.1f s, %.1f tokens/s\n", counted(num_tokens_, "token").c_str(), s,
               static_cast<double>(num_tokens_) / s);
  return num_done_ == done_.size();
}

}  // namespace qed
