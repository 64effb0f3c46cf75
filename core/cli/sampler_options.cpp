#include "core/cli/sampler_options.h"

#include "core/cli/model_options.h"
#include "core/util/error.h"

namespace qed {

void add_draw_options(CLI::App& command, DrawOptions& o, const std::string& item) {
  command.add_option("MODEL", o.folder, "a Hugging Face folder")->required()->type_name("");
  command.add_option("-n", o.num_samples, cat("completions per ", item))
      ->type_name("N")
      ->default_str("1");
  command.add_option("--sampler", o.sampler, "how tokens are drawn; `qed plugins` lists samplers")
      ->type_name("NAME")
      ->default_str("standard");
  command.add_option("--temperature", o.temperature, "option of the sampler; 0 is greedy")
      ->type_name("T");
  command.add_option("--top-k", o.top_k, "likewise")->type_name("K");
  command.add_option("--top-p", o.top_p, "likewise")->type_name("P");
  command.add_option("--seed", o.seed, "another seed, other completions")->type_name("SEED");
  command
      .add_option("--max-new-tokens", o.max_new_tokens,
                  "by default the task's, or 256 where the window allows")
      ->type_name("N");
}

void add_engine_options(CLI::App& command, DrawOptions& o) {
  add_model_options(command, o.dtype, o.threads);
  command.add_option("--max-batch", o.max_batch, "completions at a time; changes no result")
      ->type_name("N");
}

std::vector<std::string> sets_of(const std::string& kind, bool has_task,
                                 const std::vector<std::string>& sets, const SamplerOptions& o) {
  std::vector<std::string> out;
  for (const std::string& set : sets) {
    const bool is_sampler = set.starts_with("sampler.") || (!has_task && !set.starts_with("task."));
    if (is_sampler == (kind == "sampler")) out.push_back(set);
  }
  if (kind != "sampler") return out;
  const auto add = [&](const char* name, const std::optional<std::string>& value) {
    if (value) out.push_back(cat("sampler.", name, "=", *value));
  };
  add("temperature", o.temperature);
  add("top_k", o.top_k);
  add("top_p", o.top_p);
  return out;
}

}  // namespace qed
