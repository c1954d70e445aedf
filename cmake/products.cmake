# What is built out of the folders: libheadrace.so (everything), headrace (the launcher) and
# headrace_tests (every test).

add_library(libheadrace SHARED)
target_link_libraries(libheadrace PRIVATE ${HEADRACE_OBJECTS} headrace_dependencies)
set_target_properties(libheadrace PROPERTIES
  OUTPUT_NAME headrace LINKER_LANGUAGE CXX BUILD_RPATH "${HEADRACE_RPATH}")
if(NOT HEADRACE_SANITIZE)
  target_link_options(libheadrace PRIVATE -Wl,-z,defs)
endif()
# RPATH, not RUNPATH: where a package brings the libraries along, what these need in turn is found
# beside them too (tools/wheel.py).
target_link_options(libheadrace PRIVATE -Wl,--disable-new-dtags)

# The launcher links nothing, not even libheadrace.so: it loads that when a command needs it, so
# `headrace version` costs what an empty program costs.
if(EXISTS "${CMAKE_SOURCE_DIR}/src/cli/launcher.cc")
  add_executable(headrace src/cli/launcher.cc)
  target_include_directories(headrace PRIVATE src include "${CMAKE_BINARY_DIR}/generated")
  target_link_libraries(headrace PRIVATE ${CMAKE_DL_LIBS})
  if(NOT HEADRACE_SANITIZE)
    target_link_options(headrace PRIVATE -static-libstdc++ -static-libgcc)
  endif()
  set_target_properties(headrace PROPERTIES BUILD_RPATH "$ORIGIN;$ORIGIN/../lib")
  add_dependencies(headrace libheadrace)
  install(TARGETS headrace RUNTIME DESTINATION bin)
endif()

# `cmake --install build --strip --prefix DIR`: bin/headrace and lib/headrace/, where all other
# libraries stand beside.
set_target_properties(libheadrace PROPERTIES INSTALL_RPATH "$ORIGIN")
install(TARGETS libheadrace LIBRARY DESTINATION lib/headrace)

file(GLOB _tests CONFIGURE_DEPENDS "${CMAKE_SOURCE_DIR}/tests/*_test.cc")
if(_tests)
  headrace_test_objects(hr_tests ${_tests})
  list(APPEND HEADRACE_TEST_OBJECTS hr_tests)
endif()
if(HEADRACE_TEST_OBJECTS)
  headrace_test_program(headrace_tests ${HEADRACE_TEST_OBJECTS} ${HEADRACE_OBJECTS})
else()
  add_custom_target(headrace_tests COMMENT "There are no unit tests yet")
endif()
