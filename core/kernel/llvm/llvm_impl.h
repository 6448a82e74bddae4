/** Inside of the code generator's LLVM part. */
#ifndef SAROS_LLVM_IMPL_H
#define SAROS_LLVM_IMPL_H

#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>

#include "kernel/kernel_impl.h"

/** What code is made for. */
typedef struct saros_llvm_target {
    LLVMTargetRef target;
    const char *triple, *cpu, *features;
} saros_llvm_target;

/** A code generator for the target, one call at a time; that the machine's features are read once
 * and not for every kernel saves half a millisecond. To release with LLVMDisposeTargetMachine. */
LLVMTargetMachineRef saros_llvm_machine(const saros_llvm_target *target, saros_jit_level level);
/** Object file of the IR `text`, its function "kernel" renamed to `name`. Any number of threads at
 * once, each with a machine of its own. */
saros_status saros_llvm_object(const saros_llvm_target *target, LLVMTargetMachineRef machine,
                               const char *text, const char *name, LLVMMemoryBufferRef *object);

/** Records the error of a stage of LLVM; takes over `message`, which may be NULL. */
saros_status saros_llvm_broken(const char *stage, char *message);

#endif
