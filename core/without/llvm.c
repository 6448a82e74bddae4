/** The code generator of a build without LLVM: there is none. */
#include "kernel/kernel_impl.h"

int saros_jit_bits(void) {
    return 0;
}

saros_status saros_jit_compile(const char *text, saros_jit_level level, saros_kernel_code **out) {
    (void)text, (void)level, (void)out;
    return saros_fail(SAROS_ERR_UNSUPPORTED, "kernel", "configure again with LLVM 14 installed",
                      "compiled kernels are not in this build: LLVM was not found");
}
