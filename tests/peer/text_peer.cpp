// Answers questions about text, one JSON object per line, for the peer tests of core/text:
//   {"op": "render", "folder": F, "messages": M, "variables": V, "add_generation_prompt": B}
//   {"op": "encode", "folder": F, "text": T, "add_special": B}
//   {"op": "decode", "folder": F, "ids": [...], "skip_special": B}   also as a stream
//   {"op": "bytes", "folder": F}                                     of all ids, in hexadecimal
// The answer is {"text": …}, {"ids": …}, {"text": …, "pieces": …}, {"bytes": …} or {"error": …}.

#include <cstdio>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>
#include <string>

#include "core/text/chat_template.h"
#include "core/text/decode_stream.h"
#include "core/text/tokenizer.h"
#include "core/util/error.h"

namespace qed {
namespace {

using Json = nlohmann::ordered_json;

const Tokenizer& tokenizer(const std::string& folder) {
  static std::map<std::string, Tokenizer> opened;
  const auto at = opened.find(folder);
  return at != opened.end() ? at->second
                            : opened.emplace(folder, Tokenizer::open(folder)).first->second;
}

const ChatTemplate& chat_template(const std::string& folder) {
  static std::map<std::string, ChatTemplate> opened;
  const auto at = opened.find(folder);
  if (at != opened.end()) return at->second;
  auto found = ChatTemplate::find(folder);
  QED_CHECK(found, folder);
  return opened.emplace(folder, std::move(*found)).first->second;
}

Json decode(const Tokenizer& tokenizer, const Json& question) {
  const auto ids = question.at("ids").get<std::vector<std::int32_t>>();
  const DecodeMode mode =
      question.at("skip_special") ? DecodeMode::kSkipSpecial : DecodeMode::kKeepSpecial;
  Json pieces = Json::array();
  DecodeStream stream(tokenizer, mode);
  for (const auto id : ids) pieces.push_back(stream.push(id));
  pieces.push_back(stream.finish());
  return {{"text", tokenizer.decode(ids, mode)}, {"pieces", pieces}};
}

Json bytes(const Tokenizer& tokenizer) {
  Json all = Json::array();
  for (std::int32_t id = 0; id < tokenizer.vocab_size(); ++id) {
    std::string hex;
    for (const char c : tokenizer.bytes(id)) {
      char digits[3];
      std::snprintf(digits, sizeof digits, "%02x", static_cast<unsigned char>(c));
      hex += digits;
    }
    all.push_back(hex);
  }
  return {{"bytes", all}};
}

Json answer(const Json& question) {
  const std::string op = question.at("op");
  const std::string folder = question.at("folder");
  if (op == "render") {
    const std::string variables = question.at("variables").dump();
    const RenderOptions options{.add_generation_prompt = question.at("add_generation_prompt"),
                                .variables = variables};
    return {{"text", chat_template(folder).render(question.at("messages").dump(), options)}};
  }
  if (op == "encode") {
    const std::string text = question.at("text");
    const EncodeMode mode =
        question.at("add_special") ? EncodeMode::kAddSpecial : EncodeMode::kPlain;
    return {{"ids", tokenizer(folder).encode(text, mode)}};
  }
  if (op == "decode") return decode(tokenizer(folder), question);
  QED_CHECK(op == "bytes", op);
  return bytes(tokenizer(folder));
}

}  // namespace
}  // namespace qed

int main() {
  std::ios::sync_with_stdio(false);
  std::string line;
  while (std::getline(std::cin, line)) {
    qed::Json reply;
    try {
      reply = qed::answer(qed::Json::parse(line));
    } catch (const qed::Error& e) {
      reply = {{"error", e.what()}};
    }
    std::cout << reply.dump() << '\n' << std::flush;
  }
}
