#include "core/check/one_test.h"

#include "core/check/exercise.h"
#include "core/host/plugin_call.h"

#include <algorithm>

namespace qed::check {
namespace {

void run_test(std::string_view name, const Subject& subject, std::string& message) {
  if (name == kTranscript) {
    const Corpus corpus = make_corpus(subject);
    const Object object(subject);
    message = exercise(object, corpus);
    return;
  }
  const auto test = std::ranges::find(tests(), name, &Test::name);
  QED_CHECK(test != tests().end() && test->run != nullptr, name);
  test->run(subject);
}

}  // namespace

// The last two catches are for exceptions that leave the plugin: they must not, and where its
// runtime is its own they cannot be caught at all.
TestResult run_here(std::string_view name, const Subject& subject) {
  std::string message;
  try {
    run_test(name, subject, message);
    return {Outcome::kPassed, message};
  } catch (const Failure& failure) {
    return {Outcome::kFailed, failure.message};
  } catch (const Skipped& skipped) {
    return {Outcome::kSkipped, skipped.reason};
  } catch (const std::exception& e) {
    return {Outcome::kFailed, cat("an exception left the plugin: ", e.what())};
  } catch (...) {
    return {Outcome::kFailed, "an exception left the plugin"};
  }
}

JobAnswer do_job(const Job& job) {
  JobAnswer answer;
  try {
    const std::vector<Subject>& subjects = open_plugin(job.open);
    if (job.test == kLoader) {
      answer.result.outcome = Outcome::kPassed;
      for (const Subject& s : subjects) {
        answer.components.push_back(
            {s.kind, std::string(from_abi(s.component->name)), s.component->flags});
      }
    } else if (job.test == kGivenOptions) {
      for (const Subject& s : subjects) expect_given_taken(s, job.open.sets);
      answer.result.outcome = Outcome::kPassed;
    } else {
      answer.result = run_here(job.test, subjects.at(job.component));
    }
  } catch (const Error& error) {
    answer.result = {Outcome::kFailed, error.what()};
    answer.hint = error.hint();
    if (error.exit_code() != kExitPlugin) answer.exit_code = error.exit_code();
  }
  return answer;
}

std::string to_text(const JobAnswer& answer) {
  nlohmann::json out = {{"outcome", static_cast<int>(answer.result.outcome)},
                        {"message", to_utf8(answer.result.message)},
                        {"exit_code", answer.exit_code},
                        {"hint", answer.hint},
                        {"components", nlohmann::json::array()}};
  for (const ComponentInfo& c : answer.components) {
    out["components"].push_back({{"kind", c.kind}, {"name", c.name}, {"flags", c.flags}});
  }
  return out.dump();
}

JobAnswer read_answer(const std::string& text) {
  const auto in = nlohmann::json::parse(text);
  JobAnswer answer;
  answer.result = {static_cast<Outcome>(in.at("outcome").get<int>()), in.at("message")};
  answer.exit_code = in.at("exit_code");
  answer.hint = in.at("hint");
  for (const auto& c : in.at("components")) {
    answer.components.push_back({c.at("kind"), c.at("name"), c.at("flags")});
  }
  return answer;
}

}  // namespace qed::check
