#include "core/data/dataset.h"

#include <gmock/gmock.h>

#include <atomic>
#include <thread>

#include "tests/data/dataset_fixture.h"

namespace qed {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::IsEmpty;

using DatasetTest = DatasetFixture;

TEST_F(DatasetTest, JsonLinesKeepNumbersAndStringsAsTheyAreWritten) {
  EXPECT_THAT(rows("a.jsonl",
                   "{ \"a\" : 1.50e+2,\t\"b\":[ 1 , {\"c\":\"x \\u00e9 \\\" é\"} ] }\n"
                   "{\"n\": -0, \"big\": 123456789012345678901234567890}\n{}"),
              ElementsAre(R"({"a":1.50e+2,"b":[1,{"c":"x \u00e9 \" é"}]})",
                          R"({"n":-0,"big":123456789012345678901234567890})", "{}"));
}

TEST_F(DatasetTest, ByteOrderMarksCrlfAndBlankLinesAreNoRows) {
  const auto data =
      Dataset::open(write("a.jsonl", "\xEF\xBB\xBF{\"a\":1}\r\n\r\n  \n{\"a\":2}\r\n\n"));
  EXPECT_THAT(rows(*data), ElementsAre(R"({"a":1})", R"({"a":2})"));
  EXPECT_EQ(data->place(0), path("a.jsonl:1"));
  EXPECT_EQ(data->place(1), path("a.jsonl:4"));
  EXPECT_THAT(rows("b.csv", "\xEF\xBB\xBF\r\nx,y\r\n\r\n1,2\r\n\r\n"),
              ElementsAre(R"({"x":"1","y":"2"})"));
}

TEST_F(DatasetTest, AnEmptyFileHasNoRows) {
  EXPECT_THAT(rows("a.jsonl", ""), IsEmpty());
  EXPECT_THAT(rows("a.jsonl", " \n\n"), IsEmpty());
  EXPECT_THAT(rows("a.json", " [ ] \n"), IsEmpty());
  EXPECT_THAT(rows("a.csv", "x,y\n"), IsEmpty());
  EXPECT_THAT(rows("a.csv", ""), IsEmpty());
}

TEST_F(DatasetTest, RowsOfAnArrayAreFoundWhereverTheLinesEnd) {
  const auto data = Dataset::open(
      write("a.json", "[\n  {\n    \"a\": \"]}\\\"\",\n    \"b\": [[1]]\n  }, {\"a\":2}\n]\n"));
  EXPECT_THAT(rows(*data), ElementsAre(R"({"a":"]}\"","b":[[1]]})", R"({"a":2})"));
  EXPECT_EQ(data->place(0), path("a.json:2 (row 0)"));
  EXPECT_EQ(data->place(1), path("a.json:5 (row 1)"));
}

TEST_F(DatasetTest, CsvFieldsMayHoldCommasQuotesAndLineEnds) {
  const auto data = Dataset::open(write(
      "a.csv", "id,\"the text\"\n1,\"a, \"\"b\"\"\nc\"\r\n2, plain \"q\" \n3,\"\"\n,\"é\t\"\n"));
  EXPECT_THAT(rows(*data),
              ElementsAre(R"({"id":"1","the text":"a, \"b\"\nc"})",
                          R"({"id":"2","the text":" plain \"q\" "})", R"({"id":"3","the text":""})",
                          R"({"id":"","the text":"é\t"})"));
  EXPECT_EQ(data->place(0), path("a.csv:2"));
  EXPECT_EQ(data->place(1), path("a.csv:4"));
}

TEST_F(DatasetTest, ColumnsChooseMembersInTheOrderOfTheFile) {
  EXPECT_THAT(rows("a.jsonl", "{\"a\":1,\"b\":{\"c\":[2,3]},\"\\u0063\":null}\n", {"c", "a"}),
              ElementsAre(R"({"a":1,"\u0063":null})"));
  EXPECT_THAT(rows("a.json", "[{\"a\":\"x,}\",\"b\":[1,2]}]", {"b"}),
              ElementsAre(R"({"b":[1,2]})"));
  EXPECT_THAT(rows("a.csv", "a,b,c\n1,2,3\n", {"c", "a"}), ElementsAre(R"({"a":"1","c":"3"})"));
}

TEST_F(DatasetTest, AMissingColumnIsToldWhenTheFileIsOpened) {
  const auto open = [&](const std::string& name, std::string_view bytes) {
    return error_of([&] { Dataset::open(write(name, bytes), std::vector<std::string>{"answr"}); });
  };
  EXPECT_EQ(open("a.jsonl", R"({"question":1,"answer":2})"),
            "bad row in FOLDER/a.jsonl:1: it has no `answr` | the closest name is `answer`");
  EXPECT_EQ(open("a.json", R"([{"question":1}])"),
            "bad row in FOLDER/a.json:1 (row 0): it has no `answr` | ");
  EXPECT_EQ(open("a.csv", "question,answer\n"),
            "bad row in FOLDER/a.csv:1: it has no `answr` | the closest name is `answer`");
  EXPECT_EQ(error_of("b.jsonl", "{\"a\":1}\n{\"b\":1}\n", {"a"}),
            "bad row in FOLDER/b.jsonl:2: it has no `a` | the closest name is `b`");
}

TEST_F(DatasetTest, ABadJsonRowIsNamedByFileLineAndColumn) {
  const std::string good = "{\"a\":1}\n";
  EXPECT_EQ(error_of("a.jsonl", good + "{\"name\" \"x\"}"),
            "bad row in FOLDER/a.jsonl:2: unexpected string literal; expected ':' (column 11) | ");
  EXPECT_EQ(error_of("a.jsonl", "\n\n[1]\n"),
            "bad row in FOLDER/a.jsonl:3: not a JSON object (column 1) | ");
  EXPECT_EQ(error_of("a.jsonl", "{\"a\":1} {\"a\":2}\n"),
            "bad row in FOLDER/a.jsonl:1: unexpected '{'; expected end of input (column 9) | ");
  EXPECT_EQ(error_of("a.jsonl", "{\"a\":\"\xff\"}\n"),
            "bad row in FOLDER/a.jsonl:1: invalid string: ill-formed UTF-8 byte (column 7) | ");
  EXPECT_EQ(error_of("a.jsonl", std::string("{\"a\":1}\0\"", 9)),
            "bad row in FOLDER/a.jsonl:1: unexpected byte 0 (column 8) | ");
  EXPECT_EQ(error_of("a.jsonl", "{\"a\":1e999}"),
            "bad row in FOLDER/a.jsonl:1: number overflow parsing '1e999' (column 10) | ");
  EXPECT_EQ(error_of("a.jsonl", "{\"a\":" + std::string(100000, '[') + "\n"),
            "bad row in FOLDER/a.jsonl:1: nested deeper than 1000 (column 1) | ");
  EXPECT_EQ(error_of("a.json", "[{\"a\":1},\n {\n  \"b\": tru\n }]"),
            "bad row in FOLDER/a.json:3 (row 1): invalid literal (column 11) | ");
}

TEST_F(DatasetTest, ABadRowLeavesTheOthersReadable) {
  const auto data = Dataset::open(write("a.jsonl", "oops\n{\"a\":2}\n"));
  EXPECT_EQ(data->count(), 2u);
  std::string json = "before ";
  EXPECT_THROW(data->row(0, json), Error);
  data->row(1, json);
  EXPECT_EQ(json, R"(before {"a":2})");
}

TEST_F(DatasetTest, ABrokenArrayIsNamedByItsLine) {
  EXPECT_EQ(error_of("a.json", "{\"a\":1}\n{\"a\":2}\n"),
            "bad row in FOLDER/a.json:1 (row 0): expected an array of objects, which begins with "
            "`[`, found `{` | a file with an object per line is named .jsonl");
  EXPECT_EQ(error_of("a.json", "[{\"a\":1}\n{\"a\":2}]"),
            "bad row in FOLDER/a.json:2 (row 1): expected `,` or `]` after a row, found `{` | ");
  EXPECT_EQ(error_of("a.json", "[{\"a\":1},\n]"),
            "bad row in FOLDER/a.json:2 (row 1): expected an object, which begins with `{`, found "
            "`]` | ");
  EXPECT_EQ(error_of("a.json", "[{\"a\":1},\n{\"a\":"),
            "bad row in FOLDER/a.json:2 (row 1): the file ends before its array does | it may have "
            "been cut off");
  EXPECT_EQ(error_of("a.json", "[] \x01"),
            "bad row in FOLDER/a.json:1 (row 0): expected nothing after the array, found the byte "
            "0x01 | ");
}

TEST_F(DatasetTest, ABadCsvRowIsNamedByFileAndLine) {
  EXPECT_EQ(error_of("a.csv", "a,b\n1,2\n1,2,3\n"),
            "bad row in FOLDER/a.csv:3: it has 3 fields, but the header has 2 | a field with a "
            "comma or a line end must be in quotes");
  EXPECT_EQ(error_of("a.csv", "a\n\"x\"y\n"),
            "bad row in FOLDER/a.csv:2: expected `,` after the closing quotes of a field | quotes "
            "inside a field in quotes are written twice");
  EXPECT_EQ(error_of("a.csv", "a\n1\n\"x\n\n"),
            "bad row in FOLDER/a.csv:3: the quotes of a field are not closed | the rest of the "
            "file is taken for this field: close its quotes");
  EXPECT_EQ(error_of("a.csv", "a\n\xE9t\xE9\n"),
            "bad row in FOLDER/a.csv:2: the text is not valid UTF-8 | convert the file to UTF-8");
  EXPECT_EQ(error_of("a.csv", "a,a\n"),
            "bad row in FOLDER/a.csv:1: the header names column `a` twice | ");
}

TEST_F(DatasetTest, ARowThatIsNotThereIsAnError) {
  const auto data = Dataset::open(write("a.csv", "a\n1\n"));
  EXPECT_EQ(error_of([&] { row(*data, 1); }), "FOLDER/a.csv has no row 1: it has 1, from 0 on | ");
  EXPECT_THROW(row(*data, UINT64_MAX), Error);
}

TEST_F(DatasetTest, TheFirstRowsOfAFileAreReadWithoutTheRest) {
  for (const char* name : {"a.jsonl", "a.csv", "a.json"}) {
    write(name, name == std::string("a.json") ? "[{\"a\":1},\n" : "{\"a\":1}\n{\"a\":2}\n");
    fs::resize_file(path(name), std::uintmax_t{1} << 40);  // a hole of a terabyte
    const auto data = Dataset::open(path(name));
    EXPECT_NE(row(*data, 0), "") << name;
  }
}

TEST_F(DatasetTest, RowsAcrossBlocksAreWhole) {
  std::string lines, array = "[", csv = "a\n";
  Rows want;
  for (int i = 0; i < 40; ++i) {
    want.push_back("{\"a\":\"" + std::string(static_cast<std::size_t>(i) * 7919, 'x') + "\"}");
    lines += want.back() + "\n";
    array += (i > 0 ? ",\n" : "") + want.back();
    csv += "\"" + want.back().substr(6, want.back().size() - 8) + "\"\r\n";
  }
  EXPECT_EQ(rows("a.jsonl", lines), want);
  EXPECT_EQ(rows("a.json", array + "]"), want);
  EXPECT_EQ(rows("a.csv", csv), want);
}

TEST_F(DatasetTest, ThreadsReadOneFileAtTheSameTime) {
  std::string lines;
  for (int i = 0; i < 200000; ++i) lines += "{\"i\":" + std::to_string(i) + "}\n";
  const auto data = Dataset::open(write("a.jsonl", lines));
  std::atomic<int> num_wrong = 0;
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (std::uint64_t i = t; i < 200000; i += 997) {
        num_wrong += row(*data, i) != "{\"i\":" + std::to_string(i) + "}";
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(num_wrong, 0);
}

TEST_F(DatasetTest, AFileThatBecomesShorterIsAnError) {
  const auto data = Dataset::open(write("a.jsonl", "{\"a\":1}\n{\"a\":2}\n"));
  fs::resize_file(path("a.jsonl"), 3);
  EXPECT_EQ(error_of([&] { row(*data, 1); }),
            "cannot read FOLDER/a.jsonl: it became shorter while it was in use | ");
}

TEST_F(DatasetTest, AKeyIsAFileBelowAFolderOfQedDataPath) {
  write("one/kk/3ppl.train.jsonl", "{\"a\":1}\n");
  write("two/kk/3ppl.train.jsonl", "{\"a\":2}\n");
  write("two/kk/5ppl.train.csv", "a\n3\n");
  ::setenv("QED_DATA_PATH", (path("none") + "::" + path("one") + ":" + path("two")).c_str(), 1);
  EXPECT_EQ(row(*Dataset::open("kk/3ppl.train"), 0), R"({"a":1})");
  EXPECT_EQ(row(*Dataset::open("kk/5ppl.train"), 0), R"({"a":"3"})");
  EXPECT_EQ(row(*Dataset::open("kk/5ppl.train.csv"), 0), R"({"a":"3"})");
  EXPECT_EQ(error_of([] { Dataset::open("kk/4ppl.train"); }),
            "no data file `kk/4ppl.train`: looked for the file itself and, as a key, below "
            "FOLDER/none (no such folder), FOLDER/one, FOLDER/two | the closest names are "
            "`kk/3ppl.train` and `kk/5ppl.train`");

  write("two/kk/5ppl.train.json", "[]");
  EXPECT_EQ(error_of([] { Dataset::open("kk/5ppl.train"); }),
            "`kk/5ppl.train` may be FOLDER/two/kk/5ppl.train.json or FOLDER/two/kk/5ppl.train.csv "
            "| give the key with its extension");
}

TEST_F(DatasetTest, AFileThatIsNotThereIsNamedWithItsNeighbours) {
  write("gsm8k.test.jsonl", "");
  EXPECT_EQ(error_of([&] { Dataset::open(path("gsm8k.tests.jsonl")); }),
            "no data file `FOLDER/gsm8k.tests.jsonl`: looked for the file itself | the closest "
            "name is `FOLDER/gsm8k.test.jsonl`");
  EXPECT_EQ(error_of([] { Dataset::open("nothing-like-it"); }),
            "no data file `nothing-like-it`: looked for the file itself | give a path, or name the "
            "folders of data files in QED_DATA_PATH");
  EXPECT_EQ(error_of([&] { Dataset::open(folder_.string()); }),
            "FOLDER is a folder, not a data file | name a file in it");
  EXPECT_EQ(error_of([&] { Dataset::open(write("a.xlsx", "")); }),
            "cannot tell the format of FOLDER/a.xlsx by its extension, `.xlsx` | a data file ends "
            "in .jsonl, .json, .csv or .parquet");
}

}  // namespace
}  // namespace qed
