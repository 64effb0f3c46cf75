// placeholder: a penalty for words that a completion uses again and again.
//
//   value  different words / words - 1: 0 where no word comes twice, near -1 for one word for ever

#include "qed/reward.h"

#include <set>

namespace {

class Placeholder {
 public:
  static constexpr qed::Info kInfo{
      .id = "com.example.placeholder",
      .name = "placeholder",
      .version = "1.0.0",
      .summary = "a penalty for words that come again and again",
  };

  void options(qed::Options& o) {
    o("min_words", min_words_, {.min = 1, .help = "shorter completions are left alone"});
  }

  qed::Term score(const qed::Scored& scored) const {
    std::set<std::string_view> different;
    std::int64_t words = 0;
    std::string_view rest = scored.sample.text;
    constexpr std::string_view kSpace = " \t\r\n";
    for (auto begin = rest.find_first_not_of(kSpace); begin != rest.npos;
         begin = rest.find_first_not_of(kSpace)) {
      rest.remove_prefix(begin);
      const std::string_view word = rest.substr(0, rest.find_first_of(kSpace));
      rest.remove_prefix(word.size());
      different.insert(word);
      ++words;
    }
    if (words < min_words_) return {.applies = false};
    const double part = static_cast<double>(different.size()) / static_cast<double>(words);
    return {.value = part - 1, .note = std::to_string(words) + " words"};
  }

 private:
  std::int64_t min_words_ = 8;
};

}  // namespace

QED_PLUGIN("com.example.placeholder", "Apache-2.0", qed::Reward<Placeholder>);
