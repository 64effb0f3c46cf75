#pragma once

// What the published systems pay, each under its system's name: which part of a text they read, by
// whose rule they compare it, and what they want around it.

#include "qed/task.h"

#include "lib/policy.h"

#include <array>
#include <string>
#include <string_view>

namespace maths {

// Where a system takes the answer from.
enum class Part : std::uint8_t {
  kText,       // the whole completion; the comparing rule finds the answer
  kUntilStop,  // the completion up to a token that ends it, written out
  kQwen,       // in that, what Qwen's rule finds
  kThought,    // the last box behind the first </think>, with a <think> before or in the completion
  kTag,        // behind the last <answer>, with "</think> <answer>" and "</answer>" somewhere; the
               // last box in it, or all of it where it has none
  kBox,        // the last box
  kDemystify,  // demystify-long-cot's places and texts, without a verifier
  kUnsloth,    // likewise, of unsloth's second notebook (bands.h)
};

// What a completion must have beside a right answer.
enum class Form : std::uint8_t {
  kAnswer,     // an answer
  kBoxedWord,  // the word "boxed"
  kClosedBox,  // a box whose braces close, with two pairs of braces inside each other at most
};

struct Scheme {
  std::string_view name;
  std::array<std::string_view, 3> verifiers;  // presets; one of them is enough. Empty: none
  Part part = Part::kText;
  Form form = Form::kAnswer;
  double right = 1, bare_right = 1;  // bare: without the form
  double wrong = 0, bare_wrong = 0;
  bool needs_end = false;  // a completion that was cut gets 0
};

// Names in the order of the option `reward`. Throws qed::Error for another.
const Scheme& scheme(std::string_view name);

// The part of a completion that is compared.
struct Reading {
  std::string text;
  bool is_answer = false;  // `text` is the answer itself
  bool is_there = true;    // false: there is no such part
};
Reading read_part(Part part, const qed::Sample& sample);

bool has_form(Form form, std::string_view completion);

}  // namespace maths
