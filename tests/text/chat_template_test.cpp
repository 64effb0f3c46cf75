#include "core/text/chat_template.h"

#include <gmock/gmock.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "tests/text/text_fixture.h"

namespace qed {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr const char* kMessages =
    R"([{"role": "user", "content": "1+1?"}, {"role": "assistant", "content": "2"}])";

class ChatTemplates : public TextFolder {
 protected:
  std::string render(std::string_view source, std::string_view messages = kMessages,
                     const RenderOptions& options = {}) const {
    write("chat_template.jinja", source);
    return ChatTemplate::find(folder_)->render(messages, options);
  }
  std::string render_error(std::string_view source, std::string_view messages = kMessages,
                           const RenderOptions& options = {}) const {
    return error([&] { render(source, messages, options); });
  }
};

TEST_F(ChatTemplates, WritesATurnPerMessageAndTheStartOfTheAnswer) {
  const char* source =
      "{% for message in messages %}\n"
      "<|im_start|>{{ message['role'] + '\\n' + message.content }}<|im_end|>\n"
      "{% endfor %}\n"
      "{%- if add_generation_prompt %}\n"
      "<|im_start|>assistant\n"
      "{% endif %}";
  const std::string turns =
      "<|im_start|>user\n1+1?<|im_end|>\n<|im_start|>assistant\n2<|im_end|>\n";
  EXPECT_EQ(render(source), turns + "<|im_start|>assistant\n");
  EXPECT_EQ(render(source, kMessages, {.add_generation_prompt = false}), turns);
}

TEST_F(ChatTemplates, ComeFromTheTokenizersConfigWhereTheyHaveNoFile) {
  EXPECT_FALSE(ChatTemplate::find(folder_));
  write("tokenizer_config.json", R"({"chat_template": "one"})");
  EXPECT_EQ(ChatTemplate::find(folder_)->render("[]"), "one");
  write("tokenizer_config.json",
        R"({"chat_template": [{"name": "tool_use", "template": "two"},
                              {"name": "default", "template": "three"}]})");
  EXPECT_EQ(ChatTemplate::find(folder_)->render("[]"), "three");
  EXPECT_EQ(render("four"), "four");
}

TEST_F(ChatTemplates, MayHaveAFileElsewhereAndTheFoldersTokens) {
  write("tokenizer_config.json", R"({"eos_token": "</s>", "chat_template": "other"})");
  write("mine.jinja", "{{ eos_token }}");
  EXPECT_EQ(ChatTemplate::read(folder_ / "mine.jinja", folder_).render("[]"), "</s>");
}

TEST_F(ChatTemplates, SeeTheSpecialTokens) {
  write("tokenizer_config.json",
        R"({"bos_token": {"content": "<s>"}, "eos_token": "</s>", "unk_token": null})");
  write("special_tokens_map.json", R"({"pad_token": "<pad>", "eos_token": "other"})");
  EXPECT_EQ(render("{{ bos_token }}{{ eos_token }}{{ pad_token }}{{ unk_token is defined }}"),
            "<s></s><pad>False");
}

TEST_F(ChatTemplates, SeeFurtherVariablesInTheirOrder) {
  EXPECT_EQ(render("{{ tools is none }} {{ documents is none }} {{ x is defined }}"),
            "True True False");
  EXPECT_EQ(render("{{ tools | tojson }} {{ x }}", kMessages,
                   {.variables = R"({"x": 1.0, "tools": [{"name": "f", "b": null, "a": "<é>"}]})"}),
            R"([{"name": "f", "b": null, "a": "<é>"}] 1.0)");
  EXPECT_EQ(render_error("", kMessages, {.variables = "[]"}),
            "the variables of a chat template must be a JSON object | ");
}

TEST_F(ChatTemplates, StandAtAFixedTimeInRuns) {
  EXPECT_EQ(render("{{ strftime_now('%d %b %Y %H:%M') }}"), "01 Jan 2026 00:00");
  EXPECT_EQ(render("{{ strftime_now('') }}"), "");
  EXPECT_THAT(render("{{ strftime_now('%Y') }}", kMessages, {.clock = TemplateClock::kLocal}),
              StartsWith("2"));
}

TEST_F(ChatTemplates, DoAsPythonDoes) {
  EXPECT_EQ(render("{{ [true, none, 1e16, 1e-5, 2.0, \"it's\", (1,)] }}"),
            "[True, None, 1e+16, 1e-05, 2.0, \"it's\", (1,)]");
  EXPECT_EQ(render("{{ {'b': 1, 'a': '<\"é\\n'} | tojson(indent=2) }}"),
            "{\n  \"b\": 1,\n  \"a\": \"<\\\"é\\n\"\n}");
  EXPECT_EQ(render("{{ 'a</think>b'.split('</think>')[-1] }}{{ ' x '.strip() }}"
                   "{{ 'a.b'.rpartition('.')[2] }}{{ 'abc'.removeprefix('ab') }}"),
            "bxbc");
  EXPECT_EQ(render("{{ '%s-%03d' % ('a', 7) }} {{ messages[0].role ~ '%d' % 5 }}"), "a-007 user5");
  EXPECT_EQ(render("{{ messages[1:] is sequence }}{{ none is iterable }}{{ 'a' is iterable }}"),
            "TrueFalseTrue");
  EXPECT_EQ(render("{% for i in range(9) %}{% if i == 1 %}{% continue %}{% endif %}"
                   "{% if i == 4 %}{% break %}{% endif %}{{ i }}{% endfor %}"),
            "023");
}

TEST_F(ChatTemplates, SliceAsPythonDoes) {
  EXPECT_EQ(render("{{ messages[::-1] | map(attribute='role') | list }} {{ messages[:0][::-1] }}"),
            "['assistant', 'user'] []");
  EXPECT_EQ(render("{{ 'abcdef'[4:0:-2] }} {{ ''[::-1] }} {{ 'abc'[-2:][0] }} {{ 'abc'[:99] }} "
                   "{{ (1, 2, 3)[1:] }} {{ {'a': 'xyz'}['a'][1:2] }}"),
            "ec  b abc (2, 3) y");
  EXPECT_THAT(render_error("{{ x[1:] }}"), HasSubstr("type undefined cannot be sliced"));
  EXPECT_THAT(render_error("{{ 'a'[::0] }}"), HasSubstr("the step of a slice is 0"));
}

TEST_F(ChatTemplates, ShowTextAsPythonDoes) {
  EXPECT_EQ(
      render(
          "{{ ['\u200b', 'a\n', \"it's\", 'ß'] }} {{ 'ßa'.title() }} {{ 'a\n\nb' | indent(2) }}"),
      "['\\u200b', 'a\\n', \"it's\", 'ß'] Ssa a\n\n  b");
}

TEST_F(ChatTemplates, TakeGenerationBlocksAndAnyLineEnds) {
  EXPECT_EQ(render("a{% generation %}{{ messages[1].content }}{%- endgeneration -%} b"), "a2b");
  EXPECT_EQ(render("a\r\n{% if true %}\r\nb\rc\r\n{% endif %}\r\n"), "a\nb\nc\n");
}

TEST_F(ChatTemplates, SeeReasoningUnderEachOfItsNames) {
  const char* source = "{{ messages | tojson }}";
  EXPECT_EQ(render(source, R"([{"role": "assistant", "reasoning": "r", "content": "c"}])"),
            R"([{"thinking": "r", "role": "assistant", "reasoning": "r", "content": "c", )"
            R"("reasoning_content": "r"}])");
  EXPECT_EQ(render(source, R"([{"reasoning_content": null, "thinking": "t"}])"),
            R"([{"reasoning_content": "t", "thinking": "t"}])");
}

TEST_F(ChatTemplates, ThatRaiseGiveTheirOwnMessageWithFileAndLine) {
  EXPECT_EQ(render_error("{% if true %}\n\n{{ raise_exception('roles must\nalternate') }}"
                         "{% endif %}"),
            "FOLDER/chat_template.jinja: line 3: the template refuses the messages: roles must "
            "alternate | give messages that the template takes, or another template");
}

TEST_F(ChatTemplates, RefuseWhatPythonRefuses) {
  const char* null_content = R"([{"role": "user", "content": null}])";
  const auto reason = [&](std::string_view source) { return render_error(source, null_content); };
  EXPECT_THAT(reason("\n{% for part in messages[0].content %}x{% endfor %}"),
              HasSubstr("line 2: none cannot be iterated over |"));
  EXPECT_THAT(reason("{{ messages[0].content | join }}"),
              HasSubstr("line 1: none cannot be iterated over |"));
  EXPECT_THAT(reason("{{ 'a' in messages[0].content }}"), HasSubstr("containment check"));
  EXPECT_THAT(reason("{{ 'a' + messages[0].content }}"), HasSubstr("unsupported types"));
  EXPECT_THAT(reason("{{ messages[0].content.strip() }}"), HasSubstr("no method named strip"));
  EXPECT_THAT(reason("{{ messages[7].content }}"), HasSubstr("line 1: undefined value |"));
  EXPECT_THAT(reason("{{ messages.append(1) }}"), HasSubstr("no method named append"));
  EXPECT_THAT(reason("{{ x | tojson }}"),
              HasSubstr("tojson cannot write a value of type undefined"));
  EXPECT_THAT(reason("{% include 'x' %}"), HasSubstr("template not found"));
}

TEST_F(ChatTemplates, ThatAreNotValidNameFileAndLine) {
  EXPECT_EQ(render_error("a\n{% if x %}\n{% endfor %}"),
            "FOLDER/chat_template.jinja: not a valid chat template: line 3: syntax error: unknown "
            "statement endfor | mend the template, or give another one as `chat_template` in "
            "[model]");
  EXPECT_THAT(render_error("\n\n{{ 'a }}"), HasSubstr("not a valid chat template: line 3: "));
  EXPECT_THAT(render_error("\xff"), HasSubstr("the text is not valid UTF-8 at byte 0"));
}

TEST_F(ChatTemplates, StopWhenTheyRunTooLongOrWriteTooMuch) {
  EXPECT_THAT(render_error("{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}"
                           "{% endfor %}"),
              HasSubstr("the template takes more than 10000000 steps |"));
  EXPECT_THAT(render_error("{% for a in range(9999) %}{{ 'x' * 99999 }}{% endfor %}"),
              HasSubstr("the rendered text is longer than 64 MiB |"));
  EXPECT_THAT(render_error("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}"),
              HasSubstr("recursion limit exceeded"));
}

TEST_F(ChatTemplates, RefuseMessagesThatAreNone) {
  EXPECT_THAT(render_error("", "[1]"), HasSubstr("the messages must be a list of JSON objects |"));
  EXPECT_THAT(render_error("", "{}"), HasSubstr("the messages must be a list of JSON objects |"));
  EXPECT_THAT(render_error("", "[{"), HasSubstr("the messages are not valid JSON: EOF"));
  EXPECT_THAT(render_error("", std::string(9999, '[')), HasSubstr("recursion limit exceeded"));
}

TEST_F(ChatTemplates, RefuseConfigsThatNameNone) {
  const auto find_error = [&](std::string_view config) {
    write("tokenizer_config.json", config);
    return error([&] { ChatTemplate::find(folder_); });
  };
  const std::string hint = " | mend the file, or take it anew from where the model came from";
  EXPECT_EQ(
      find_error(R"({"chat_template": 1})"),
      "FOLDER/tokenizer_config.json: `chat_template` must be a text or a list of named texts" +
          hint);
  EXPECT_EQ(find_error(R"({"chat_template": [{"name": "rag", "template": ""}]})"),
            "FOLDER/tokenizer_config.json: `chat_template` has no template that is named "
            "\"default\"" +
                hint);
  EXPECT_EQ(find_error(R"({"chat_template": "", "bos_token": 1})"),
            "FOLDER/tokenizer_config.json: `bos_token` must be the text of a token" + hint);
}

TEST_F(ChatTemplates, RenderTheSameFromFourThreads) {
  write("chat_template.jinja",
        "{% set ns = namespace(n=0) %}{% for i in range(50) %}{% set ns.n = ns.n + i %}{% endfor %}"
        "{{ ns.n }} {{ strftime_now('%Y') }}");
  const auto chat = ChatTemplate::find(folder_);
  std::atomic<int> wrong = 0;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 100; ++i) wrong += chat->render("[]") != "1225 2026";
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace qed
