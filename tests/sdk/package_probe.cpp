// Calls every function of every component of a plugin, with small valid arguments.
//
//   qed_package_probe FILE.so            every call must succeed
//   qed_package_probe FILE.so --throws   every call must fail with the message `thrown on purpose`,
//                                        create too where the option `when` is "create"
//
// Prints what went wrong, with exit code 1. It knows the C header alone: an exception that crossed
// would end it.

#include "qed/abi.h"

#include <dlfcn.h>

#include <cstdio>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace {

std::string_view view(qed_str s) { return {s.p, s.n}; }
qed_str str(std::string_view s) { return {s.data(), s.size()}; }

// A writer into a string.
struct Sink {
  std::string text;
  qed_writer writer = {
      sizeof(qed_writer), 0, this, [](qed_writer* w, const uint8_t* p, uint64_t n) {
        static_cast<Sink*>(w->host)->text.append(reinterpret_cast<const char*>(p), n);
        return 0;
      }};
};

class Probe {
 public:
  explicit Probe(bool throws) : throws_(throws) {}

  int run(const char* path) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) return std::printf("%s\n", dlerror()), 1;
    const auto entry = reinterpret_cast<qed_entry_fn>(dlsym(library, "qed_entry_1"));
    const qed_plugin* plugin = entry(&host_, &err_);
    if (plugin == nullptr) return std::printf("no plugin: %.*s\n", int(err_.msg_len), text_), 1;
    for (uint64_t i = 0; i < plugin->num_components; ++i) probe(*plugin->components[i]);
    std::printf("%d calls, %d failures\n", num_calls_, num_failures_);
    return num_calls_ > 0 && num_failures_ == 0 ? 0 : 1;
  }

 private:
  // What every call must say.
  void expect(const char* what, int32_t status) {
    const std::string_view message(text_, err_.msg_len);
    const bool as_wanted =
        throws_ ? status != QED_OK && message == "thrown on purpose" : status == QED_OK;
    ++num_calls_;
    if (!as_wanted) {
      ++num_failures_;
      std::printf("%s: status %d, `%.*s`\n", what, status, int(message.size()), message.data());
    }
    err_.msg_len = 0;
  }

  static std::string options(const qed_component& c, const char* when) {
    std::string json;
    for (uint64_t i = 0; i < c.num_options; ++i) {
      const std::string name(view(c.options[i]->name));
      const std::string value(name == "when" ? when : view(c.options[i]->default_json));
      json += (json.empty() ? "\"" : ",\"") + name + "\":" + value;
    }
    return "{" + json + "}";
  }

  void probe(const qed_component& c) {
    const auto* object = static_cast<const qed_object*>(c.vtable);
    void* self = nullptr;
    if (throws_) {
      expect("create", object->create(&host_, &call_, str(options(c, "\"create\"")), &self));
    }
    if (object->create(&host_, &call_, str(options(c, "\"call\"")), &self) != QED_OK) {
      ++num_failures_;
      std::printf("create: `%.*s`\n", int(err_.msg_len), text_);
      return;
    }
    const std::string_view kind = view(c.kind);
    if (kind == "qed.task/1") probe(*static_cast<const qed_task*>(c.vtable), self);
    if (kind == "qed.reward/1") probe(*static_cast<const qed_reward*>(c.vtable), self);
    if (kind == "qed.algorithm/1") probe(*static_cast<const qed_algorithm*>(c.vtable), self);
    if (kind == "qed.sampler/1") probe(*static_cast<const qed_sampler*>(c.vtable), self);
    object->destroy(self);
  }

  void probe(const qed_task& task, void* self) {
    uint64_t n = 0;
    Sink key, blob, out;
    qed_item_out item_out = {sizeof item_out, 0, &key.writer, &blob.writer};
    expect("count", task.count(self, &call_, task.splits.p[0], &n));
    expect("load", task.load(self, &call_, task.splits.p[0], 0, &item_out));
    item_.key = str(key.text);
    item_.blob = {reinterpret_cast<const uint8_t*>(blob.text.data()), blob.text.size()};
    qed_prompt_out prompt = {sizeof prompt, 0, &out.writer, &out.writer, &out.writer,
                             &out.writer,   0};
    expect("render", task.render(self, &call_, &item_, &prompt));
    std::vector<float> terms(task.terms.n);
    qed_score score = {sizeof score, QED_INTERNAL, 0, 0, 0, {terms.data(), terms.size()},
                       &out.writer};
    const qed_sample* samples[] = {&sample_};
    qed_score* scores[] = {&score};
    if (task.verify(self, &call_, samples, scores, 1) != QED_OK) score.status = QED_INTERNAL;
    expect("verify", score.status);
    if (QED_HAS(qed_task, &task, demonstrate)) {
      expect("demonstrate", task.demonstrate(self, &call_, &item_, str(""), &out.writer));
    }
  }

  void probe(const qed_reward& reward, void* self) {
    Sink note;
    qed_scored scored = {sizeof scored, QED_VERDICT_RIGHT, &sample_, 1, {}, {}};
    qed_term term = {sizeof term, QED_INTERNAL, 0, 1, 0, {}, &note.writer};
    const qed_scored* samples[] = {&scored};
    qed_term* terms[] = {&term};
    const int32_t status = reward.score(self, &call_, samples, terms, 1);
    expect("score", status == QED_OK ? term.status : status);
  }

  void probe(const qed_algorithm& algorithm, void* self) {
    const uint64_t offset[] = {0, 2, 4}, group[] = {0, 0};
    const float reward[] = {1, 0}, logp[] = {-1, -1, -1, -1}, weight[] = {1, 1, 1, 1};
    const uint8_t ones[] = {1, 1, 1, 1};
    qed_batch batch = {};
    batch.size = sizeof batch;
    batch.step = 1;
    batch.offset = {offset, 3};
    batch.group = {group, 2};
    batch.reward = {reward, 2};
    batch.valid = {ones, 2};
    batch.mask = {ones, 4};
    batch.behavior_logp = batch.old_logp = {logp, 4};
    float adv[4] = {}, grad[4] = {};
    uint8_t keep[2] = {1, 1};
    qed_advantage advantage = {sizeof advantage, 0, {adv, 4}, {}, {keep, 2}, &metrics_};
    expect("advantage", algorithm.advantage(self, &call_, &batch, &advantage));
    Sink prepared;
    if (QED_HAS(qed_algorithm, &algorithm, prepare)) {
      const qed_update update = {sizeof update, 0,         &batch,   {adv, 4}, {},
                                 {weight, 4},   {logp, 4}, &metrics_};
      expect("prepare", algorithm.prepare(self, &call_, &update, &prepared.writer));
    }
    qed_loss loss = {};
    loss.size = sizeof loss;
    loss.batch = &batch;
    loss.adv = {adv, 4};
    loss.logp = {logp, 4};
    loss.weight = {weight, 4};
    loss.grad_logp = {grad, 4};
    loss.metrics = &metrics_;
    expect("loss", algorithm.loss(self, &call_, &loss));
  }

  void probe(const qed_sampler& sampler, void* self) {
    const qed_request request = {sizeof request, QED_STAGE_TRAIN, 1, 10, 0, 4, 16};
    qed_plan plan = {sizeof plan, 0, nullptr, [](qed_plan*, const qed_op*) { return 0; }};
    expect("plan", sampler.plan(self, &call_, &request, &plan));
    if (QED_HAS(qed_sampler, &sampler, mask)) {
      uint8_t allowed[] = {0xFF, 0xFF};
      qed_mask_row row = {sizeof row, 0, 0, str("prompt"), {}, {allowed, 2}};
      qed_mask_row* rows[] = {&row};
      expect("mask", sampler.mask(self, &call_, rows, 1));
    }
  }

  bool throws_;
  int num_calls_ = 0, num_failures_ = 0;
  char text_[256] = {};
  qed_err err_ = {sizeof err_, 0, text_, sizeof text_, 0};
  qed_call call_ = {sizeof call_, 0, 1, 0, nullptr, &err_};
  qed_metrics metrics_ = {sizeof metrics_, 0, nullptr,
                          [](qed_metrics*, qed_str, double, double) {}};
  qed_host host_ = {sizeof host_,
                    QED_EPOCH,
                    QED_LEVEL,
                    1,
                    str("probe"),
                    str("1"),
                    nullptr,
                    [](const qed_host*, int32_t, qed_str) {},
                    [](const qed_host*, qed_str) -> const void* { return nullptr; }};
  qed_item item_ = {sizeof item_, 0, {}, {}};
  qed_sample sample_ = {
      sizeof sample_, QED_FINISH_STOP, &item_, str("prompt"), {}, str("yes"), {}, 0, 0, 0, {}};
};

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) return 2;
  return Probe(argc > 2 && std::strcmp(argv[2], "--throws") == 0).run(argv[1]);
}
