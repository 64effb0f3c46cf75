#include "item.h"

#include "qed/json.h"
#include "qed/philox.h"

#include <functional>
#include <utility>

namespace code {

namespace {

using qed::json::Reader;

// Calls `read` on a value that may also be a string which holds it as JSON.
void unwrap(Reader& in, const std::function<void(Reader&)>& read) {
  if (in.peek() != '"') return read(in);
  const std::string text = in.string();
  Reader inner(text);
  read(inner);
  inner.finish();
}

// A string as it is, anything else as its JSON.
std::string text_of(Reader& in, bool as_json) {
  if (in.peek() == '"' && !as_json) return in.string();
  return std::string(in.skip());
}

std::string string_or_null(Reader& in) { return in.null() ? "" : in.string(); }
double number_or_null(Reader& in) { return in.null() ? 0 : in.number(); }

std::string language_of(std::string name) {
  for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  if (name == "python3" || name == "py") return "python";
  if (name == "c++" || name == "cpp17" || name == "cpp20") return "cpp";
  if (!name.empty() && name != "python" && name != "cpp") {
    throw qed::Error("`" + name.substr(0, 40) + "` is none of python, cpp");
  }
  return name;
}

std::string hex(std::uint64_t value) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[(value >> shift) & 15];
  return out;
}

// What a row or an item says, as raw JSON where the meaning depends on other fields.
struct Raw {
  Contents contents;
  std::string description, input_format, output_format;
  std::vector<std::pair<std::string, std::string>> tests;  // JSON of input and output
};

void read_tests(Reader& in, Raw& out) {
  in.array([&] {
    std::string input = "\"\"", output;
    in.object([&](std::string_view field) {
      if (field == "input") {
        input = in.skip();
      } else if (field == "output") {
        output = in.skip();
      } else if (field == "fn_name" || field == "function") {
        const std::string name = string_or_null(in);
        if (!name.empty()) out.contents.function = name;
      } else {
        in.skip();
      }
    });
    if (output.empty()) throw qed::Error("a test has no `output`");
    out.tests.emplace_back(std::move(input), std::move(output));
  });
}

// {"inputs": [...], "outputs": [...], "fn_name": ...}
void read_lists(Reader& in, Raw& out) {
  std::vector<std::string> inputs, outputs;
  in.object([&](std::string_view field) {
    if (field == "inputs" || field == "outputs") {
      auto& list = field == "inputs" ? inputs : outputs;
      in.array([&] { list.emplace_back(in.skip()); });
    } else if (field == "fn_name") {
      out.contents.function = string_or_null(in);
    } else {
      in.skip();
    }
  });
  if (inputs.size() != outputs.size()) {
    throw qed::Error(std::to_string(inputs.size()) + " inputs, but " +
                     std::to_string(outputs.size()) + " outputs");
  }
  for (std::size_t i = 0; i < inputs.size(); ++i) out.tests.emplace_back(inputs[i], outputs[i]);
}

void read_info(Reader& in, Raw& out) {
  in.object([&](std::string_view field) {
    if (field == "language") {
      out.contents.language = language_of(string_or_null(in));
    } else if (field == "test_cases") {
      unwrap(in, [&](Reader& tests) { read_tests(tests, out); });
    } else {
      in.skip();
    }
  });
}

// [[name, contents], ...] or [{"name", "content"}, ...]
void read_files(Reader& in, Raw& out) {
  in.array([&] {
    Test file;
    if (in.peek() == '{') {
      in.object([&](std::string_view field) {
        (field == "name"      ? file.input
         : field == "content" ? file.output
                              : file.input) = in.string();
      });
    } else {
      int i = 0;
      in.array([&] { (i++ == 0 ? file.input : file.output) = in.string(); });
    }
    out.contents.files.push_back(std::move(file));
  });
}

bool read_field(std::string_view field, Reader& in, Raw& out) {
  Contents& c = out.contents;
  const std::pair<std::string_view, std::string*> texts[] = {{"prompt", &c.prompt},
                                                             {"problem", &out.description},
                                                             {"question", &out.description},
                                                             {"description", &out.description},
                                                             {"input_format", &out.input_format},
                                                             {"output_format", &out.output_format},
                                                             {"function", &c.function},
                                                             {"fn_name", &c.function},
                                                             {"generated_checker", &c.checker},
                                                             {"checker", &c.checker},
                                                             {"solution", &c.solution}};
  for (const auto& [name, value] : texts) {
    if (field != name) continue;
    if (auto text = string_or_null(in); !text.empty()) *value = std::move(text);
    return true;
  }
  if (field == "language") {
    c.language = language_of(string_or_null(in));
  } else if (field == "time_s" || field == "time_limit") {
    c.time_s = number_or_null(in);
  } else if (field == "memory_mb" || field == "memory_limit") {
    c.memory_mb = number_or_null(in);
  } else if (field == "files" || field == "grader_files") {
    if (!in.null()) unwrap(in, [&](Reader& r) { read_files(r, out); });
  } else if (field == "tests" || field == "test_cases" || field == "official_tests") {
    if (!in.null()) unwrap(in, [&](Reader& r) { read_tests(r, out); });
  } else if (field == "verification_info") {
    unwrap(in, [&](Reader& r) { read_info(r, out); });
  } else if (field == "input_output") {
    unwrap(in, [&](Reader& r) { read_lists(r, out); });
  } else {
    return false;
  }
  return true;
}

Contents read(std::string_view text) {
  Raw raw;
  std::string at;  // the field that is being read
  try {
    Reader in(text);
    in.object([&](std::string_view field) {
      at = field;
      if (!read_field(field, in, raw)) in.skip();
      at.clear();
    });
    in.finish();
  } catch (const qed::Error& e) {
    if (at.empty()) throw;
    throw qed::Error("field `" + at + "`: " + e.what());
  }
  Contents out = std::move(raw.contents);
  if (!out.checker.empty() && !out.function.empty()) {
    throw qed::Error("it has a checker and a function; a checker compares what programs write");
  }
  if (out.prompt.empty()) {
    out.prompt = raw.description;
    if (!raw.input_format.empty()) out.prompt += "\n\nInput\n\n" + raw.input_format;
    if (!raw.output_format.empty()) out.prompt += "\n\nOutput\n\n" + raw.output_format;
  }
  const bool as_json = !out.function.empty();
  for (const auto& [input, output] : raw.tests) {
    Reader in(input), expected(output);
    out.tests.push_back({text_of(in, as_json), text_of(expected, as_json)});
  }
  return out;
}

std::string write(const Contents& c) {
  using qed::json::write;
  std::string out = "{\"prompt\":" + write(c.prompt) + ",\"language\":" + write(c.language) +
                    ",\"function\":" + write(c.function) + ",\"time_s\":" + write(c.time_s) +
                    ",\"memory_mb\":" + write(c.memory_mb) + ",\"files\":[";
  for (const Test& f : c.files) {
    if (&f != c.files.data()) out += ',';
    out += "[" + write(f.input) + "," + write(f.output) + "]";
  }
  out += "],\"tests\":[";
  const bool is_json = !c.function.empty();
  for (const Test& t : c.tests) {
    if (&t != c.tests.data()) out += ',';
    out += "{\"input\":" + (is_json ? t.input : write(t.input)) +
           ",\"output\":" + (is_json ? t.output : write(t.output)) + "}";
  }
  return out + "],\"checker\":" + write(c.checker) + ",\"solution\":" + write(c.solution) + "}";
}

}  // namespace

qed::Item from_row(std::string_view row) {
  const Contents c = read(row);
  if (c.prompt.empty()) throw qed::Error("none of `prompt`, `problem`, `question`, `description`");
  if (c.tests.empty()) {
    throw qed::Error(
        "none of `tests`, `verification_info`, `official_tests`, `input_output` holds "
        "a test");
  }
  return {hex(qed::KeyHash().add(c.prompt).value()), write(c)};
}

Contents read_item(std::string_view blob) {
  Contents c = read(blob);
  if (c.tests.empty()) throw qed::Error("this is no item of the task: it has no `tests`");
  return c;
}

}  // namespace code
