#pragma once
// As src/base/pch.h, for tests.
#include <gtest/gtest.h>

#include "base/pch.h"
