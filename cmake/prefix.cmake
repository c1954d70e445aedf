# Finds what we link. DuckDB and the learners stand in the prefix that tools/prefix.sh makes (or
# that the environment variable HEADRACE_PREFIX names), the rest comes from the system.

execute_process(
  COMMAND "${CMAKE_SOURCE_DIR}/tools/prefix.sh"
  OUTPUT_VARIABLE _output
  RESULT_VARIABLE _status
  OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT _status EQUAL 0)
  message(FATAL_ERROR "tools/prefix.sh failed; see above")
endif()
string(REGEX REPLACE ".*\n" "" HEADRACE_PREFIX "${_output}")
set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS
  tools/prefix.sh tools/prefix.lock cmake/folders.txt)

unset(DuckDB_DIR CACHE) # the prefix moves with its lock, the cache would keep the old one
find_package(DuckDB 1.5.5 REQUIRED CONFIG PATHS "${HEADRACE_PREFIX}" NO_DEFAULT_PATH)
find_package(Threads REQUIRED)
find_package(fmt 9 REQUIRED)
find_package(nlohmann_json 3.11 REQUIRED)
find_package(Eigen3 3.4 REQUIRED NO_MODULE)
find_package(CLI11 2.1 REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(SQLITE REQUIRED IMPORTED_TARGET sqlite3>=3.37)
pkg_check_modules(FYAML REQUIRED IMPORTED_TARGET libfyaml>=0.7.12)
pkg_check_modules(XXHASH REQUIRED IMPORTED_TARGET libxxhash>=0.8)
pkg_check_modules(CURL REQUIRED libcurl>=7.85) # headers only: it is loaded when needed
# Headers only: libpq itself is loaded when a connection needs it.
pkg_check_modules(LIBPQ REQUIRED libpq>=12)
pkg_check_modules(ZLIB REQUIRED IMPORTED_TARGET zlib>=1.2)
pkg_check_modules(ZSTD REQUIRED IMPORTED_TARGET libzstd>=1.4)

# Headers and libraries of every folder. Which folder may include which of them is guarded by
# tools/check_includes.py.
add_library(headrace_dependencies INTERFACE)
target_link_libraries(headrace_dependencies INTERFACE
  DuckDB::duckdb fmt::fmt PkgConfig::SQLITE PkgConfig::FYAML PkgConfig::XXHASH
  PkgConfig::ZLIB PkgConfig::ZSTD
  nlohmann_json::nlohmann_json Eigen3::Eigen CLI11::CLI11 Threads::Threads ${CMAKE_DL_LIBS})
target_include_directories(headrace_dependencies SYSTEM INTERFACE ${CURL_INCLUDE_DIRS})
