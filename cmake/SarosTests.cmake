# tests/<floor>/test_<concept>.c: each file is one Check program that links its floor and the floors below it.
# tests/lua/test_<concept>.lua: scripts the program runs; they fail by raising an error.
if("solvers" IN_LIST SAROS_FLOORS)
  saros_pkg(check REQUIRED check)
else()
  saros_pkg(check check)
endif()
if(NOT SAROS_HAVE_CHECK)
  target_include_directories(saros_dep_check INTERFACE ${CMAKE_SOURCE_DIR}/tests/alone)
endif()
set(SAROS_TEST_SECONDS 300)
if(SAROS_SANITIZE)
  set(SAROS_TEST_SECONDS 900)
endif()
set(SAROS_TEST_ENVIRONMENT
  OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_rmaps_base_oversubscribe=1
  OMPI_MCA_mpi_yield_when_idle=1 OMPI_MCA_hwloc_base_binding_policy=none OMP_NUM_THREADS=1 CK_DEFAULT_TIMEOUT=${SAROS_TEST_SECONDS})
if(SAROS_SANITIZE STREQUAL thread)
  # Tests fork (Check does for each), and children start threads.
  list(APPEND SAROS_TEST_ENVIRONMENT TSAN_OPTIONS=die_after_fork=0:halt_on_error=0)
elseif(SAROS_SANITIZE)
  # Memory in quarantine would look as if it grew to the tests that watch it.
  list(APPEND SAROS_TEST_ENVIRONMENT ASAN_OPTIONS=fast_unwind_on_malloc=0:quarantine_size_mb=16
    LSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/.ci/lsan.supp:print_suppressions=0)
endif()

# A test program links in a sixth of the time with gold, and there are a hundred of them. It warns of each symbol of the
# address sanitizer.
include(CheckLinkerFlag)
if(NOT SAROS_SANITIZE)
  check_linker_flag(C -fuse-ld=gold SAROS_HAVE_GOLD)
endif()
set(SAROS_TEST_LINKER $<$<BOOL:${SAROS_HAVE_GOLD}>:-fuse-ld=gold>)

# C code of the pages under docs/, block by block: snippets/<page>_<number>.h, for tests that compile it.
foreach(page adding differentiation)
  set(file ${CMAKE_SOURCE_DIR}/docs/${page}.md)
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  file(READ ${file} text)
  set(number 0)
  while(TRUE)
    string(FIND "${text}" "```c\n" begin)
    if(begin EQUAL -1)
      break()
    endif()
    math(EXPR begin "${begin} + 5")
    math(EXPR number "${number} + 1")
    string(SUBSTRING "${text}" ${begin} -1 text)
    string(FIND "${text}" "```" end)
    string(SUBSTRING "${text}" 0 ${end} code)
    file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/snippets/${page}_${number}.h CONTENT "${code}" @ONLY)
    math(EXPR end "${end} + 3")
    string(SUBSTRING "${text}" ${end} -1 text)
  endwhile()
endforeach()

foreach(floor ${SAROS_FLOORS})
  file(GLOB tests CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/${floor}/test_*.c)
  get_target_property(stack saros_${floor} SAROS_STACK)
  get_target_property(includes saros_${floor} SAROS_INCLUDES)
  get_target_property(libs saros_${floor} SAROS_LIBS)
  set(objects "")
  foreach(f ${stack})
    list(APPEND objects $<TARGET_OBJECTS:saros_${f}>)
  endforeach()
  if(tests)
    add_library(saros_upto_${floor} STATIC ${objects})
    target_link_libraries(saros_upto_${floor} PUBLIC ${libs} Threads::Threads m)
  endif()
  foreach(source ${tests})
    get_filename_component(test ${source} NAME_WE)
    add_executable(${test} ${source})
    target_include_directories(${test} PRIVATE ${includes} ${CMAKE_SOURCE_DIR}/tests ${CMAKE_SOURCE_DIR}/${floor}
      ${CMAKE_BINARY_DIR})
    target_link_libraries(${test} PRIVATE saros_flags saros_upto_${floor} saros_dep_check)
    target_link_options(${test} PRIVATE ${SAROS_TEST_LINKER})
    add_test(NAME ${floor}/${test} COMMAND ${test})
    set_tests_properties(${floor}/${test} PROPERTIES TIMEOUT ${SAROS_TEST_SECONDS} ENVIRONMENT "${SAROS_TEST_ENVIRONMENT}")
  endforeach()
endforeach()

# Kernels once more with the vectors of AVX2 and without any.
if(SAROS_HAVE_LLVM)
  foreach(test test_kernel test_elementary)
    foreach(isa avx2 none)
      add_test(NAME core/${test}.${isa} COMMAND ${test})
      set_tests_properties(core/${test}.${isa} PROPERTIES TIMEOUT ${SAROS_TEST_SECONDS}
        ENVIRONMENT "${SAROS_TEST_ENVIRONMENT};SAROS_MAX_ISA=${isa}")
    endforeach()
  endforeach()
endif()

if(TARGET saros_program)
  file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/lua/test_*.lua)
  foreach(script ${scripts})
    get_filename_component(test ${script} NAME_WE)
    add_test(NAME lua/${test}.lua COMMAND saros_program run ${script})
    set_tests_properties(lua/${test}.lua PROPERTIES TIMEOUT ${SAROS_TEST_SECONDS} WORKING_DIRECTORY ${CMAKE_BINARY_DIR}
      ENVIRONMENT "${SAROS_TEST_ENVIRONMENT}")
  endforeach()
endif()

# Examples: all are checked, the short ones run (.ci/run runs all).
if(TARGET saros_program)
  file(GLOB scripts CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/examples/*.lua)
  file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/examples)
  foreach(script ${scripts})
    get_filename_component(example ${script} NAME_WE)
    add_test(NAME examples/check_${example} COMMAND saros_program check ${script})
    set(tests examples/check_${example})
    if(NOT example STREQUAL burgers)
      add_test(NAME examples/${example} COMMAND saros_program run ${script} --overwrite)
      list(APPEND tests examples/${example})
    endif()
    set_tests_properties(${tests} PROPERTIES TIMEOUT ${SAROS_TEST_SECONDS} WORKING_DIRECTORY ${CMAKE_BINARY_DIR}/examples
      ENVIRONMENT "${SAROS_TEST_ENVIRONMENT};SAROS_CHECK_GRADIENTS=1")
  endforeach()
endif()

# The installed library, used from outside. A sanitized one cannot be: its users would need the sanitizer too.
if(TARGET saros_program AND NOT SAROS_SANITIZE)
  add_test(NAME install/consume COMMAND ${CMAKE_SOURCE_DIR}/tests/install/run ${CMAKE_BINARY_DIR})
  set_tests_properties(install/consume PROPERTIES TIMEOUT ${SAROS_TEST_SECONDS} ENVIRONMENT "${SAROS_TEST_ENVIRONMENT};CC=${CMAKE_C_COMPILER}")
endif()
