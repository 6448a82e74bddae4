# Compiler flags shared by every target of the project.
include(CheckCCompilerFlag)

# Instruction set: the build machine's own by default; "" for a portable program, or any name -march takes.
set(SAROS_ARCH native CACHE STRING "Value of -march, empty for the compiler's default")
set(arch_flag "")
if(SAROS_ARCH)
  check_c_compiler_flag(-march=${SAROS_ARCH} SAROS_ARCH_WORKS_${SAROS_ARCH})
  if(SAROS_ARCH_WORKS_${SAROS_ARCH})
    set(arch_flag -march=${SAROS_ARCH})
  endif()
endif()

add_library(saros_flags INTERFACE)
target_compile_options(saros_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
  # No contraction: a*b+c rounds twice unless the program says fma, so results do not depend on the compiler's mood.
  -ffp-contract=off -fno-math-errno -fno-trapping-math ${arch_flag} $<$<BOOL:${SAROS_WERROR}>:-Werror>)
target_compile_definitions(saros_flags INTERFACE _GNU_SOURCE)
if(SAROS_SANITIZE)
  target_compile_options(saros_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(saros_flags INTERFACE -fsanitize=address,undefined)
endif()
