#pragma once

// Decoding while ids arrive: text that never ends in half a character.
//
// All that push and finish give, joined, is what Tokenizer::decode gives for all ids that have a
// token (an id without one has no text). One thread at a time. [handle]

#include <cstdint>
#include <memory>
#include <string>

#include "core/text/tokenizer.h"

struct qtx_stream;

namespace qed {

class DecodeStream final {
 public:
  // The tokenizer must outlive the stream.
  DecodeStream(const Tokenizer& tokenizer, DecodeMode mode);

  // Returns the text, valid UTF-8, that is certain with this id and was not before; often all of
  // the token's, and empty while a character is not whole.
  std::string push(std::int32_t id);

  // Returns the rest; what is no character becomes U+FFFD. The stream can then be used again.
  std::string finish();

 private:
  struct Free {
    void operator()(qtx_stream* handle) const;
  };

  std::unique_ptr<qtx_stream, Free> handle_;
};

}  // namespace qed
