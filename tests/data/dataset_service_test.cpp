#include "core/data/dataset_service.h"

#include <gmock/gmock.h>

#include "core/host/plugin_call.h"
#include "tests/data/dataset_fixture.h"

namespace qed {
namespace {

class DatasetServiceTest : public DatasetFixture {
 protected:
  // Status and message of a call.
  template <class F>
  static std::string ask(F&& f) {
    PluginCall call;
    const std::int32_t status = f(call.abi());
    return status == QED_OK ? "ok" : std::to_string(status) + ": " + call.message(status);
  }
  std::string open(const std::string& path, std::vector<qed_str> columns = {}) {
    return ask([&](qed_call* call) {
      return service_->open(service_, call, to_abi(path), {columns.data(), columns.size()}, &data_);
    });
  }

  const qed_host_dataset* service_ = dataset_service();
  void* data_ = nullptr;
};

TEST_F(DatasetServiceTest, GivesCountRowsAndPlaces) {
  ASSERT_EQ(open(write("a.jsonl", "{\"a\":1,\"b\":2}\n{\"a\":3,\"b\":4}\n"), {to_abi("b")}), "ok");
  std::uint64_t n = 0;
  EXPECT_EQ(ask([&](qed_call* call) { return service_->count(service_, call, data_, &n); }), "ok");
  EXPECT_EQ(n, 2u);
  TextSink json(100), place(1000);
  EXPECT_EQ(
      ask([&](qed_call* call) { return service_->row(service_, call, data_, 1, json.abi()); }),
      "ok");
  EXPECT_EQ(json.text(), R"({"b":4})");
  EXPECT_EQ(
      ask([&](qed_call* call) { return service_->place(service_, call, data_, 1, place.abi()); }),
      "ok");
  EXPECT_EQ(place.text(), path("a.jsonl:2"));
  service_->close(service_, data_);
}

TEST_F(DatasetServiceTest, FailuresAreMessagesWithWhatToDo) {
  write("gsm8k.jsonl", "{\"a\":1}\n");
  EXPECT_EQ(open(path("gsm8.jsonl")), "7: no data file `" + path("gsm8.jsonl") +
                                          "`: looked for the file itself; the closest name is `" +
                                          path("gsm8k.jsonl") + "`");
  EXPECT_EQ(data_, nullptr);

  ASSERT_EQ(open(write("a.jsonl", "{\"a\":1}\noops\n")), "ok");
  TextSink json(100), small(3);
  EXPECT_EQ(
      ask([&](qed_call* call) { return service_->row(service_, call, data_, 1, json.abi()); }),
      "7: bad row in " + path("a.jsonl:2") + ": not a JSON object (column 1)");
  EXPECT_EQ(json.text(), "");
  EXPECT_EQ(
      ask([&](qed_call* call) { return service_->row(service_, call, data_, 0, small.abi()); }),
      "7: the writer takes no more output");
  service_->close(service_, data_);
}

}  // namespace
}  // namespace qed
