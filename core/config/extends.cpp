#include "core/config/extends.h"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "core/config/nearest_file.h"
#include "core/config/tables.h"
#include "core/config/toml_text.h"

namespace qed {
namespace {

namespace fs = std::filesystem;

// The bytes of a file, or why there are none.
std::optional<std::string> read_bytes(const std::string& file, std::string& reason) {
  std::error_code ignored;
  if (fs::is_directory(file, ignored)) {
    reason = "it is a folder";
    return std::nullopt;
  }
  errno = 0;
  std::ifstream in(file, std::ios::binary);
  std::ostringstream text;
  if (in) text << in.rdbuf();
  if (in) return text.str();
  reason = errno != 0 ? std::strerror(errno) : "reading failed";
  reason[0] = static_cast<char>(std::tolower(static_cast<unsigned char>(reason[0])));
  return std::nullopt;
}

// Two paths to one file compare equal.
fs::path identity(const std::string& file) {
  std::error_code failed;
  const fs::path path = fs::weakly_canonical(file, failed);
  return failed ? fs::path(file).lexically_normal() : path;
}

// Reads the files of one document, each after the one that extends it.
class Reader {
 public:
  Reader(Document& document, std::vector<Problem>& problems)
      : document_(document), problems_(problems) {}

  void read_first(const std::string& file) {
    const int index = add_source(file);
    std::string reason;
    const auto text = read_bytes(file, reason);
    if (!text) {
      const std::string closest = closest_file_hint(file);
      return fail({{index},
                   cat("cannot read the run file ", file, ": ", reason),
                   "",
                   closest.empty()
                       ? "give the path of a run file, for example configs/quickstart.toml"
                       : closest});
    }
    parse(*text, index);
  }

  // Reads what the newest file extends; false at the end of the chain.
  bool read_next() {
    const Node* extends = roots_.empty() ? nullptr : roots_.back().find("extends");
    if (extends == nullptr || !document_.is_complete) return false;
    if (extends->type != NodeType::kString) {
      fail({extends->span, "`extends` must be a string", "expected a file name",
            "write for example extends = \"shared.toml\", above all tables"});
      return false;
    }
    const std::string named = extends->value.get<std::string>();
    const int saying = extends->span.source;
    const std::string from = document_.sources[saying].name;
    const fs::path folder = fs::path(from).parent_path();
    const std::string file = (folder / named).lexically_normal().string();
    if (is_circle(file, *extends)) return false;
    std::string reason;
    const auto text = read_bytes(file, reason);
    if (!text) {
      const std::string closest = closest_file_hint(named, folder);
      fail({extends->span, cat("cannot read ", file, ", which ", from, " extends: ", reason), "",
            closest.empty() ? "the path starts at the folder of the file that says it" : closest});
      return false;
    }
    return parse(*text, add_source(file));
  }

  // All files in one tree.
  Node merged() {
    for (std::size_t i = roots_.size(); i-- > 1;) inherit(roots_[i - 1], roots_[i]);
    return roots_.empty() ? Node{} : std::move(roots_.front());
  }

 private:
  int add_source(const std::string& file) {
    document_.sources.push_back({file, {}, true});
    return static_cast<int>(document_.sources.size()) - 1;
  }

  bool parse(const std::string& text, int index) {
    SourceText& source = document_.sources[index];
    source.lines = split_lines(text);
    std::optional<Node> root = parse_toml(text, index, source, problems_);
    document_.is_complete = root.has_value();
    if (root) roots_.push_back(std::move(*root));
    return root.has_value();
  }

  bool is_circle(const std::string& file, const Node& extends) {
    const auto& sources = document_.sources;
    const auto same = std::find_if(sources.begin(), sources.end(), [&](const SourceText& source) {
      return identity(source.name) == identity(file);
    });
    if (same == sources.end()) return false;
    std::string chain;
    for (auto source = same; source != sources.end(); ++source) chain += source->name + " -> ";
    fail({extends.span, cat("`extends` goes round in a circle: ", chain, same->name),
          "this closes it", "put what they share into a file that extends none of them"});
    return true;
  }

  void fail(Problem problem) {
    problems_.push_back(std::move(problem));
    document_.is_complete = false;
  }

  Document& document_;
  std::vector<Problem>& problems_;
  std::vector<Node> roots_;  // one per file that is TOML
};

std::string text_at(const Node& table, std::string_view key, const std::string& otherwise) {
  const Node* node = table.find(key);
  return node != nullptr && node->type == NodeType::kString ? node->value.get<std::string>()
                                                            : otherwise;
}

void inherit_keys(Node& over, const Node& base);

// `fallback` is the plugin of a table that names none.
void inherit_plugin(Node& over, const Node& base, const std::string& fallback) {
  const std::string theirs = text_at(base, "name", fallback);
  const std::string ours = text_at(over, "name", theirs);
  if (ours == theirs || theirs.empty()) return inherit_keys(over, base);
  if (fallback.empty()) return;
  Node kept = base;  // a term keeps the keys that are not its plugin's
  std::erase_if(kept.children,
                [](const Node& child) { return child.key != "weight" && child.key != "gamma"; });
  inherit_keys(over, kept);
}

void inherit_keys(Node& over, const Node& base) {
  for (const Node& theirs : base.children) {
    Node* ours = over.find(theirs.key);
    if (ours == nullptr) {
      over.children.push_back(theirs);
    } else if (ours->is_table() && theirs.is_table()) {
      inherit_keys(*ours, theirs);
    }
  }
}

void inherit_reward(Node& over, const Node& base) {
  for (const Node& theirs : base.children) {
    Node* ours = over.find(theirs.key);
    if (ours == nullptr) {
      over.children.push_back(theirs);
    } else if (ours->is_table() && theirs.is_table()) {
      inherit_plugin(*ours, theirs, theirs.key);
    }
  }
}

void inherit_model(Node& over, const Node& base) {
  const bool is_chosen = over.find("path") != nullptr || over.find("config") != nullptr;
  Node kept = base;
  if (is_chosen) {
    std::erase_if(kept.children,
                  [](const Node& child) { return child.key == "path" || child.key == "config"; });
  }
  inherit_keys(over, kept);
}

}  // namespace

void inherit(Node& over, const Node& base) {
  for (const Node& theirs : base.children) {
    Node* ours = over.find(theirs.key);
    if (ours == nullptr) {
      over.children.push_back(theirs);
    } else if (!ours->is_table() || !theirs.is_table()) {
      continue;
    } else if (is_plugin_table(theirs.key)) {
      inherit_plugin(*ours, theirs, "");
    } else if (theirs.key == "reward") {
      inherit_reward(*ours, theirs);
    } else if (theirs.key == "model") {
      inherit_model(*ours, theirs);
    } else {
      inherit_keys(*ours, theirs);
    }
  }
}

Node read_files(const std::string& file, Document& document, std::vector<Problem>& problems) {
  Reader reader(document, problems);
  reader.read_first(file);
  while (reader.read_next()) {
  }
  return reader.merged();
}

}  // namespace qed
