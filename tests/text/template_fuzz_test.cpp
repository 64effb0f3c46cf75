// Templates come with models, so any text may be one: whatever it holds, it renders or is refused.

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "core/text/chat_template.h"
#include "core/util/error.h"

namespace qed {
namespace {

const std::vector<std::string> kPieces = {"{{",
                                          "}}",
                                          "{%",
                                          "%}",
                                          "{#",
                                          "#}",
                                          "{%-",
                                          "-%}",
                                          "{{-",
                                          "-}}",
                                          " for ",
                                          " in ",
                                          " if ",
                                          " else ",
                                          " elif ",
                                          "endif",
                                          "endfor",
                                          " set ",
                                          "endset",
                                          " macro ",
                                          "endmacro",
                                          "call",
                                          "endcall",
                                          "filter",
                                          "raw",
                                          "endraw",
                                          "generation",
                                          "endgeneration",
                                          "with",
                                          "endwith",
                                          "block",
                                          "endblock",
                                          "break",
                                          "continue",
                                          " recursive",
                                          "x",
                                          "y",
                                          "messages",
                                          "message",
                                          "content",
                                          "role",
                                          "loop",
                                          "ns",
                                          "namespace(",
                                          "range(",
                                          "dict(",
                                          "f(",
                                          "none",
                                          "true",
                                          "1",
                                          "-3",
                                          "2.5e9",
                                          "99999999",
                                          "'a'",
                                          "\"b\\n\"",
                                          "'%s %d'",
                                          " % ",
                                          " + ",
                                          " ~ ",
                                          " * ",
                                          " ** ",
                                          " // ",
                                          " == ",
                                          " < ",
                                          " and ",
                                          " not ",
                                          " is ",
                                          "defined",
                                          "iterable",
                                          "sequence",
                                          "|",
                                          "|tojson",
                                          "|list",
                                          "|join(",
                                          "|trim",
                                          "|length",
                                          "|map(",
                                          "|sort",
                                          "|int",
                                          "|default(",
                                          "|indent(",
                                          "|format(",
                                          "|replace(",
                                          ".split(",
                                          ".strip(",
                                          ".items()",
                                          ".get(",
                                          ".center(",
                                          "[0]",
                                          "[1:",
                                          "[::-1]",
                                          "(",
                                          ")",
                                          "[",
                                          "]",
                                          "{",
                                          "}",
                                          ",",
                                          ":",
                                          ".",
                                          "=",
                                          "\n",
                                          "\r\n",
                                          " ",
                                          "text é😀",
                                          "'",
                                          "\"",
                                          "\\",
                                          "\x01",
                                          "<|im_start|>",
                                          "raise_exception(",
                                          "strftime_now('%d ",
                                          "{% for message in messages %}",
                                          "{{ message.content }}",
                                          "{% endfor %}",
                                          "{% if message.role == 'user' %}",
                                          "{% endif %}",
                                          "{% set ns = namespace(a=1) %}"};

const std::vector<std::string> kMessages = {
    "[]",
    R"([{"role": "user", "content": "a"}])",
    R"([{"role": "system", "content": null}, {"role": "user", "content": [1, {"text": "b"}]}])",
    R"([{"role": "tool", "content": {"a": 1e308}, "tool_calls": [{"function": {"name": "f"}}]}])",
    R"([{}])",
    "null",
    "[{\"content\": \"\\u0000\\ud800\"}]"};

const std::vector<std::string> kVariables = {"{}", R"({"x": [3, 1, null], "y": {"a": "b"}})",
                                             R"({"messages": 1, "ns": "x", "range": null})"};

// Returns whether it rendered; anything but an Error fails the test.
bool renders(const std::string& source, const std::string& messages, const std::string& variables) {
  try {
    ChatTemplate("chat", source).render(messages, {.variables = variables});
    return true;
  } catch (const Error& e) {
    EXPECT_FALSE(std::string(e.what()).empty());
    EXPECT_EQ(std::string(e.what()).find("internal panic"), std::string::npos) << e.what() << "\n"
                                                                               << source;
    return false;
  }
}

TEST(TemplateFuzz, AnyTextRendersOrIsRefused) {
  std::mt19937 random(11);
  const auto pick = [&](const std::vector<std::string>& from) {
    return from[random() % from.size()];
  };
  int rendered = 0;
  for (int round = 0; round < 12000; ++round) {
    std::string source;
    bool is_in_tag = false;
    for (std::size_t n = random() % 24; n > 0; --n) {
      // Two in three rounds open and close tags in turn, so that many templates parse.
      if (round % 3 != 0 && random() % 4 == 0) {
        source += is_in_tag ? " }}" : "{{ ";
        is_in_tag = !is_in_tag;
      }
      source += pick(kPieces);
    }
    if (is_in_tag) source += " }}";
    rendered += renders(source, pick(kMessages), pick(kVariables));
  }
  EXPECT_GT(rendered, 500);
}

// A real template with pieces replaced, doubled and cut out.
TEST(TemplateFuzz, SpoiledTemplatesRenderOrAreRefused) {
  const std::string whole =
      "{%- if messages[0]['role'] == 'system' %}{%- set system = messages[0]['content'] %}"
      "{%- else %}{%- set system = 'help' %}{%- endif %}{{- '<s>' + system | trim }}\n"
      "{%- for message in messages if message.role != 'system' %}\n"
      "{%- if message.content is string %}{{ message['content'].split('</think>')[-1] }}"
      "{%- elif message.tool_calls %}{%- for call in message.tool_calls %}"
      "{{ call.function | tojson(indent=2) }}{%- endfor %}{%- endif %}"
      "{%- set ns = namespace(last=loop.last) %}{% generation %}{{ '%s' % ns.last }}"
      "{% endgeneration %}{%- endfor %}{% macro f(a, b=1) %}{{ a ~ b }}{% endmacro %}{{ f(1) }}"
      "{%- if add_generation_prompt %}{{ '<|assistant|>' }}{% endif %}";
  std::mt19937 random(12);
  int rendered = 0;
  for (int round = 0; round < 12000; ++round) {
    std::string source = whole;
    for (std::size_t n = 1 + random() % 2; n > 0; --n) {
      const std::size_t at = random() % source.size(), size = random() % 12;
      const std::string& piece = kPieces[random() % kPieces.size()];
      switch (random() % 4) {
        case 0:
          source.insert(at, piece);
          break;
        case 1:
          source.erase(at, size);
          break;
        case 2:
          source.replace(at, size, piece);
          break;
        default:
          source.insert(at, source.substr(random() % source.size(), size));
          break;
      }
    }
    rendered += renders(source, kMessages[random() % kMessages.size()],
                        kVariables[random() % kVariables.size()]);
  }
  EXPECT_GT(rendered, 500);
}

}  // namespace
}  // namespace qed
