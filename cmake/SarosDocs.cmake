# Target docs: reference pages of the public headers. A warning (an undocumented or misnamed parameter) is an error.
find_program(SAROS_DOXYGEN doxygen)
if(SAROS_DOXYGEN)
  set(SAROS_DOC_INPUT "")
  foreach(floor ${SAROS_FLOORS})
    string(APPEND SAROS_DOC_INPUT " \"${CMAKE_SOURCE_DIR}/${floor}/include/saros\"")
  endforeach()
  configure_file(docs/Doxyfile.in ${CMAKE_BINARY_DIR}/Doxyfile @ONLY)
  add_custom_target(docs COMMAND ${SAROS_DOXYGEN} -q ${CMAKE_BINARY_DIR}/Doxyfile VERBATIM
    COMMENT "Reference pages in ${CMAKE_BINARY_DIR}/docs/html")
endif()
