# <saros/saros.h>: every public header of the floors that are built, from the ground up. Made here so that it cannot
# miss one. saros/lua.h stays out: it needs Lua's own headers, and its symbols live in the program and the Lua module.
set(SAROS_UMBRELLA_DIR ${CMAKE_BINARY_DIR}/umbrella)
set(lines "#include \"saros/config.h\"\n")
foreach(floor ${SAROS_FLOORS})
  if(NOT floor STREQUAL lua)
    file(GLOB headers CONFIGURE_DEPENDS RELATIVE ${CMAKE_SOURCE_DIR}/${floor}/include ${CMAKE_SOURCE_DIR}/${floor}/include/saros/*.h)
    string(APPEND lines "\n/* ${floor} */\n")
    foreach(header ${headers})
      string(APPEND lines "#include \"${header}\"\n")
    endforeach()
  endif()
endforeach()
file(CONFIGURE OUTPUT ${SAROS_UMBRELLA_DIR}/saros/saros.h @ONLY CONTENT [=[
/** All public headers of the library.
 *
 *      cc program.c $(pkg-config --cflags --libs saros)
 */
#ifndef SAROS_SAROS_H
#define SAROS_SAROS_H

@lines@
#endif
]=])
