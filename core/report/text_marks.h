#pragma once

// What can be read off the text of a completion alone: repetition, a boxed answer, where thinking
// ends, the scripts of its letters. [any]

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace qed {

// SimpleRL's test (hkust-nlp/simpleRL-reason, eval/sh/collect_results.py, is_repeat), on the text
// with A-Z lowered. Two stretches are alike where the sets of their characters (of their words,
// where a stretch has both a space and a newline) have |A and B| / |A or B| >= 0.85. A text
// repeats where two neighbours are alike among its windows of 10 characters, its lines, its parts
// between "." or its parts between "。", lines and parts shorter than 20 characters aside.
// Kept from the original: a text without a newline is not looked at for "." and "。", nor one
// without "." for "。"; where all lines (or parts) are too short, or two neighbours have no word,
// the text repeats. Chinese is cut into characters, where the original asks jieba for words.
bool has_repeat(std::string_view text);

// SimpleRL's box ratio counts texts with a \boxed{…} that is closed, with braces in it up to two
// deep.
bool has_box(std::string_view text);

// Characters (code points) of UTF-8 text.
std::size_t num_characters(std::string_view text);

enum class Script : std::uint8_t {
  kLatin,
  kHan,
  kKana,
  kHangul,
  kCyrillic,
  kArabic,
  kOther,  // of a language all the same
};
inline constexpr std::size_t kNumScripts = 7;
inline constexpr std::array<std::string_view, kNumScripts> kScriptNames = {
    "latin", "han", "kana", "hangul", "cyrillic", "arabic", "other"};

// Letters of each script, by Unicode's blocks. Greek letters and mathematical alphabets are
// notation: they count for none.
using ScriptCounts = std::array<std::int64_t, kNumScripts>;
ScriptCounts count_letters(std::string_view text);

}  // namespace qed
