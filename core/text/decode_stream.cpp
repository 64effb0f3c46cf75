#include "core/text/decode_stream.h"

#include "core/text/text_bridge.h"
#include "core/util/error.h"

namespace qed {
namespace {

void take_text(void* to, const char* text, std::size_t size) noexcept {
  static_cast<std::string*>(to)->assign(text, size);
}

}  // namespace

void DecodeStream::Free::operator()(qtx_stream* handle) const { qtx_stream_free(handle); }

DecodeStream::DecodeStream(const Tokenizer& tokenizer, DecodeMode mode)
    : handle_(qtx_stream_open(tokenizer.handle_.get(), mode == DecodeMode::kSkipSpecial)) {
  QED_CHECK(handle_, qtx_last_error());
}

std::string DecodeStream::push(std::int32_t id) {
  std::string text;
  if (qtx_stream_push(handle_.get(), id, take_text, &text)) {
    throw Error(cat("cannot decode id ", id, ": ", qtx_last_error()));
  }
  return text;
}

std::string DecodeStream::finish() {
  std::string text;
  if (qtx_stream_finish(handle_.get(), take_text, &text)) {
    throw Error(cat("cannot decode: ", qtx_last_error()));
  }
  return text;
}

}  // namespace qed
