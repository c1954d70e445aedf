# Turns examples/ into a C++ file (src/base/embedded.h reads it), so that `init --example` needs
# nothing but the library.

file(GLOB_RECURSE _found CONFIGURE_DEPENDS
  LIST_DIRECTORIES false RELATIVE "${CMAKE_SOURCE_DIR}" "${CMAKE_SOURCE_DIR}/examples/*")
list(FILTER _found EXCLUDE REGEX "/(\\.headrace|\\.env|__pycache__)(/|$)")
list(FILTER _found INCLUDE REGEX "^examples/[^/]+/") # a file beside the examples is not of one
list(SORT _found)
list(JOIN _found "\n" _lines)
# The list is a file of its own: a file that goes away must also rebuild. Written only if changed.
file(CONFIGURE OUTPUT "${CMAKE_BINARY_DIR}/generated/embedded.txt" CONTENT "${_lines}\n" @ONLY)

find_package(Python3 REQUIRED COMPONENTS Interpreter)
list(TRANSFORM _found PREPEND "${CMAKE_SOURCE_DIR}/" OUTPUT_VARIABLE _inputs)
add_custom_command(
  OUTPUT "${CMAKE_BINARY_DIR}/generated/embedded.cc"
  COMMAND Python3::Interpreter "${CMAKE_SOURCE_DIR}/tools/embed.py" "${CMAKE_SOURCE_DIR}"
          "${CMAKE_BINARY_DIR}/generated/embedded.txt" "${CMAKE_BINARY_DIR}/generated/embedded.cc"
  DEPENDS tools/embed.py "${CMAKE_BINARY_DIR}/generated/embedded.txt" ${_inputs}
  COMMENT "Embedding examples/"
  VERBATIM)
