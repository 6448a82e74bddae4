/** LLVM: IR text -> machine code in this process.
 *
 *  Each text is compiled in a context of its own to an object in memory; only adding the object and
 *  looking its symbol up goes to ORC. One lock around all of it. Functions carry the host's CPU and
 *  feature string: without them 512-bit arguments are split silently.
 */
#include <llvm-c/Analysis.h>
#include <llvm-c/Core.h>
#include <llvm-c/IRReader.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <llvm-c/Target.h>
#include <llvm-c/TargetMachine.h>
#include <llvm-c/Transforms/PassBuilder.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/kernel_impl.h"
#include "saros/memory.h"

typedef struct cached {
    uint64_t hash;
    char *text;
    saros_kernel_code *code;
} cached;

static struct {
    pthread_mutex_t lock;
    pthread_once_t once;
    LLVMOrcLLJITRef jit;
    LLVMTargetRef target;
    char *triple, *cpu, *features;
    int bits;
    cached *table;
    int64_t used, room;
} engine = {.lock = PTHREAD_MUTEX_INITIALIZER, .once = PTHREAD_ONCE_INIT};

static bool has(const char *feature) {
    char with_plus[32];
    snprintf(with_plus, sizeof with_plus, "+%s", feature);
    size_t n = strlen(with_plus);
    for (const char *at = engine.features; at && (at = strstr(at, with_plus)); ++at)
        if (at[n] == ',' || at[n] == '\0') return true;
    return false;
}

/** Code for the processor `cpu`, without what this one has beyond. */
static void limit_to(const char *cpu) {
    LLVMDisposeMessage(engine.cpu);
    LLVMDisposeMessage(engine.features);
    engine.cpu = LLVMCreateMessage(cpu);
    engine.features = LLVMCreateMessage("");
}

/** Vector width the machine has and SAROS_MAX_ISA (avx512, avx2, none) allows. */
static int vector_bits(void) {
    const char *most = getenv("SAROS_MAX_ISA");
    if (most && strcmp(most, "none") == 0) return 0;
#if defined(__aarch64__)
    return 128;
#else
    if (!has("avx2") || !has("fma")) return 0;
    bool wide = has("avx512f") && has("avx512vl") && has("avx512dq") && has("avx512bw");
    if (!wide) return 256;
    if (!most || strcmp(most, "avx2") != 0) return 512;
    limit_to("x86-64-v3");
    return 256;
#endif
}

/** The C functions that kernels call, by name. */
static bool define_far_functions(void) {
    LLVMJITCSymbolMapPair pair[SAROS_FAR_FUNCTIONS];
    for (int k = 0; k < SAROS_FAR_FUNCTIONS; ++k) {
        char name[48];
        union {
            void (*function)(int64_t, const void *, void *);
            uintptr_t number;
        } address = {.function = saros_far_functions[k].replace};
        snprintf(name, sizeof name, "saros_%s", saros_far_functions[k].name);
        pair[k].Name = LLVMOrcLLJITMangleAndIntern(engine.jit, name);
        pair[k].Sym =
            (LLVMJITEvaluatedSymbol){.Address = address.number,
                                     .Flags = {.GenericFlags = LLVMJITSymbolGenericFlagsExported |
                                                               LLVMJITSymbolGenericFlagsCallable}};
    }
    LLVMErrorRef error = LLVMOrcJITDylibDefine(LLVMOrcLLJITGetMainJITDylib(engine.jit),
                                               LLVMOrcAbsoluteSymbols(pair, SAROS_FAR_FUNCTIONS));
    if (error) LLVMConsumeError(error);
    return !error;
}

static void start(void) {
    if (LLVMInitializeNativeTarget() || LLVMInitializeNativeAsmPrinter()) return;
    LLVMOrcLLJITRef jit = NULL;
    LLVMErrorRef error = LLVMOrcCreateLLJIT(&jit, LLVMOrcCreateLLJITBuilder());
    if (error) {
        LLVMConsumeError(error);
        return;
    }
    engine.triple = LLVMGetDefaultTargetTriple();
    engine.cpu = LLVMGetHostCPUName();
    engine.features = LLVMGetHostCPUFeatures();
    char *message = NULL;
    if (LLVMGetTargetFromTriple(engine.triple, &engine.target, &message)) {
        LLVMDisposeMessage(message);
        LLVMConsumeError(LLVMOrcDisposeLLJIT(jit));
        return;
    }
    engine.jit = jit;
    if (define_far_functions()) engine.bits = vector_bits();
}

int saros_jit_bits(void) {
    pthread_once(&engine.once, start);
    return engine.bits;
}

static saros_status broken(const char *stage, char *message) {
    saros_status status = saros_fail(SAROS_ERR_INTERNAL, "kernel", NULL, "%s: %s", stage,
                                     message ? message : "no message");
    if (message) LLVMDisposeMessage(message);
    return status;
}

static saros_status broken_orc(const char *stage, LLVMErrorRef error) {
    char *message = LLVMGetErrorMessage(error);
    saros_status status = saros_fail(SAROS_ERR_INTERNAL, "kernel", NULL, "%s: %s", stage, message);
    LLVMDisposeErrorMessage(message);
    return status;
}

static void set_attribute(LLVMContextRef context, LLVMValueRef function, const char *name,
                          const char *value) {
    LLVMAddAttributeAtIndex(function, (LLVMAttributeIndex)LLVMAttributeFunctionIndex,
                            LLVMCreateStringAttribute(context, name, (unsigned)strlen(name), value,
                                                      (unsigned)strlen(value)));
}

/** Optimises `module` lightly and emits it. */
static saros_status emit_object(LLVMModuleRef module, LLVMTargetMachineRef machine,
                                LLVMMemoryBufferRef *object) {
    char *message = NULL;
    LLVMSetTarget(module, engine.triple);
    LLVMTargetDataRef layout = LLVMCreateTargetDataLayout(machine);
    LLVMSetModuleDataLayout(module, layout);
    LLVMDisposeTargetData(layout);
    LLVMPassBuilderOptionsRef options = LLVMCreatePassBuilderOptions();
    LLVMErrorRef error =
        LLVMRunPasses(module, "always-inline,function(early-cse,dce)", machine, options);
    LLVMDisposePassBuilderOptions(options);
    if (error) return broken_orc("passes", error);
    if (LLVMTargetMachineEmitToMemoryBuffer(machine, module, LLVMObjectFile, &message, object))
        return broken("code generation", message);
    return SAROS_OK;
}

static saros_status link_object(LLVMMemoryBufferRef object, const char *name,
                                saros_kernel_code **out) {
    LLVMErrorRef error =
        LLVMOrcLLJITAddObjectFile(engine.jit, LLVMOrcLLJITGetMainJITDylib(engine.jit), object);
    if (error) return broken_orc("link", error);
    LLVMOrcExecutorAddress address = 0;
    error = LLVMOrcLLJITLookup(engine.jit, &address, name);
    if (error) return broken_orc("look-up", error);
    union {
        uintptr_t number;
        saros_kernel_code *code;
    } pointer = {.number = (uintptr_t)address};
    *out = pointer.code;
    return SAROS_OK;
}

static saros_status compile(const char *text, const char *name, saros_kernel_code **out) {
    saros_status status = SAROS_OK;
    char *message = NULL;
    LLVMModuleRef module = NULL;
    LLVMMemoryBufferRef object = NULL;
    LLVMContextRef context = LLVMContextCreate();
    LLVMTargetMachineRef machine =
        LLVMCreateTargetMachine(engine.target, engine.triple, engine.cpu, engine.features,
                                LLVMCodeGenLevelDefault, LLVMRelocPIC, LLVMCodeModelJITDefault);
    LLVMMemoryBufferRef buffer =
        LLVMCreateMemoryBufferWithMemoryRangeCopy(text, strlen(text), "kernel");
    if (LLVMParseIRInContext(context, buffer, &module, &message)) {
        status = broken("parse", message);
        goto done;
    }
    LLVMValueRef function = LLVMGetNamedFunction(module, "kernel");
    LLVMSetValueName2(function, name, strlen(name));
    for (LLVMValueRef f = LLVMGetFirstFunction(module); f; f = LLVMGetNextFunction(f)) {
        set_attribute(context, f, "target-cpu", engine.cpu);
        set_attribute(context, f, "target-features", engine.features);
    }
    SAROS_TRY(emit_object(module, machine, &object));
    SAROS_TRY(link_object(object, name, out)); /* consumes the object */
done:
    if (module) LLVMDisposeModule(module);
    LLVMDisposeTargetMachine(machine);
    LLVMContextDispose(context);
    return status;
}

static uint64_t hash_of(const char *text) {
    uint64_t hash = 1469598103934665603u;
    for (; *text; ++text) hash = (hash ^ (unsigned char)*text) * 1099511628211u;
    return hash;
}

static saros_status remember(uint64_t hash, const char *text, saros_kernel_code *code) {
    if (engine.used == engine.room) {
        int64_t room = engine.room ? 2 * engine.room : 64;
        cached *grown = realloc(engine.table, (size_t)room * sizeof *grown);
        if (!grown) return saros_fail(SAROS_ERR_MEMORY, "kernel", NULL, "no memory for code");
        engine.table = grown;
        engine.room = room;
    }
    engine.table[engine.used++] = (cached){hash, strdup(text), code};
    return SAROS_OK;
}

saros_status saros_jit_compile(const char *text, saros_kernel_code **out) {
    if (!saros_jit_bits())
        return saros_fail(SAROS_ERR_UNSUPPORTED, "kernel", "use the reference backend",
                          "no code can be generated for this machine");
    uint64_t hash = hash_of(text);
    saros_status status = SAROS_OK;
    char name[48];
    pthread_mutex_lock(&engine.lock);
    for (int64_t k = 0; k < engine.used; ++k)
        if (engine.table[k].hash == hash && engine.table[k].text &&
            strcmp(engine.table[k].text, text) == 0) {
            *out = engine.table[k].code;
            goto done;
        }
    snprintf(name, sizeof name, "kernel_%lld", (long long)engine.used);
    SAROS_TRY(compile(text, name, out));
    SAROS_TRY(remember(hash, text, *out));
done:
    pthread_mutex_unlock(&engine.lock);
    return status;
}
