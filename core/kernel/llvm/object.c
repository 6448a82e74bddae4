/** LLVM: IR text -> object file in memory.
 *
 *  The text is emitted optimised; early-cse and dce clean up after it, and the code generator's own
 *  level is the default one. Functions carry the target's CPU and feature string: without them
 *  512-bit arguments are split silently.
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

static saros_status optimise(LLVMModuleRef module, LLVMTargetMachineRef machine) {
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error =
        LLVMRunPasses(module, "always-inline,function(early-cse,dce)", machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (!error) return SAROS_OK;
    char *message = LLVMGetErrorMessage(error);
    saros_status status = saros_llvm_broken("passes", LLVMCreateMessage(message));
    LLVMDisposeErrorMessage(message);
    return status;
}

static saros_status emit(LLVMModuleRef module, const saros_llvm_target *target,
                         LLVMMemoryBufferRef *object) {
    LLVMTargetMachineRef machine =
        LLVMCreateTargetMachine(target->target, target->triple, target->cpu, target->features,
                                LLVMCodeGenLevelDefault, LLVMRelocPIC, LLVMCodeModelJITDefault);
    char *message = NULL;
    LLVMSetTarget(module, target->triple);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
    LLVMSetModuleDataLayout(module, layout);
    LLVMDisposeTargetData(layout);
    saros_status status = optimise(module, machine);
    if (status == SAROS_OK &&
        LLVMTargetMachineEmitToMemoryBuffer(machine, module, LLVMObjectFile, &message, object))
        status = saros_llvm_broken("code generation", message);
    LLVMDisposeTargetMachine(machine);
    return status;
}

saros_status saros_llvm_object(const saros_llvm_target *target, const char *text, const char *name,
                               LLVMMemoryBufferRef *object) {
    saros_status status = SAROS_OK;
    char *message = NULL;
    LLVMModuleRef module = NULL;
    LLVMContextRef context = LLVMContextCreate();
    LLVMMemoryBufferRef buffer =
        LLVMCreateMemoryBufferWithMemoryRangeCopy(text, strlen(text), "kernel");
    if (LLVMParseIRInContext(context, buffer, &module, &message)) {
        status = saros_llvm_broken("parse", message);
        goto done;
    }
    LLVMSetValueName2(LLVMGetNamedFunction(module, "kernel"), name, strlen(name));
    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f)) {
        set_attribute(context, f, "target-cpu", target->cpu);
        set_attribute(context, f, "target-features", target->features);
    }
    status = emit(module, target, object);
done:
    if (module) LLVMDisposeModule(module);
    LLVMContextDispose(context);
    return status;
}
