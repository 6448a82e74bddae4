# The products: library saros::saros (every floor but lua), program saros (with Lua inside), Lua module saros.so
# (takes lua_* from the interpreter that loads it), and what is installed.
set(library_floors ${SAROS_FLOORS})
list(REMOVE_ITEM library_floors lua)
list(GET library_floors -1 top)
get_target_property(libs saros_${top} SAROS_LIBS)

add_library(saros SHARED)
add_library(saros::saros ALIAS saros)
foreach(floor ${library_floors})
  target_sources(saros PRIVATE $<TARGET_OBJECTS:saros_${floor}>)
  target_include_directories(saros PUBLIC $<BUILD_INTERFACE:${CMAKE_SOURCE_DIR}/${floor}/include>)
endforeach()
target_include_directories(saros PUBLIC $<BUILD_INTERFACE:${SAROS_CONFIG_DIR}> $<BUILD_INTERFACE:${SAROS_UMBRELLA_DIR}>
  $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
target_link_libraries(saros PRIVATE saros_flags ${libs} Threads::Threads m)
if(NOT SAROS_SANITIZE) # a name nobody defines is an error here, not where the library is used
  target_link_options(saros PRIVATE -Wl,--no-undefined)
endif()
# A static library inside stays inside: its names are not ours to export.
target_link_options(saros PRIVATE -Wl,--exclude-libs,ALL)
# Once loaded it stays: MPI, PETSc and LLVM below it do not survive being unloaded (a Lua state that closes, and with it
# the module, would unload it).
target_link_options(saros PRIVATE -Wl,-z,nodelete)
set_target_properties(saros PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})

install(TARGETS saros EXPORT sarosTargets LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY ${SAROS_CONFIG_DIR}/saros ${SAROS_UMBRELLA_DIR}/saros DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
foreach(floor ${library_floors})
  install(DIRECTORY ${CMAKE_SOURCE_DIR}/${floor}/include/saros DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
endforeach()

# ---- program and module ----
if("lua" IN_LIST SAROS_FLOORS AND EXISTS ${CMAKE_SOURCE_DIR}/lua/main.c)
  file(GLOB program_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/lua/program/*.c)
  add_executable(saros_program lua/main.c ${program_sources} $<TARGET_OBJECTS:saros_lua>)
  set_target_properties(saros_program PROPERTIES OUTPUT_NAME saros
    INSTALL_RPATH "$ORIGIN/../${CMAKE_INSTALL_LIBDIR}")
  target_include_directories(saros_program PRIVATE ${CMAKE_SOURCE_DIR}/lua ${CMAKE_SOURCE_DIR}/lua/include)
  target_link_libraries(saros_program PRIVATE saros saros_flags saros_dep_lua saros_dep_edit saros_dep_petsc m)
  install(TARGETS saros_program RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
endif()
if("lua" IN_LIST SAROS_FLOORS)
  add_library(saros_module MODULE $<TARGET_OBJECTS:saros_lua>) # its entry, luaopen_saros, is in the floor
  set_target_properties(saros_module PROPERTIES PREFIX "" OUTPUT_NAME saros SUFFIX .so
    LINKER_LANGUAGE C LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/lua/5.4 INSTALL_RPATH "$ORIGIN/../..")
  target_link_libraries(saros_module PRIVATE saros saros_flags saros_dep_edit saros_dep_petsc m)
  install(TARGETS saros_module LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/lua/5.4)
endif()

# ---- packages: find_package(saros) and pkg-config saros ----
include(CMakePackageConfigHelpers)
set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/saros)
configure_package_config_file(cmake/sarosConfig.cmake.in ${CMAKE_BINARY_DIR}/sarosConfig.cmake INSTALL_DESTINATION ${package_dir})
write_basic_package_version_file(${CMAKE_BINARY_DIR}/sarosConfigVersion.cmake COMPATIBILITY SameMinorVersion)
configure_file(cmake/saros.pc.in ${CMAKE_BINARY_DIR}/saros.pc @ONLY)
install(EXPORT sarosTargets NAMESPACE saros:: DESTINATION ${package_dir})
install(FILES ${CMAKE_BINARY_DIR}/sarosConfig.cmake ${CMAKE_BINARY_DIR}/sarosConfigVersion.cmake DESTINATION ${package_dir})
install(FILES ${CMAKE_BINARY_DIR}/saros.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
