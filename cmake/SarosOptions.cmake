# Compiler flags shared by every target of the project.
add_library(saros_flags INTERFACE)
target_compile_options(saros_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wvla
  -ffp-contract=off -fno-math-errno $<$<BOOL:${SAROS_WERROR}>:-Werror>)
target_compile_definitions(saros_flags INTERFACE _GNU_SOURCE)
if(SAROS_SANITIZE)
  target_compile_options(saros_flags INTERFACE -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
  target_link_options(saros_flags INTERFACE -fsanitize=address,undefined)
endif()
