// Tests of a sampler's plans and masks.

#include "core/check/exercise.h"
#include "core/check/registry.h"

#include <algorithm>

namespace qed::check {
namespace {

constexpr std::size_t kMaxOps = 16;  // that the engine takes for one request

std::string lines(const std::vector<OpData>& ops) {
  std::string out;
  for (const OpData& op : ops) out += line(op) + "\n";
  return out;
}

std::string where(const qed_request& r) {
  return cat(r.stage == QED_STAGE_TRAIN ? "training" : "evaluation", ", step ", r.step, " of ",
             r.num_steps, ", sample ", r.index, " of ", r.group_size, ", vocabulary ",
             r.vocab_size);
}

void check_plan(const Subject& s) {
  const Object object(s);
  const SamplerCaller sampler(object);
  for (const qed_request& request : request_grid()) {
    const std::vector<OpData> ops = sampler.plan(request);
    expect(ops.size() <= kMaxOps, where(request), ": ", ops.size(), " ops; the engine takes ",
           kMaxOps);
    for (const OpData& op : ops) {
      const std::string problem = op_problem(op, request.vocab_size);
      expect(problem.empty(), where(request), ": ", problem);
    }
  }
}

void check_pure(const Subject& s) {
  const Object object(s), other(s);
  std::vector<qed_request> grid = request_grid();
  std::vector<std::string> plans;
  for (const qed_request& request : grid)
    plans.push_back(lines(SamplerCaller(object).plan(request)));
  for (std::size_t i = grid.size(); i-- > 0;) {  // in another order, by turns on another object
    const SamplerCaller sampler(i % 2 == 0 ? object : other);
    expect_same(plans[i], lines(sampler.plan(grid[i])), cat(where(grid[i]), ", asked again"));
  }
}

void check_mask(const Subject& s) {
  const Object object(s);
  const SamplerCaller sampler(object);
  if (!sampler.has_mask()) throw Skipped{"it has no mask"};
  const Corpus corpus = make_corpus(s);
  const auto whole = sampler.mask(corpus.rows, kMaskVocab);
  for (std::size_t i = 0; i < corpus.rows.size(); ++i) {
    bool has_token = false;
    for (std::uint64_t id = 0; id < kMaskVocab; ++id) {
      has_token = has_token || ((whole[i][id >> 3] >> (id & 7)) & 1) != 0;
    }
    expect(has_token, "after ", corpus.rows[i].tokens.size(), " tokens the mask allows none");
    const auto alone = sampler.mask({&corpus.rows[i], 1}, kMaskVocab);
    expect(alone[0] == whole[i], "the mask of a completion depends on its neighbours");
  }
}

constexpr Test kTests[] = {
    {"sampler.plan", Level::kMust, "sampler", "ops are known, legal and few at every step",
     &check_plan},
    {"sampler.pure", Level::kMust, "sampler", "a plan depends on its request alone", &check_pure},
    {"sampler.mask", Level::kMust, "sampler", "a mask leaves a token and knows no neighbours",
     &check_mask},
};

}  // namespace

std::span<const Test> sampler_tests() { return kTests; }

}  // namespace qed::check
