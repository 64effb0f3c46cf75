// The critic's half of an update.

#include "core/train/critic.h"
#include "tests/train/update_fixture.h"

namespace qed {
namespace {

using ValueUpdate = Update;

TEST_F(ValueUpdate, AValueThatIsWrongIsASignalAndOneThatIsRightIsNone) {
  const Component& ppo = host_.load("algorithm", "ppo");
  const Algorithm algorithm(ppo, options_with(ppo.spec), host_.abi());
  Critic critic(model_);  // all values are 0
  Experience e = experience(DrawPlan::at_temperature(0.9));
  e.value = critic.values(e, kWhole);
  options_.critic = &critic;
  for (const bool is_wrong : {false, true}) {
    e.ret.assign(e.num_tokens(), is_wrong ? 1.0f : 0.0f);
    model_.weights().grad().zero_();
    const PolicyGradient found = policy_gradient(model_, algorithm, e, rows(e), options_, metrics_);
    EXPECT_EQ(found.has_signal, is_wrong);
    EXPECT_NEAR(found.value_loss, is_wrong ? 0.5 : 0, 1e-6);
    EXPECT_EQ(at::abs(critic.model().weights().grad()).max().item<float>() > 0, is_wrong);
    EXPECT_EQ(at::abs(model_.weights().grad()).max().item<float>(), 0);
  }
}

}  // namespace
}  // namespace qed
