#include "qed/json.h"

#include <gtest/gtest.h>

#include <limits>

namespace {

using qed::json::parse;

TEST(Json, ReadsAFlatObjectOfScalars) {
  const auto object =
      parse(R"( {"a" : 1.5e3, "b":-7,"c":true,"d":false,"e":"text","f":"","g":9007199254740993} )");
  EXPECT_EQ(object.find("a")->number, 1500.0);
  EXPECT_EQ(object.find("b")->integer, -7);
  EXPECT_EQ(object.find("b")->number, -7.0);
  EXPECT_TRUE(object.find("c")->boolean);
  EXPECT_FALSE(object.find("d")->boolean);
  EXPECT_EQ(object.find("e")->text, "text");
  EXPECT_EQ(object.find("f")->text, "");
  EXPECT_EQ(object.find("g")->integer, 9007199254740993);  // beyond the integers of a double
  EXPECT_EQ(object.find("h"), nullptr);
}

TEST(Json, ReadsTheEmptyObject) {
  EXPECT_EQ(parse("{}").find("a"), nullptr);
  EXPECT_EQ(parse(" { } ").find("a"), nullptr);
}

TEST(Json, ReadsEscapesAndLeavesUtf8Alone) {
  const auto object = parse(R"({"a":"q\" b\\ s\/ n\n t\t u\u0001 Z\u005a é"})");
  EXPECT_EQ(object.find("a")->text, "q\" b\\ s/ n\n t\t u\x01 ZZ é");
}

TEST(Json, RefusesWhatIsNoFlatObject) {
  for (const std::string text : {"",
                                 " ",
                                 "1",
                                 "[]",
                                 "{",
                                 "}",
                                 "{}x",
                                 "{} {}",
                                 R"({"a"})",
                                 R"({"a":})",
                                 R"({"a":1)",
                                 R"({"a":1,})",
                                 R"({a:1})",
                                 R"({"a":null})",
                                 R"({"a":[1]})",
                                 R"({"a":{}})",
                                 R"({"a":tru})",
                                 R"({"a":"x)",
                                 R"({"a":"\)",
                                 R"({"a":"\x"})",
                                 R"({"a":"\u12"})",
                                 R"({"a":"\ud800"})",
                                 R"({"a":inf})",
                                 R"({"a":nan})",
                                 R"({"a":1e999})",
                                 R"({"a":+1})"}) {
    try {
      parse(text);
      ADD_FAILURE() << "took " << text;
    } catch (const qed::Error& error) {
      EXPECT_STREQ(error.what(), "options are not a flat JSON object");
      EXPECT_EQ(error.code(), QED_INVALID);
    }
  }
}

TEST(Json, WritesScalars) {
  EXPECT_EQ(qed::json::write(true), "true");
  EXPECT_EQ(qed::json::write(std::int64_t{-7}), "-7");
  EXPECT_EQ(qed::json::write(0.1), "0.1");
  EXPECT_EQ(qed::json::write(2.0), "2");
  EXPECT_EQ(qed::json::write("literal"), "\"literal\"");
  EXPECT_EQ(qed::json::write(std::string("a\"b\\c\n\x1f é")), R"("a\"b\\c\u000a\u001f é")");
  EXPECT_THROW(qed::json::write(std::numeric_limits<double>::infinity()), qed::Error);
}

TEST(Json, WhatIsWrittenIsReadBack) {
  std::string text;
  for (char c = 1; c < 127; ++c) text += c;
  EXPECT_EQ(parse("{\"a\":" + qed::json::write(text) + "}").find("a")->text, text);
  for (const double x : {0.1, -1e-300, 1.7976931348623157e308, 5e-324}) {
    EXPECT_EQ(parse("{\"a\":" + qed::json::write(x) + "}").find("a")->number, x);
  }
}

}  // namespace
