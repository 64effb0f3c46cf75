#include "qed/options.h"

#include <gtest/gtest.h>

namespace {

struct Sample {
  double rate = 0.1;
  std::int64_t count = -3;
  bool loud = true;
  std::string mode = "a \"b\"";

  void options(qed::Options& o) {
    o("rate", rate, {.min = 0, .max = 1, .unit = "1/s", .help = "how often"});
    o("count", count, {.min = -5});
    o("loud", loud, {});
    o("mode", mode, {.choices = {"a \"b\"", "c"}});
  }
};

qed::Options described() {
  qed::Options options;
  Sample sample;
  sample.options(options);
  return options;  // moved: the declarations must survive it
}

TEST(Options, DescribesEveryMember) {
  const qed::Options options = described();
  ASSERT_EQ(options.size(), 4u);
  const qed_option* const* o = options.data();

  EXPECT_EQ(o[0]->size, sizeof(qed_option));
  EXPECT_EQ(qed::view(o[0]->name), "rate");
  EXPECT_EQ(o[0]->type, QED_OPTION_FLOAT);
  EXPECT_EQ(o[0]->flags, QED_OPTION_HAS_MIN | QED_OPTION_HAS_MAX);
  EXPECT_EQ(qed::view(o[0]->default_json), "0.1");
  EXPECT_EQ(o[0]->min, 0.0);
  EXPECT_EQ(o[0]->max, 1.0);
  EXPECT_EQ(qed::view(o[0]->unit), "1/s");
  EXPECT_EQ(qed::view(o[0]->help), "how often");

  EXPECT_EQ(o[1]->type, QED_OPTION_INT);
  EXPECT_EQ(o[1]->flags, QED_OPTION_HAS_MIN);
  EXPECT_EQ(qed::view(o[1]->default_json), "-3");
  EXPECT_EQ(o[1]->unit.p, nullptr);

  EXPECT_EQ(o[2]->type, QED_OPTION_BOOL);
  EXPECT_EQ(qed::view(o[2]->default_json), "true");

  EXPECT_EQ(o[3]->type, QED_OPTION_STRING);
  EXPECT_EQ(qed::view(o[3]->default_json), R"("a \"b\"")");
  ASSERT_EQ(o[3]->choices.n, 2u);
  EXPECT_EQ(qed::view(o[3]->choices.p[1]), "c");
}

TEST(Options, ReadsTheMembersFromJson) {
  const auto json = qed::json::parse(R"({"rate":1,"count":12,"loud":false,"mode":"c"})");
  qed::Options options(json);
  Sample sample;
  sample.options(options);
  EXPECT_EQ(sample.rate, 1.0);
  EXPECT_EQ(sample.count, 12);
  EXPECT_FALSE(sample.loud);
  EXPECT_EQ(sample.mode, "c");
}

TEST(Options, DefaultsComeBackUnchanged) {
  const qed::Options options = described();
  std::string text = "{";
  for (std::uint64_t i = 0; i < options.size(); ++i) {
    const qed_option& o = *options.data()[i];
    text += (i == 0 ? "\"" : ",\"") + std::string(qed::view(o.name)) +
            "\":" + std::string(qed::view(o.default_json));
  }
  const auto json = qed::json::parse(text + "}");
  qed::Options reader(json);
  Sample sample{.rate = 9, .count = 9, .loud = false, .mode = "x"};
  sample.options(reader);
  const Sample expected;
  EXPECT_EQ(sample.rate, expected.rate);
  EXPECT_EQ(sample.count, expected.count);
  EXPECT_EQ(sample.loud, expected.loud);
  EXPECT_EQ(sample.mode, expected.mode);
}

TEST(Options, AMissingMemberIsNamed) {
  const auto json = qed::json::parse(R"({"rate":1})");
  qed::Options options(json);
  Sample sample;
  try {
    sample.options(options);
    FAIL();
  } catch (const qed::Error& error) {
    EXPECT_STREQ(error.what(), "option `count` is missing");
  }
}

}  // namespace
