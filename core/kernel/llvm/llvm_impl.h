/** Inside of the code generator's LLVM part. */
#ifndef SAROS_LLVM_IMPL_H
#define SAROS_LLVM_IMPL_H

#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>

#include "saros/status.h"

/** What code is made for. */
typedef struct saros_llvm_target {
    LLVMTargetRef target;
    const char *triple, *cpu, *features;
} saros_llvm_target;

/** Object file of the IR `text`, its function "kernel" renamed to `name`. Any number of threads at
 * once: each call has its own context and target machine. */
saros_status saros_llvm_object(const saros_llvm_target *target, const char *text, const char *name,
                               LLVMMemoryBufferRef *object);

/** Records the error of a stage of LLVM; takes over `message`, which may be NULL. */
saros_status saros_llvm_broken(const char *stage, char *message);

#endif
