#include <memory>

#include "core/cli/commands.h"
#include "core/cli/model_options.h"
#include "core/cli/open_engine.h"
#include "core/run/engine.h"
#include "core/util/error.h"

namespace qed {
namespace {

struct ChatOptions {
  ChatRequest request;
  std::string dtype = "float32";
};

int chat(ChatOptions options) {
  ChatRequest& request = options.request;
  request.dtype = dtype_option(options.dtype);
  at_least(1, request.max_new_tokens, "--max-new-tokens");
  at_least(0, request.threads, "--threads");
  if (!(request.temperature >= 0)) {
    throw Error(cat("--temperature must be at least 0, not ", request.temperature), "", kExitUsage);
  }
  return open_engine<EngineChat>(kEngineChatSymbol)(request);
}

}  // namespace

Run add_chat(CLI::App& app) {
  auto options = std::make_shared<ChatOptions>();  // lives as long as the command line
  ChatRequest& request = options->request;
  CLI::App* command = app.add_subcommand("chat", "Talk to a model");
  command->add_option("MODEL", request.model, "a Hugging Face folder")->required()->type_name("");
  command->add_option("--system", request.system, "a system message to begin with")
      ->type_name("TEXT");
  command
      ->add_option("--chat-template", request.chat_template,
                   "Jinja file that turns messages into text; by default the folder's")
      ->type_name("FILE");
  command->add_option("--temperature", request.temperature, "0: the likeliest token")
      ->type_name("T")
      ->default_str("1");
  command->add_option("--max-new-tokens", request.max_new_tokens, "an answer ends here")
      ->type_name("N")
      ->default_str("1024");
  command->add_option("--seed", request.seed, "of the random numbers")
      ->type_name("SEED")
      ->default_str("1");
  add_model_options(*command, options->dtype, request.threads);
  command->footer(
      "Every line of the input is a message. Ctrl-C ends an answer, Ctrl-D the conversation.\n\n"
      "Examples:\n"
      "  qed chat models/Qwen2.5-0.5B-Instruct\n"
      "  qed chat runs/x/checkpoints/200 --temperature 0 --system \"Answer in one word.\"\n");
  return [options] { return chat(*options); };
}

}  // namespace qed
