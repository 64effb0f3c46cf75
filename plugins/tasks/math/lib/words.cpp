#include "words.h"

#include <algorithm>
#include <array>
#include <iterator>

namespace math {

namespace {

// Each table is sorted by word, so that a look-up is a binary search.
constexpr auto sorted(auto table) {
  std::ranges::sort(table, {}, &Meaning::word);
  return table;
}

// In LaTeX without backslash too.
constexpr auto kWords = sorted(std::to_array<Meaning>({
    {"sqrt", Tok::kSqrt},
    {"pi", Tok::kLetter, "pi"},
    {"inf", Tok::kLetter, "inf"},
    {"infty", Tok::kLetter, "inf"},
    {"infinity", Tok::kLetter, "inf"},
    {"oo", Tok::kLetter, "inf"},
    {"and", Tok::kAnd},
    {"or", Tok::kAnd},
    {"sin", Tok::kFunction, "sin"},
    {"cos", Tok::kFunction, "cos"},
    {"tan", Tok::kFunction, "tan"},
    {"cot", Tok::kFunction, "cot"},
    {"sec", Tok::kFunction, "sec"},
    {"csc", Tok::kFunction, "csc"},
    {"asin", Tok::kFunction, "asin"},
    {"acos", Tok::kFunction, "acos"},
    {"atan", Tok::kFunction, "atan"},
    {"arcsin", Tok::kFunction, "asin"},
    {"arccos", Tok::kFunction, "acos"},
    {"arctan", Tok::kFunction, "atan"},
    {"sinh", Tok::kFunction, "sinh"},
    {"cosh", Tok::kFunction, "cosh"},
    {"tanh", Tok::kFunction, "tanh"},
    {"arccot", Tok::kFunction, "acot"},
    {"arcsinh", Tok::kFunction, "asinh"},
    {"arccosh", Tok::kFunction, "acosh"},
    {"arctanh", Tok::kFunction, "atanh"},
    {"arsinh", Tok::kFunction, "asinh"},
    {"arcosh", Tok::kFunction, "acosh"},
    {"artanh", Tok::kFunction, "atanh"},
    {"ln", Tok::kFunction, "ln"},
    {"log", Tok::kFunction, "log"},
    {"exp", Tok::kFunction, "exp"},
    {"gcd", Tok::kFunction, "gcd"},
    {"lcm", Tok::kFunction, "lcm"},
    {"min", Tok::kFunction, "min"},
    {"max", Tok::kFunction, "max"},
    {"abs", Tok::kFunction, "abs"},
    {"floor", Tok::kFunction, "floor"},
    {"ceil", Tok::kFunction, "ceil"},
    {"percent", Tok::kPercent},
    {"pct", Tok::kPercent},
    {"percentage", Tok::kPercent},
    {"degrees", Tok::kDegree},
    {"degree", Tok::kDegree},
    {"mod", Tok::kMod},
    {"theta", Tok::kLetter, "theta"},
    {"alpha", Tok::kLetter, "alpha"},
    {"lambda", Tok::kLetter, "lambda"},
    {"infin", Tok::kLetter, "inf"},
}));

constexpr auto kGlyphs = sorted(std::to_array<Meaning>({
    {"×", Tok::kTimes},
    {"·", Tok::kTimes},
    {"⋅", Tok::kTimes},
    {"∗", Tok::kTimes},
    {"÷", Tok::kOver},
    {"−", Tok::kMinus},
    {"–", Tok::kMinus},
    {"±", Tok::kPlusMinus},
    {"∓", Tok::kMinusPlus},
    {"≤", Tok::kRelation, "<=", Relation::kLessEqual},
    {"≥", Tok::kRelation, ">=", Relation::kGreaterEqual},
    {"⩽", Tok::kRelation, "<=", Relation::kLessEqual},
    {"⩾", Tok::kRelation, ">=", Relation::kGreaterEqual},
    {"≠", Tok::kRelation, "!=", Relation::kNotEqual},
    {"≈", Tok::kRelation, "~", Relation::kApprox},
    {"∈", Tok::kRelation, "in", Relation::kIn},
    {"∪", Tok::kUnion},
    {"∩", Tok::kIntersection},
    {"∖", Tok::kSetMinus},
    {"∞", Tok::kLetter, "inf"},
    {"π", Tok::kLetter, "pi"},
    {"∅", Tok::kLetter, "empty"},
    {"ℝ", Tok::kLetter, "reals"},
    {"°", Tok::kDegree},
    {"√", Tok::kSqrt},
    {"∧", Tok::kAnd},
    {"∨", Tok::kAnd},
    {"α", Tok::kLetter, "alpha"},
    {"β", Tok::kLetter, "beta"},
    {"γ", Tok::kLetter, "gamma"},
    {"δ", Tok::kLetter, "delta"},
    {"θ", Tok::kLetter, "theta"},
    {"λ", Tok::kLetter, "lambda"},
    {"μ", Tok::kLetter, "mu"},
    {"ρ", Tok::kLetter, "rho"},
    {"σ", Tok::kLetter, "sigma"},
    {"φ", Tok::kLetter, "phi"},
    {"ω", Tok::kLetter, "omega"},
    {"…", Tok::kDots},
    {"’", Tok::kPrime},
    {"′", Tok::kPrime},
    {"％", Tok::kPercent},
}));

constexpr auto kUnits = [] {
  auto out = std::to_array<std::string_view>({
      "cm",     "mm",       "km",        "ft",        "in",         "kg",         "mg",
      "lb",     "lbs",      "oz",        "mph",       "kmh",        "mi",         "mile",
      "miles",  "meter",    "meters",    "metre",     "metres",     "foot",       "feet",
      "inch",   "inches",   "yard",      "yards",     "hour",       "hours",      "hr",
      "hrs",    "minute",   "minutes",   "min",       "mins",       "second",     "seconds",
      "sec",    "secs",     "day",       "days",      "week",       "weeks",      "month",
      "months", "year",     "years",     "dollar",    "dollars",    "cent",       "cents",
      "unit",   "units",    "square",    "sq",        "cubic",      "gallon",     "gallons",
      "liter",  "liters",   "litre",     "litres",    "pound",      "pounds",     "gram",
      "grams",  "kilogram", "kilograms", "kilometer", "kilometers", "centimeter", "centimeters",
      "people", "students", "points",    "ways",      "times",      "radian",     "radians",
      "rad",    "ml",       "mL",        "Hz",        "kHz",        "joules",     "newtons",
      "volts",  "ohms",     "watts",     "euros",     "rupees",     "items",      "books",
      "apples", "games",    "parsecs",   "angstroms", "arcseconds", "eV",         "keV",
      "pm",     "am",
  });
  std::ranges::sort(out);
  return out;
}();

constexpr std::string_view kLayout[] = {
    "left",      "right",   "big",        "Big",      "bigg",   "Bigg",         "bigl",
    "bigr",      "Bigl",    "Bigr",       "biggl",    "biggr",  "displaystyle", "textstyle",
    "quad",      "qquad",   "limits",     "nolimits", "hspace", "hfill",        "middle",
    "rm",        "bf",      "it",         "nonumber", "notag",  "scriptstyle",  "space",
    "therefore", "because", "allowbreak", "strut",    "cdotp",  "hline",        "small",
    "large",     "Large",   "centering"};
constexpr std::string_view kProse[] = {"text",   "mbox",   "hbox",   "textnormal",
                                       "textrm", "textbf", "textit", "textsf",
                                       "texttt", "emph",   "textup", "mathop"};
constexpr std::string_view kFonts[] = {"mathrm",       "mathbf",   "mathit",  "mathsf",
                                       "mathbb",       "mathcal",  "bm",      "boldsymbol",
                                       "operatorname", "mathfrak", "mathscr", "Bbb"};

const Meaning* find(std::span<const Meaning> table, std::string_view word) {
  const auto at = std::ranges::lower_bound(table, word, {}, &Meaning::word);
  return at != table.end() && at->word == word ? &*at : nullptr;
}

bool has(std::span<const std::string_view> list, std::string_view word) {
  return std::ranges::find(list, word) != list.end();
}

}  // namespace

const Meaning* word_meaning(std::string_view word) { return find(kWords, word); }
const Meaning* glyph_meaning(std::string_view glyph) { return find(kGlyphs, glyph); }
bool is_unit(std::string_view word) { return std::ranges::binary_search(kUnits, word); }
bool is_layout(std::string_view command) { return has(kLayout, command); }
bool is_prose(std::string_view command) { return has(kProse, command); }
bool is_font(std::string_view command) { return has(kFonts, command); }

}  // namespace math
