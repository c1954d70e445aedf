# What is built out of the folders: libheadrace.so (everything), headrace (the launcher) and
# headrace_tests (every test).

add_library(libheadrace SHARED)
target_link_libraries(libheadrace PRIVATE ${HEADRACE_OBJECTS} headrace_dependencies)
set_target_properties(libheadrace PROPERTIES
  OUTPUT_NAME headrace LINKER_LANGUAGE CXX BUILD_RPATH "${HEADRACE_RPATH}")
if(NOT HEADRACE_SANITIZE)
  target_link_options(libheadrace PRIVATE -Wl,-z,defs)
endif()

# The launcher links nothing, not even libheadrace.so: it loads that when a command needs it, so
# `headrace version` costs what an empty program costs.
if(EXISTS "${CMAKE_SOURCE_DIR}/src/cli/launcher.cc")
  add_executable(headrace src/cli/launcher.cc)
  target_include_directories(headrace PRIVATE src include "${CMAKE_BINARY_DIR}/generated")
  target_link_libraries(headrace PRIVATE ${CMAKE_DL_LIBS})
  if(NOT HEADRACE_SANITIZE)
    target_link_options(headrace PRIVATE -static-libstdc++ -static-libgcc)
  endif()
  add_dependencies(headrace libheadrace)
endif()

file(GLOB _tests CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/*_test.cc")
if(_tests OR HEADRACE_TEST_OBJECTS)
  add_executable(headrace_tests EXCLUDE_FROM_ALL ${_tests})
  target_link_libraries(headrace_tests PRIVATE
    ${HEADRACE_TEST_OBJECTS} ${HEADRACE_OBJECTS} headrace_testing)
  set_target_properties(headrace_tests PROPERTIES
    LINKER_LANGUAGE CXX BUILD_RPATH "${HEADRACE_RPATH}")
else()
  add_custom_target(headrace_tests COMMENT "There are no unit tests yet")
endif()
