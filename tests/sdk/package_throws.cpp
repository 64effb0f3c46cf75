// A plugin that throws inside every function that the host calls: four components, and four kinds
// of exceptions. With THROW_IN_ENTRY, while it describes itself already.

#include "qed/algorithm.h"
#include "qed/reward.h"
#include "qed/sampler.h"
#include "qed/task.h"

#include <stdexcept>

namespace {

constexpr char kText[] = "thrown on purpose";

template <class Exception>
class Throws {
 public:
  static constexpr std::string_view kSplits[] = {"train"}, kTerms[] = {"correct"};

  void options(qed::Options& o) {
#ifdef THROW_IN_ENTRY
    throw Exception(kText);
#endif
    o("when", when_, {.choices = {"create", "call"}, .help = "where it throws"});
  }
  void check() const {
    if (when_ == "create") throw Exception(kText);
  }

  std::uint64_t count(std::string_view) const { throw Exception(kText); }
  qed::Item load(std::string_view, std::uint64_t) const { throw Exception(kText); }
  qed::Prompt render(const qed::ItemView&) const { throw Exception(kText); }
  qed::Score verify(const qed::Sample&) const { throw Exception(kText); }
  std::string demonstrate(const qed::ItemView&, std::string_view, qed::Rng&) const {
    throw Exception(kText);
  }
  qed::Term score(const qed::Scored&) const { throw Exception(kText); }
  void advantage(const qed::Batch&, qed::Advantage&) const { throw Exception(kText); }
  double loss(const qed::Batch&, qed::LossArgs&) const { throw Exception(kText); }
  void plan(const qed::Request&, qed::Plan&) const { throw Exception(kText); }

 private:
  std::string when_ = "call";
};

#define COMPONENT(KIND, EXCEPTION)                                              \
  struct KIND : Throws<EXCEPTION> {                                             \
    static constexpr qed::Info kInfo{.id = "dev.qed.test.throws." #KIND,        \
                                     .name = "throws",                          \
                                     .version = "1.0.0",                        \
                                     .summary = "throws whatever it is asked"}; \
  };
COMPONENT(Task, qed::Error)
COMPONENT(Reward, std::runtime_error)
COMPONENT(Algorithm, std::out_of_range)
COMPONENT(Sampler, std::logic_error)

}  // namespace

QED_PLUGIN("dev.qed.test.throws", "Apache-2.0", qed::Task<Task>, qed::Reward<Reward>,
           qed::Algorithm<Algorithm>, qed::Sampler<Sampler>);
