# Compiler flags shared by every target of the project.

# Instruction set: portable by default, because the hot loops are compiled for several and choose when the program
# starts (SAROS_FAST in core), so that naming one gains nothing. "native" or any other value of -march is passed on.
set(SAROS_ARCH "" CACHE STRING "Value of -march, empty for the compiler's default")

add_library(saros_flags INTERFACE)
target_compile_options(saros_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
  # No contraction: a*b+c rounds twice unless the program says fma, so results do not depend on the compiler's mood.
  -ffp-contract=off -fno-math-errno -fno-trapping-math $<$<BOOL:${SAROS_ARCH}>:-march=${SAROS_ARCH}> $<$<BOOL:${SAROS_WERROR}>:-Werror>)
target_compile_definitions(saros_flags INTERFACE _GNU_SOURCE)
if(SAROS_SANITIZE STREQUAL thread)
  target_compile_options(saros_flags INTERFACE -fsanitize=thread -fno-omit-frame-pointer)
  target_link_options(saros_flags INTERFACE -fsanitize=thread)
elseif(SAROS_SANITIZE)
  target_compile_options(saros_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(saros_flags INTERFACE -fsanitize=address,undefined)
endif()
