#include "core/config/nearest_file.h"

#include <gmock/gmock.h>

#include "tests/config/config_fixture.h"

namespace qed {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

class NearestFile : public ConfigTest {
 protected:
  NearestFile() {
    write("configs/quick.toml", "");
    write("configs/quack.toml", "");
    write("configs/other.toml", "");
  }
};

TEST_F(NearestFile, IsWrittenAsThePathWas) {
  EXPECT_THAT(nearest_files("configs/quicks.toml"),
              ElementsAre("configs/quick.toml", "configs/quack.toml"));
  EXPECT_THAT(nearest_files("quicks.toml", "configs"), ElementsAre("quick.toml", "quack.toml"));
}

TEST_F(NearestFile, EndsAtTheFirstFolderThatIsMissing) {
  EXPECT_THAT(nearest_files("config/quick.toml"), ElementsAre("configs"));
}

TEST_F(NearestFile, IsNoneWhereNothingIsNearOrThePathExists) {
  EXPECT_THAT(nearest_files("configs/zebra.toml"), IsEmpty());
  EXPECT_THAT(nearest_files("configs/quick.toml"), IsEmpty());
  EXPECT_THAT(nearest_files("nowhere/at/all"), IsEmpty());
}

}  // namespace
}  // namespace qed
