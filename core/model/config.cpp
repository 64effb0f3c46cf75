#include "core/model/config.h"

#include "core/util/error.h"
#include "core/util/files.h"

#include <nlohmann/json.hpp>

namespace qed {

namespace {

using nlohmann::json;

// The keys of one file, with messages that name it.
class Reader {
 public:
  Reader(const json& object, std::string file) : object_(object), file_(std::move(file)) {}

  template <class T>
  T get(const char* key) const {
    if (!object_.contains(key)) throw Error(cat("`", key, "` is missing in ", file_));
    return as<T>(object_.at(key), key);
  }
  template <class T>
  T get(const char* key, T fallback) const {
    const auto it = object_.find(key);
    return it == object_.end() || it->is_null() ? fallback : as<T>(*it, key);
  }
  std::int64_t count(const char* key) const { return positive(get<std::int64_t>(key), key); }
  std::int64_t count(const char* key, std::int64_t fallback) const {
    return positive(get<std::int64_t>(key, fallback), key);
  }
  // Refuses a key that has another value than the one supported.
  void only(const char* key, const json& supported) const {
    const auto it = object_.find(key);
    if (it == object_.end() || it->is_null() || *it == supported) return;
    throw Error(cat("`", key, "` is ", it->dump(), " in ", file_, ", which is not supported"),
                cat("supported is ", supported.dump()));
  }

 private:
  template <class T>
  T as(const json& value, const char* key) const {
    bool fits = std::is_same_v<T, bool> ? value.is_boolean() : value.is_number();
    if (std::is_integral_v<T> && !std::is_same_v<T, bool>) fits = value.is_number_integer();
    if (!fits) throw Error(cat("`", key, "` is ", value.dump(), " in ", file_));
    return value.get<T>();
  }
  std::int64_t positive(std::int64_t value, const char* key) const {
    if (value < 1 || value > (std::int64_t{1} << 31)) {
      throw Error(cat("`", key, "` is ", value, " in ", file_));
    }
    return value;
  }

  const json& object_;
  std::string file_;
};

// Newer files keep the base in rope_parameters, older ones at the top.
double rope_theta(const json& object, const Reader& reader, const std::string& file) {
  const auto it = object.find("rope_parameters");
  if (it == object.end() || !it->is_object()) return reader.get<double>("rope_theta");
  const Reader rope(*it, file);
  rope.only("rope_type", "default");
  return rope.get<double>("rope_theta");
}

void check_shape(const ModelConfig& c, const std::string& file) {
  if (c.num_attention_heads % c.num_key_value_heads != 0) {
    throw Error(cat("`num_attention_heads` is ", c.num_attention_heads, " in ", file,
                    ", not a multiple of `num_key_value_heads` ", c.num_key_value_heads));
  }
  if (c.head_dim % 2 != 0)
    throw Error(cat("`head_dim` is ", c.head_dim, " in ", file, ", an odd number"));
}

}  // namespace

ModelConfig read_model_config(const std::filesystem::path& path) {
  const std::string file = path.string();
  const json object = json::parse(read_file(path), nullptr, false);
  if (!object.is_object()) throw Error(cat(file, " is not a JSON object"));
  const Reader reader(object, file);

  if (object.value("model_type", json()) != "qwen2") {
    throw Error(cat("`model_type` is ", object.value("model_type", json()).dump(), " in ", file,
                    ", which is not supported"),
                "supported is \"qwen2\"");
  }
  reader.only("hidden_act", "silu");
  reader.only("use_sliding_window", false);
  reader.only("rope_scaling", json());
  reader.only("quantization_config", json());

  ModelConfig c;
  c.vocab_size = reader.count("vocab_size");
  c.hidden_size = reader.count("hidden_size");
  c.intermediate_size = reader.count("intermediate_size");
  c.num_hidden_layers = reader.count("num_hidden_layers");
  c.num_attention_heads = reader.count("num_attention_heads");
  c.num_key_value_heads = reader.count("num_key_value_heads", c.num_attention_heads);
  c.head_dim = reader.count("head_dim", c.hidden_size / c.num_attention_heads);
  c.max_position_embeddings = reader.count("max_position_embeddings");
  c.rms_norm_eps = reader.get<double>("rms_norm_eps");
  c.rope_theta = rope_theta(object, reader, file);
  c.initializer_range = reader.get<double>("initializer_range", 0.02);
  c.tie_word_embeddings = reader.get<bool>("tie_word_embeddings", false);
  if (!(c.rms_norm_eps > 0)) throw Error(cat("`rms_norm_eps` is ", c.rms_norm_eps, " in ", file));
  if (!(c.rope_theta > 0)) throw Error(cat("`rope_theta` is ", c.rope_theta, " in ", file));
  check_shape(c, file);
  return c;
}

}  // namespace qed
