#include "core/report/text_marks.h"

#include <algorithm>
#include <bit>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

namespace qed {
namespace {

constexpr std::size_t kWindow = 10, kShortest = 20;  // characters
constexpr double kAlike = 0.85;

bool is_ascii(char c) { return static_cast<unsigned char>(c) < 0x80; }

// Where the next character begins. The text is valid UTF-8.
std::size_t after(std::string_view text, std::size_t at) {
  do ++at;
  while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0) == 0x80);
  return at;
}

char32_t decode(std::string_view character) {
  constexpr unsigned char kFirst[] = {0, 0x7F, 0x1F, 0x0F, 0x07};  // bits of the first byte
  char32_t out = static_cast<unsigned char>(character[0]) & kFirst[character.size()];
  for (std::size_t i = 1; i < character.size(); ++i) {
    out = out << 6 | (static_cast<unsigned char>(character[i]) & 0x3F);
  }
  return out;
}

std::string lowered(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  return out;
}

// What Python's str.split() splits at.
bool is_space(char32_t c) {
  return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F) || c == 0x85 ||
         c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 ||
         c == 0x202F || c == 0x205F || c == 0x3000;
}

bool has_chinese(std::string_view text) {
  for (std::size_t i = 0, end = 0; i < text.size(); i = end) {
    end = after(text, i);
    if (end - i != 3) continue;
    const char32_t c = decode(text.substr(i, end - i));
    if (c >= 0x4E00 && c <= 0x9FFF) return true;
  }
  return false;
}

// A stretch of text as a set of its pieces. The text outlives it.
class Pieces {
 public:
  explicit Pieces(std::string_view text) {
    bool is_plain = true;
    for (const char c : text) {
      is_plain = is_plain && is_ascii(c);
      bits_[c >> 6 & 1] |= std::uint64_t{1} << (c & 63);
    }
    bool has_words = has(' ') && has('\n');
    if (is_plain && !has_words) return;
    has_words = has_words && text.find(' ') != text.npos && text.find('\n') != text.npos &&
                (is_plain || !has_chinese(text));
    is_bits_ = false;
    has_words ? add_words(text) : add_characters(text);
    std::sort(sorted_.begin(), sorted_.end());
    sorted_.erase(std::unique(sorted_.begin(), sorted_.end()), sorted_.end());
  }

  bool is_like(const Pieces& other) const {
    if (!is_bits_)
      return other.is_bits_ ? other.is_like(*this) : is_alike(num_common(other), other);
    std::size_t both = 0;
    if (other.is_bits_) {
      for (const std::size_t i : {0, 1}) {
        both += static_cast<std::size_t>(std::popcount(bits_[i] & other.bits_[i]));
      }
    } else {
      for (const std::string_view piece : other.sorted_) {
        both += piece.size() == 1 && has(piece[0]) ? 1 : 0;
      }
    }
    return is_alike(both, other);
  }

 private:
  bool has(char c) const { return (bits_[c >> 6] >> (c & 63) & 1) != 0; }

  std::size_t size() const {
    return is_bits_ ? static_cast<std::size_t>(std::popcount(bits_[0]) + std::popcount(bits_[1]))
                    : sorted_.size();
  }

  bool is_alike(std::size_t both, const Pieces& other) const {
    const std::size_t any = size() + other.size() - both;
    return any == 0 || static_cast<double>(both) / static_cast<double>(any) >= kAlike;
  }

  std::size_t num_common(const Pieces& other) const {
    std::size_t out = 0;
    for (auto a = sorted_.begin(), b = other.sorted_.begin();
         a != sorted_.end() && b != other.sorted_.end();) {
      const int order = a->compare(*b);
      out += order == 0 ? 1 : 0;
      a += order <= 0 ? 1 : 0;
      b += order >= 0 ? 1 : 0;
    }
    return out;
  }

  void add_characters(std::string_view text) {
    for (std::size_t i = 0, end = 0; i < text.size(); i = end) {
      end = after(text, i);
      sorted_.push_back(text.substr(i, end - i));
    }
  }

  void add_words(std::string_view text) {
    std::size_t begin = 0;
    for (std::size_t i = 0, end = 0; i < text.size(); i = end) {
      end = after(text, i);
      if (!is_space(decode(text.substr(i, end - i)))) continue;
      if (i > begin) sorted_.push_back(text.substr(begin, i - begin));
      begin = end;
    }
    if (begin < text.size()) sorted_.push_back(text.substr(begin));
  }

  bool is_bits_ = true;  // characters, all of them ASCII
  std::array<std::uint64_t, 2> bits_{};
  std::vector<std::string_view> sorted_;  // otherwise: each piece once
};

bool has_alike_windows(std::string_view text) {
  std::optional<Pieces> last;
  std::size_t num = 0, begin = 0;
  for (std::size_t i = 0; i < text.size();) {
    i = after(text, i);
    if (++num < kWindow) continue;
    Pieces pieces(text.substr(begin, i - begin));
    if (last && pieces.is_like(*last)) return true;
    last = std::move(pieces);
    begin = i;
    num = 0;
  }
  return false;
}

std::vector<std::string_view> long_parts(std::string_view text, std::string_view mark) {
  std::vector<std::string_view> out;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find(mark, begin), text.size());
    const std::string_view part = text.substr(begin, end - begin);
    if (part.size() >= kShortest && num_characters(part) >= kShortest) out.push_back(part);
    begin = end + mark.size();
    if (end == text.size()) break;
  }
  return out;
}

struct Block {
  char32_t first, last;
  Script script;
};

// Ascending. Digits and marks inside are few, and count.
constexpr Block kBlocks[] = {
    {0xAA, 0xAA, Script::kLatin},        {0xBA, 0xBA, Script::kLatin},
    {0xC0, 0xD6, Script::kLatin},        {0xD8, 0xF6, Script::kLatin},
    {0xF8, 0x2AF, Script::kLatin},       {0x400, 0x52F, Script::kCyrillic},
    {0x531, 0x556, Script::kOther},      {0x561, 0x587, Script::kOther},
    {0x5D0, 0x5F2, Script::kOther},      {0x620, 0x65F, Script::kArabic},
    {0x66E, 0x6EF, Script::kArabic},     {0x6FA, 0x6FF, Script::kArabic},
    {0x700, 0x74F, Script::kOther},      {0x750, 0x77F, Script::kArabic},
    {0x780, 0x89F, Script::kOther},      {0x8A0, 0x8FF, Script::kArabic},
    {0x900, 0x10FF, Script::kOther},     {0x1100, 0x11FF, Script::kHangul},
    {0x1200, 0x1C7F, Script::kOther},    {0x1C80, 0x1C8F, Script::kCyrillic},
    {0x1C90, 0x1CFF, Script::kOther},    {0x1D00, 0x1D25, Script::kLatin},
    {0x1E00, 0x1EFF, Script::kLatin},    {0x2C00, 0x2C5F, Script::kOther},
    {0x2C60, 0x2C7F, Script::kLatin},    {0x2D00, 0x2DDF, Script::kOther},
    {0x2DE0, 0x2DFF, Script::kCyrillic}, {0x3005, 0x3007, Script::kHan},
    {0x3041, 0x309F, Script::kKana},     {0x30A1, 0x30FA, Script::kKana},
    {0x30FC, 0x30FF, Script::kKana},     {0x3105, 0x312F, Script::kOther},
    {0x3131, 0x318E, Script::kHangul},   {0x31F0, 0x31FF, Script::kKana},
    {0x3400, 0x4DBF, Script::kHan},      {0x4E00, 0x9FFF, Script::kHan},
    {0xA000, 0xA63F, Script::kOther},    {0xA640, 0xA69F, Script::kCyrillic},
    {0xA6A0, 0xA6FF, Script::kOther},    {0xA722, 0xA7FF, Script::kLatin},
    {0xA800, 0xA95F, Script::kOther},    {0xA960, 0xA97F, Script::kHangul},
    {0xA980, 0xABFF, Script::kOther},    {0xAC00, 0xD7FF, Script::kHangul},
    {0xF900, 0xFAFF, Script::kHan},      {0xFB00, 0xFB06, Script::kLatin},
    {0xFB13, 0xFB4F, Script::kOther},    {0xFB50, 0xFDFF, Script::kArabic},
    {0xFE70, 0xFEFC, Script::kArabic},   {0xFF21, 0xFF3A, Script::kLatin},
    {0xFF41, 0xFF5A, Script::kLatin},    {0xFF66, 0xFF9D, Script::kKana},
    {0xFFA0, 0xFFDC, Script::kHangul},   {0x1B000, 0x1B16F, Script::kKana},
    {0x20000, 0x323AF, Script::kHan},
};

}  // namespace

bool has_repeat(std::string_view raw) {
  if (num_characters(raw) <= kWindow) return false;
  const std::string text = lowered(raw);
  if (has_alike_windows(text)) return true;
  for (const std::string_view mark : {"\n", ".", "。"}) {
    if (text.find(mark) == text.npos) return false;
    const std::vector<std::string_view> parts = long_parts(text, mark);
    if (parts.empty()) return true;
    Pieces last(parts[0]);
    for (std::size_t i = 1; i < parts.size(); ++i) {
      Pieces pieces(parts[i]);
      if (pieces.is_like(last)) return true;
      last = std::move(pieces);
    }
  }
  return false;
}

bool has_box(std::string_view text) {
  constexpr std::string_view kOpen = "\\boxed{";
  constexpr int kDeepest = 3;
  for (std::size_t at = text.find(kOpen); at != text.npos; at = text.find(kOpen, at + 1)) {
    int depth = 1;
    for (std::size_t i = at + kOpen.size(); i < text.size() && depth <= kDeepest; ++i) {
      depth += text[i] == '{' ? 1 : text[i] == '}' ? -1 : 0;
      if (depth == 0) return true;
    }
  }
  return false;
}

std::size_t num_characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

ScriptCounts count_letters(std::string_view text) {
  ScriptCounts out{};
  const auto count = [&](Script script) { ++out[static_cast<std::size_t>(script)]; };
  std::int64_t num_ascii = 0;
  for (std::size_t i = 0, end = 0; i < text.size(); i = end) {
    end = i + 1;
    if (is_ascii(text[i])) {
      num_ascii += static_cast<unsigned char>((text[i] | 0x20) - 'a') < 26 ? 1 : 0;
      continue;
    }
    end = after(text, i);
    const char32_t c = decode(text.substr(i, end - i));
    const auto* block = std::upper_bound(std::begin(kBlocks), std::end(kBlocks), c,
                                         [](char32_t x, const Block& b) { return x < b.first; });
    if (block != std::begin(kBlocks) && c <= block[-1].last) count(block[-1].script);
  }
  out[static_cast<std::size_t>(Script::kLatin)] += num_ascii;
  return out;
}

}  // namespace qed
