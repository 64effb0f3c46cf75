#pragma once

// What a run's numbers say is going wrong. A function of the rows of metrics.jsonl alone, so a
// resumed run that reads its file again stands where it stood.

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace qed {

class Alarms {
 public:
  using Numbers = std::vector<std::pair<std::string, double>>;  // of a row; NaN: null

  // Takes the next row, of a stage of this kind; a stage begins where `step` goes back. Returns a
  // sentence for each alarm that the row raises, with what to do. One that was raised is silent
  // until five rows of its metric in a row were fine. Limits: those of veRL's manual for the
  // log-prob difference (above 0.01), ten times the running median for the gradient's norm; the
  // others are proposals.
  std::vector<std::string> add(const std::string& stage, const Numbers& row);

  struct Raised {
    std::int64_t global_step;
    std::string sentence;
  };
  // Takes the rows of a file, and returns what they raise.
  std::vector<Raised> replay(const std::filesystem::path& metrics_file);

 private:
  void check(const std::string& alarm, bool is_raised, const std::string& sentence);
  void check_limits(const std::map<std::string, double>& row);
  void check_numbers(const std::map<std::string, double>& row);
  void check_signal(const std::map<std::string, double>& row);
  void check_entropy(double entropy);
  void check_gradient(double norm);

  std::string stage_;
  double step_ = 0;
  std::map<std::string, int> rows_until_fine_;  // 0: not raised
  std::optional<double> first_entropy_;         // mean of the stage's first steps
  std::vector<double> last_entropies_;
  std::vector<double> norms_;      // of its last steps
  std::vector<std::string> said_;  // by the current row
};

}  // namespace qed
