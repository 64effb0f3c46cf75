#include <algorithm>
#include <filesystem>

#include "core/config/loaders.h"
#include "core/config/nearest_file.h"

namespace qed {
namespace {

namespace fs = std::filesystem;

// Where the paths of this value start.
fs::path folder_of(const Node& node, const Resolver& resolver) {
  return resolver.is_set(node) ? fs::path() : fs::path(resolver.source(node).name).parent_path();
}

fs::path resolve_path(const std::string& text, const Node& node, const Resolver& resolver) {
  fs::path path(text);
  if (path.is_relative()) path = folder_of(node, resolver) / path;
  path = path.lexically_normal();
  if (path.filename().empty() && path.has_relative_path()) path = path.parent_path();  // "a/"
  // Below the working directory a path is written relative to it, however it was given: the run
  // folder is bound to it.
  std::error_code ignored;
  const fs::path relative =
      path.is_absolute() ? path.lexically_relative(fs::current_path(ignored)) : path;
  return relative.empty() || *relative.begin() == ".." ? path : relative;
}

// What to do about a path that leads nowhere.
std::string model_hint(const std::string& what, const std::string& given, const Node& node,
                       const Resolver& resolver) {
  const std::string closest = closest_file_hint(given, folder_of(node, resolver));
  if (!closest.empty()) return closest;
  const bool is_set = resolver.is_set(node);
  return cat(what, is_set ? "; a relative path of --set starts at the working directory"
                          : "; relative paths in a file start at the file's folder");
}

void load_chat_template(Resolver& resolver, ModelTable& model) {
  const Node* node = resolver.origin(0, "model", "chat_template");
  if (node == nullptr || resolver.is_broken(0, "model", "chat_template")) return;
  const std::string given = model.chat_template;
  const fs::path file = resolve_path(given, *node, resolver);
  model.chat_template = file.string();
  std::error_code ignored;
  if (fs::is_regular_file(file, ignored)) return;
  resolver.add({node->span, cat("no chat template at ", file.string()), "",
                model_hint("give a Jinja file", given, *node, resolver)});
}

}  // namespace

void load_model(const Document& document, Resolver& resolver, RunConfig& config) {
  const std::vector<Layer> layers = resolver.layers("model", 0);
  read_model(resolver.table(table_spec("model").options, layers, engine_names("model", 0)),
             config.model);
  load_chat_template(resolver, config.model);
  const Node* path = resolver.origin(0, "model", "path");
  const Node* made = resolver.origin(0, "model", "config");
  if (path != nullptr && made != nullptr && resolver.is_set(*path) != resolver.is_set(*made)) {
    const Node*& loser = resolver.is_set(*path) ? made : path;
    resolver.notice(cat("`", loser->key, "` in [model] (", resolver.place(*loser),
                        ") is left out: --set gives the other"));
    (resolver.is_set(*path) ? config.model.config : config.model.path).clear();
    loser = nullptr;
  }
  if (path != nullptr && made != nullptr) {
    resolver.add({std::max(path->key_span, made->key_span), "[model] has both `path` and `config`",
                  "the second",
                  "`path` is a trained model, `config` makes one from nothing: keep one"});
    return;
  }
  if (path == nullptr && made == nullptr) {
    const Node* table = document.file.find("model");
    if (!resolver.problems().empty() && table != nullptr && !table->children.empty()) return;
    resolver.add(
        {table == nullptr ? Span{} : table->span,
         table == nullptr ? "missing table [model]" : "[model] needs `path` or `config`", "",
         "`path` is a Hugging Face folder, `config` the config.json of a model made from nothing"});
    return;
  }
  std::error_code ignored;
  if (path != nullptr) {
    const std::string given = config.model.path;
    const fs::path folder = resolve_path(given, *path, resolver);
    config.model.path = folder.string();
    if (!fs::exists(folder / "config.json", ignored)) {
      const bool is_there = fs::is_directory(folder, ignored);
      resolver.add({path->span,
                    cat("no model in ", folder.string(), ": ",
                        is_there ? "it has no config.json" : "there is no such folder"),
                    "", model_hint("give a Hugging Face folder", given, *path, resolver)});
    }
  } else {
    const std::string given = config.model.config;
    const fs::path json = resolve_path(given, *made, resolver);
    config.model.config = json.string();
    if (!fs::is_regular_file(json, ignored)) {
      resolver.add({made->span, cat("no model config at ", json.string()), "",
                    model_hint("give a config.json", given, *made, resolver)});
    }
  }
}

}  // namespace qed
