#include "core/model/config.h"

#include "core/util/error.h"
#include "core/util/files.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <string_view>

namespace qed {

namespace {

using nlohmann::json;

constexpr std::int64_t kLargest = std::int64_t{1} << 31;
constexpr std::int64_t kMostLayers = 4096;
constexpr double kMostParameters = 1e13;

// The keys of one JSON object of a file, with messages that name both. A null is as good as none.
class Reader {
 public:
  Reader(const json& object, std::string file) : object_(object), file_(std::move(file)) {}

  bool has(const char* key) const {
    const auto it = object_.find(key);
    return it != object_.end() && !it->is_null();
  }
  template <class T>
  T get(const char* key) const {
    if (!object_.contains(key)) throw Error(cat("`", key, "` is missing in ", file_));
    return as<T>(object_.at(key), key);
  }
  template <class T>
  T get(const char* key, T fallback) const {
    return has(key) ? as<T>(object_.at(key), key) : fallback;
  }
  std::int64_t count(const char* key, std::int64_t most = kLargest) const {
    return in_range(get<std::int64_t>(key), key, most);
  }
  std::int64_t count_or(const char* key, std::int64_t fallback) const {
    return in_range(get<std::int64_t>(key, fallback), key, kLargest);
  }
  double positive(const char* key) const { return positive(get<double>(key), key); }
  double positive(const char* key, double fallback) const {
    return positive(get<double>(key, fallback), key);
  }
  // Refuses a key that has another value than one of those supported.
  void only(const char* key, const std::vector<json>& supported) const {
    const auto it = object_.find(key);
    if (it == object_.end()) return;
    if (std::find(supported.begin(), supported.end(), *it) == supported.end()) {
      refuse(key, *it, supported);
    }
  }
  [[noreturn]] void refuse(const char* key, const json& value,
                           const std::vector<json>& supported) const {
    std::string list;
    for (const json& one : supported) list += (list.empty() ? "" : ", ") + one.dump();
    throw Error(cat("`", key, "` is ", value.dump(), " in ", file_, ", which is not supported"),
                cat("supported is ", list));
  }
  // The object under `key`; none where it is missing or null.
  const json* object(const char* key) const {
    if (!has(key)) return nullptr;
    const json& value = object_.at(key);
    if (!value.is_object()) throw Error(cat("`", key, "` is ", value.dump(), " in ", file_));
    return &value;
  }
  const json& raw() const { return object_; }
  const std::string& file() const { return file_; }

 private:
  template <class T>
  T as(const json& value, const char* key) const {
    bool fits = std::is_same_v<T, bool> ? value.is_boolean() : value.is_number();
    if (std::is_integral_v<T> && !std::is_same_v<T, bool>) fits = value.is_number_integer();
    if (std::is_same_v<T, std::string>) fits = value.is_string();
    if (!fits) throw Error(cat("`", key, "` is ", value.dump(), " in ", file_));
    return value.get<T>();
  }
  std::int64_t in_range(std::int64_t value, const char* key, std::int64_t most) const {
    if (value < 1 || value > most) throw Error(cat("`", key, "` is ", value, " in ", file_));
    return value;
  }
  double positive(double value, const char* key) const {
    if (!(value > 0) || value > 1e30) throw Error(cat("`", key, "` is ", value, " in ", file_));
    return value;
  }

  const json& object_;
  std::string file_;
};

// Newer files keep base and scaling together in rope_parameters; older ones have rope_theta at the
// top and the rest in rope_scaling, where `type` is the oldest name of `rope_type`.
void read_rope(const Reader& top, ModelConfig& c) {
  const json* found = top.object("rope_scaling");
  if (found == nullptr || found->empty()) found = top.object("rope_parameters");
  const json none = json::object();
  const Reader rope(found == nullptr ? none : *found, top.file());
  c.rope_theta = rope.positive("rope_theta", top.positive("rope_theta", 10000));
  top.only("partial_rotary_factor", {nullptr, 1.0});
  rope.only("partial_rotary_factor", {nullptr, 1.0});

  RopeScaling& s = c.rope_scaling;
  const char* key = rope.has("rope_type") ? "rope_type" : "type";
  rope.only(key, {"default", "linear", "llama3", nullptr});
  s.rope_type = rope.get<std::string>(key, "default");
  if (s.rope_type == "default") return;
  s.factor = rope.positive("factor");
  if (s.rope_type == "linear") return;
  s.low_freq_factor = rope.positive("low_freq_factor");
  s.high_freq_factor = rope.positive("high_freq_factor");
  s.original_max_position_embeddings =
      top.count_or("original_max_position_embeddings",
                   rope.count_or("original_max_position_embeddings", c.max_position_embeddings));
  if (s.high_freq_factor <= s.low_freq_factor) {
    throw Error(cat("`high_freq_factor` is ", s.high_freq_factor, " in ", top.file(),
                    ", not above `low_freq_factor` ", s.low_freq_factor));
  }
}

// Whether some layer of a qwen has a window: `layer_types` says it of each, else the later ones do.
bool has_sliding_layers(const Reader& reader, const ModelConfig& c) {
  if (!reader.has("layer_types")) {
    return reader.get<std::int64_t>("max_window_layers", 28) < c.num_hidden_layers;
  }
  const json& types = reader.raw().at("layer_types");
  const std::vector<json> known = {"full_attention", "sliding_attention"};
  for (const json& type : types) {
    if (std::find(known.begin(), known.end(), type) == known.end()) {
      reader.refuse("layer_types", type, known);
    }
  }
  return std::find(types.begin(), types.end(), known[1]) != types.end();
}

// A window smaller than the context makes the context smaller.
void read_sliding_window(const Reader& reader, ModelConfig& c) {
  const bool is_qwen = c.model_type.starts_with("qwen");
  const bool is_used =
      is_qwen ? reader.get<bool>("use_sliding_window", false) && has_sliding_layers(reader, c)
              : c.model_type == "mistral";
  if (!is_used) return;
  // What transformers takes where a file leaves the key out; null means none.
  std::int64_t window = reader.raw().contains("sliding_window") ? c.max_position_embeddings : 4096;
  window = reader.count_or("sliding_window", window);
  c.max_position_embeddings = std::min(c.max_position_embeddings, window);
}

void read_family(const Reader& reader, ModelConfig& c) {
  const bool has_bias = reader.get<bool>("attention_bias", false);
  if (c.model_type == "qwen2") {
    c.attention_bias = true;
    return;
  }
  c.qk_norm = c.model_type == "qwen3";
  c.attention_bias = c.attention_output_bias = c.model_type != "mistral" && has_bias;
  c.mlp_bias = c.model_type == "llama" && reader.get<bool>("mlp_bias", false);
}

std::int64_t head_dim(const Reader& reader, const ModelConfig& c) {
  if (reader.has("head_dim")) return reader.count("head_dim");
  if (c.model_type == "qwen3") return 128;
  if (c.hidden_size % c.num_attention_heads != 0) {
    throw Error(cat("`hidden_size` is ", c.hidden_size, " in ", reader.file(),
                    ", not a multiple of `num_attention_heads` ", c.num_attention_heads,
                    ", and there is no `head_dim`"));
  }
  return c.hidden_size / c.num_attention_heads;
}

void check_shape(const ModelConfig& c, const std::string& file) {
  if (c.num_attention_heads % c.num_key_value_heads != 0) {
    throw Error(cat("`num_attention_heads` is ", c.num_attention_heads, " in ", file,
                    ", not a multiple of `num_key_value_heads` ", c.num_key_value_heads));
  }
  if (c.head_dim % 2 != 0)
    throw Error(cat("`head_dim` is ", c.head_dim, " in ", file, ", an odd number"));
  const auto d = static_cast<double>(c.hidden_size);
  const double heads = static_cast<double>(c.num_attention_heads + c.num_key_value_heads);
  const double layer = 2 * d * heads * static_cast<double>(c.head_dim) +
                       3 * d * static_cast<double>(c.intermediate_size);
  const double total =
      2 * d * static_cast<double>(c.vocab_size) + layer * static_cast<double>(c.num_hidden_layers);
  if (total > kMostParameters) {
    throw Error(
        cat(file, " describes a model of about ", total, " parameters, which cannot be meant"));
  }
}

}  // namespace

ModelConfig read_model_config(const std::filesystem::path& path) {
  const std::string file = path.string();
  const json object = json::parse(read_file(path), nullptr, false);
  if (!object.is_object()) throw Error(cat(file, " is not a JSON object"));
  const Reader reader(object, file);

  ModelConfig c;
  const std::vector<json> families = {"qwen2", "qwen3", "llama", "mistral"};
  reader.only("model_type", families);
  if (!object.contains("model_type")) reader.refuse("model_type", json(), families);
  c.model_type = reader.get<std::string>("model_type");
  reader.only("hidden_act", {"silu", nullptr});
  reader.only("quantization_config", {nullptr});

  c.vocab_size = reader.count("vocab_size");
  c.hidden_size = reader.count("hidden_size");
  c.intermediate_size = reader.count("intermediate_size");
  c.num_hidden_layers = reader.count("num_hidden_layers", kMostLayers);
  c.num_attention_heads = reader.count("num_attention_heads");
  c.num_key_value_heads = reader.count_or("num_key_value_heads", c.num_attention_heads);
  c.head_dim = head_dim(reader, c);
  c.max_position_embeddings = reader.count("max_position_embeddings");
  c.rms_norm_eps = reader.positive("rms_norm_eps", 1e-6);
  c.initializer_range = reader.get<double>("initializer_range", 0.02);
  c.tie_word_embeddings = reader.get<bool>("tie_word_embeddings", false);
  read_rope(reader, c);  // before the window: a scaling may count on the longer context
  read_sliding_window(reader, c);
  read_family(reader, c);
  check_shape(c, file);
  return c;
}

}  // namespace qed
