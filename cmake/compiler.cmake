# Flags, linker and compiler cache.

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_SKIP_INSTALL_RPATH OFF)

# No contraction of floating-point expressions: scores are equal bit for bit everywhere.
add_compile_options(
  -Wall -Wextra -Werror
  # g++ 12 sees these where std::string is joined and assigned, wrongly (GCC PR 105329, 105651).
  -Wno-restrict -Wno-array-bounds -Wno-stringop-overflow -Wno-stringop-overread
  -ffp-contract=off -fno-math-errno -fpch-preprocess
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}/=")
# Lazy binding and as-needed keep the start of a command cheap.
add_link_options(-Wl,-z,lazy -Wl,--as-needed)

find_program(HEADRACE_MOLD mold)
if(HEADRACE_MOLD)
  add_link_options(-fuse-ld=mold)
endif()

set(HEADRACE_SANITIZE "" CACHE STRING "Sanitizers, as -fsanitize= takes them")
if(HEADRACE_SANITIZE)
  add_compile_options("-fsanitize=${HEADRACE_SANITIZE}" -fno-sanitize-recover=all
    -fno-omit-frame-pointer)
  add_link_options("-fsanitize=${HEADRACE_SANITIZE}")
endif()

# Paths below the source folder are made relative and the working folder is not hashed, so another
# build folder and another clone hit the same cache.
find_program(HEADRACE_CCACHE ccache)
if(HEADRACE_CCACHE)
  set(CMAKE_CXX_COMPILER_LAUNCHER
    "${CMAKE_COMMAND};-E;env;CCACHE_BASEDIR=${CMAKE_SOURCE_DIR};CCACHE_NOHASHDIR=1"
    "CCACHE_SLOPPINESS=pch_defines,time_macros;CCACHE_INODECACHE=1;${HEADRACE_CCACHE}")
endif()
