// The glue between a plain class and the C ABI: guard, read, descriptors, QED_PLUGIN.

#include "qed/plugin.h"

#include "qed/algorithm.h"
#include "qed/sampler.h"
#include "qed/task.h"

#include <gtest/gtest.h>

#include <new>

namespace {

struct Message {
  char text[16] = {};
  qed_err err{sizeof(qed_err), QED_OK, text, sizeof text, 0};
  std::string_view view() const { return {text, err.msg_len}; }
};

TEST(Guard, TurnsEveryExceptionIntoAStatus) {
  Message m;
  EXPECT_EQ(qed::guard(&m.err, [] {}), QED_OK);
  EXPECT_EQ(qed::guard(&m.err, [] { throw qed::Error("bad row"); }), QED_DATA);
  EXPECT_EQ(m.view(), "bad row");
  EXPECT_EQ(m.err.code, QED_DATA);
  EXPECT_EQ(qed::guard(&m.err, [] { throw qed::Error("no", QED_INVALID); }), QED_INVALID);
  EXPECT_EQ(qed::guard(&m.err, [] { throw std::bad_alloc(); }), QED_RESOURCE);
  EXPECT_EQ(qed::guard(&m.err, [] { throw std::out_of_range("range"); }), QED_INTERNAL);
  EXPECT_EQ(m.view(), "range");
  EXPECT_EQ(qed::guard(&m.err, [] { throw 42; }), QED_INTERNAL);
  EXPECT_EQ(qed::guard(nullptr, [] { throw 42; }), QED_INTERNAL);
}

TEST(Guard, CutsMessagesToTheHostsRoom) {
  Message m;
  qed::guard(&m.err, [] { throw qed::Error("a message of more than sixteen bytes"); });
  EXPECT_EQ(m.view(), "a message of mor");
  m.err.msg_cap = 0;
  qed::guard(&m.err, [] { throw qed::Error("x"); });
  EXPECT_EQ(m.err.msg_len, 0u);
}

TEST(Read, FillsWhatAnOlderWriterDidNotKnowWithZero) {
  qed_sample sample{};
  sample.size = offsetof(qed_sample, tokens);
  sample.group = 7;
  sample.index = 9;
  const qed_sample copy = qed::read(&sample);
  EXPECT_EQ(copy.group, 0u);
  EXPECT_EQ(copy.index, 0u);
}

void nothing() {}

TEST(Has, NeedsAMemberInsideTheSizeAndNotNull) {
  struct Table {
    std::uint32_t size;
    std::uint32_t reserved;
    void (*first)();
    void (*second)();
  };
  Table table{sizeof(Table), 0, nullptr, &nothing};
  EXPECT_FALSE(QED_HAS(Table, &table, first));
  EXPECT_TRUE(QED_HAS(Table, &table, second));
  table.size = offsetof(Table, second) + 4;
  EXPECT_FALSE(QED_HAS(Table, &table, second));

  qed_task task{};  // a vtable: its size lies in the object
  task.object.size = offsetof(qed_task, demonstrate);
  EXPECT_FALSE(QED_HAS(qed_task, &task, demonstrate));
}

struct Plain {
  static constexpr qed::Info kInfo{
      .id = "org.example.plain", .name = "plain", .version = "2.1.0", .summary = "no options"};
  void advantage(const qed::Batch&, qed::Advantage&) const {}
  double loss(const qed::Batch&, qed::LossArgs&) const { return 0; }
};

struct Picky {
  static constexpr qed::Info kInfo{
      .id = "org.example.picky", .name = "picky", .version = "1", .summary = "", .flags = 0};
  std::int64_t level = 3;
  void options(qed::Options& o) { o("level", level, {.help = "any but 4"}); }
  void check() const {
    if (level == 4) throw qed::Error("level 4 is taken", QED_INVALID);
  }
  void plan(const qed::Request&, qed::Plan&) const {}
};

TEST(Plugin, DescribesItsComponents) {
  const qed_plugin* p =
      qed::plugin<qed::Algorithm<Plain>, qed::Sampler<Picky>>("org.example", "MIT");
  EXPECT_EQ(p, (qed::plugin<qed::Algorithm<Plain>, qed::Sampler<Picky>>("org.example", "MIT")));
  EXPECT_EQ(p->size, sizeof(qed_plugin));
  EXPECT_EQ(p->epoch, QED_EPOCH);
  EXPECT_EQ(p->built_level, QED_LEVEL);
  EXPECT_LE(p->need_level, p->built_level);
  EXPECT_EQ(qed::view(p->licence), "MIT");
  ASSERT_EQ(p->num_components, 2u);

  const qed_component& plain = *p->components[0];
  EXPECT_EQ(qed::view(plain.kind), "qed.algorithm/1");
  EXPECT_EQ(qed::view(plain.name), "plain");
  EXPECT_EQ(plain.flags, QED_CONCURRENT | QED_DETERMINISTIC | QED_BATCH_INVARIANT);
  EXPECT_EQ(plain.num_options, 0u);
  EXPECT_EQ(static_cast<const qed_object*>(plain.vtable)->size, sizeof(qed_algorithm));

  const qed_component& picky = *p->components[1];
  EXPECT_EQ(qed::view(picky.kind), "qed.sampler/1");
  EXPECT_EQ(picky.flags, 0u);
  ASSERT_EQ(picky.num_options, 1u);
  EXPECT_EQ(qed::view(picky.options[0]->default_json), "3");
}

std::int32_t create_picky(std::string_view options, void** self, Message& m) {
  const qed_component* component = qed::Sampler<Picky>::component();
  qed_call call{sizeof(qed_call), 0, 0, 0, nullptr, &m.err};
  return static_cast<const qed_object*>(component->vtable)
      ->create(nullptr, &call, qed::str(options), self);
}

TEST(Object, IsMadeFromItsOptionsAndCheckedOnce) {
  Message m;
  void* self = nullptr;
  EXPECT_EQ(create_picky(R"({"level":5})", &self, m), QED_OK);
  ASSERT_NE(self, nullptr);
  EXPECT_EQ(static_cast<Picky*>(self)->level, 5);
  qed::Object<Picky>::destroy(self);

  self = nullptr;
  EXPECT_EQ(create_picky(R"({"level":4})", &self, m), QED_INVALID);
  EXPECT_EQ(m.view(), "level 4 is taken");
  EXPECT_EQ(create_picky("[]", &self, m), QED_INVALID);
  EXPECT_EQ(self, nullptr);
}

}  // namespace

QED_PLUGIN("org.example", "MIT", qed::Algorithm<Plain>, qed::Sampler<Picky>);

namespace {

TEST(QedPlugin, EmitsTheNoteAndTheEntry) {
  EXPECT_EQ(qed_plugin_note.namesz, 4u);
  EXPECT_EQ(qed_plugin_note.descsz, 12u);
  EXPECT_STREQ(qed_plugin_note.name, "qed");
  EXPECT_EQ(qed_plugin_note.epoch, QED_EPOCH);
  Message m;
  EXPECT_EQ(qed_entry_1(nullptr, &m.err)->num_components, 2u);
}

}  // namespace
