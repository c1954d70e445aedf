#include "base/diagnostics.h"

#include <gtest/gtest.h>

namespace headrace {
namespace {

Error At(const char* file, int line, const char* message) {
  return UserError("x", message).At({.file = file, .line = line});
}

TEST(Diagnostics, SortsByPlaceAndKeepsEqualFaultsOnce) {
  Diagnostics all;
  all.Add(At("b.yml", 1, "third"));
  all.Add(At("a.yml", 10, "second"));
  all.Warn(At("a.yml", 9, "first"));
  all.Add(At("a.yml", 10, "second"));
  EXPECT_EQ(all.ErrorCount(), 3u);
  all.Sort();
  ASSERT_EQ(all.all().size(), 3u);
  EXPECT_EQ(all.all()[0].message, "first");
  EXPECT_EQ(all.all()[1].message, "second");
  EXPECT_EQ(all.all()[2].message, "third");
}

TEST(Diagnostics, WarningsAndHintsAreNoErrors) {
  Diagnostics all;
  all.Warn(At("a", 1, "w"));
  all.Hint(At("a", 2, "h"));
  EXPECT_FALSE(all.HasErrors());
  EXPECT_EQ(all.all()[1].severity, Severity::kHint);
  all.Add(At("a", 3, "e"));
  EXPECT_TRUE(all.HasErrors());
}

}  // namespace
}  // namespace headrace
