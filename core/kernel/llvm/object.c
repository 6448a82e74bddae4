/** LLVM: IR text -> object file in memory.
 *
 *  The text is emitted optimised, so that no pass need run but the one that inlines what stands in
 *  functions of its own (emit_far.c). Of the code generator's levels, Less saves a tenth of the
 * time of Default and its code is no slower: what it leaves out is scheduling after registers are
 *  chosen. Functions carry the target's CPU and feature string: without them 512-bit arguments are
 *  split silently.
 */
#include <llvm-c/Core.h>
#include <llvm-c/IRReader.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <string.h>

#include "kernel/llvm/llvm_impl.h"

saros_status saros_llvm_broken(const char *stage, char *message) {
    saros_status status = saros_fail(SAROS_ERR_INTERNAL, "kernel", NULL, "%s: %s", stage,
                                     message ? message : "no message");
    if (message) LLVMDisposeMessage(message);
    return status;
}

static void set_attribute(LLVMContextRef context, LLVMValueRef function, const char *name,
                          const char *value) {
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                            LLVMCreateStringAttribute(context, name, (unsigned)strlen(name), value,
                                                      (unsigned)strlen(value)));
}

static saros_status inline_functions(LLVMModuleRef module, LLVMTargetMachineRef machine) {
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error = LLVMRunPasses(module, "always-inline", machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (!error) return SAROS_OK;
    char *message = LLVMGetErrorMessage(error);
    saros_status status = saros_llvm_broken("passes", LLVMCreateMessage(message));
    LLVMDisposeErrorMessage(message);
    return status;
}

/** Gives the functions that have a body the target's names; returns their number. */
static int set_target(LLVMContextRef context, LLVMModuleRef module,
                      const saros_llvm_target *target) {
    int defined = 0;
    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f)) {
        if (LLVMIsDeclaration(f)) continue;
        set_attribute(context, f, "target-cpu", target->cpu);
        set_attribute(context, f, "target-features", target->features);
        ++defined;
    }
    return defined;
}

LLVMTargetMachineRef saros_llvm_machine(const saros_llvm_target *target, saros_jit_level level) {
    return LLVMCreateTargetMachine(target->target, target->triple, target->cpu, target->features,
                                   level == SAROS_JIT_QUICK ? LLVMCodeGenLevelNone
                                                            : LLVMCodeGenLevelLess,
                                   LLVMRelocPIC, LLVMCodeModelJITDefault);
}

saros_status saros_llvm_object(const saros_llvm_target *target, LLVMTargetMachineRef machine,
                               const char *text, const char *name, LLVMMemoryBufferRef *object) {
    saros_status status = SAROS_OK;
    char *message = NULL;
    LLVMModuleRef module = NULL;
    LLVMContextRef context = LLVMContextCreate();
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
    LLVMMemoryBufferRef buffer =
        LLVMCreateMemoryBufferWithMemoryRangeCopy(text, strlen(text), "kernel");
    if (LLVMParseIRInContext(context, buffer, &module, &message))
        SAROS_TRY(saros_llvm_broken("parse", message));
    LLVMSetTarget(module, target->triple);
    LLVMSetModuleDataLayout(module, layout);
    LLVMSetValueName2(LLVMGetNamedFunction(module, "kernel"), name, strlen(name));
    if (set_target(context, module, target) > 1) SAROS_TRY(inline_functions(module, machine));
    if (LLVMTargetMachineEmitToMemoryBuffer(machine, module, LLVMObjectFile, &message, object))
        status = saros_llvm_broken("code generation", message);
done:
    LLVMDisposeTargetData(layout);
    if (module) LLVMDisposeModule(module);
    LLVMContextDispose(context);
    return status;
}
