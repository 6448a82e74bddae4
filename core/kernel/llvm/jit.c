/** LLVM: IR text -> machine code in this process, cached by 128 bits of hash of text and level, and
 *  the length of the text: texts are long, and there are many.
 *
 *  Each text is compiled to an object by the thread that asks first, without a lock, so several
 *  compile at once; who asks for the same text meanwhile waits. Only adding the object and looking
 * its symbol up goes to ORC, under the lock. A child of fork keeps what is ready and compiles the
 * rest itself.
 */
#include <llvm-c/Core.h>
#include <llvm-c/LLJIT.h>
#include <llvm-c/Orc.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph_impl.h"
#include "kernel/kernel_impl.h"
#include "kernel/llvm/llvm_impl.h"

/** What stands for a text. No text is empty. */
typedef struct key {
    uint64_t hash[2], length;
} key;

/** One place of the table. */
typedef struct cached {
    key key;
    bool busy; /* a thread compiles it */
    saros_kernel_code *code;
} cached;

enum { IDLE = 64 /* most machines kept: as many as threads compile at once */ };

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a text is ready, or will not be */
    pthread_once_t once;
    LLVMOrcLLJITRef jit;
    saros_llvm_target target;
    LLVMTargetMachineRef idle[2][IDLE]; /* by level */
    int idles[2];
    char *cpu, *features; /* of the host, held to the end */
    int bits;
    cached *table; /* open addressing */
    uint64_t used, slots;
    int64_t objects;
} engine = {.lock = PTHREAD_MUTEX_INITIALIZER,
            .changed = PTHREAD_COND_INITIALIZER,
            .once = PTHREAD_ONCE_INIT};

/* ---- the machine ---- */

static bool has(const char *feature) {
    char with_plus[32];
    snprintf(with_plus, sizeof with_plus, "+%s", feature);
    size_t n = strlen(with_plus);
    for (const char *at = engine.target.features; at && (at = strstr(at, with_plus)); ++at)
        if (at[n] == ',' || at[n] == '\0') return true;
    return false;
}

/** Vector width the machine has and SAROS_MAX_ISA (avx512, avx2, none) allows; with avx2, code for
 * a processor that has no more than that. */
static int choose_bits(void) {
    const char *most = getenv("SAROS_MAX_ISA");
    if (most && strcmp(most, "none") == 0) return 0;
#if defined(__aarch64__)
    return 128;
#else
    if (!has("avx2") || !has("fma")) return 0;
    if (!has("avx512f") || !has("avx512vl") || !has("avx512dq") || !has("avx512bw")) return 256;
    if (!most || strcmp(most, "avx2") != 0) return 512;
    engine.target.cpu = "x86-64-v3";
    engine.target.features = "";
    return 256;
#endif
}

/** The C functions that kernels call, by name. */
static bool define_far_functions(LLVMOrcLLJITRef jit) {
    LLVMJITCSymbolMapPair pair[SAROS_FAR_FUNCTIONS];
    for (int k = 0; k < SAROS_FAR_FUNCTIONS; ++k) {
        char name[48];
        union {
            void (*function)(int64_t, const void *, void *);
            uintptr_t number;
        } address = {.function = saros_far_functions[k].replace};
        snprintf(name, sizeof name, "saros_%s", saros_far_functions[k].name);
        pair[k].Name = LLVMOrcLLJITMangleAndIntern(jit, name);
        pair[k].Sym =
            (LLVMJITEvaluatedSymbol){.Address = address.number,
                                     .Flags = {.GenericFlags = LLVMJITSymbolGenericFlagsExported |
                                                               LLVMJITSymbolGenericFlagsCallable}};
    }
    LLVMErrorRef error = LLVMOrcJITDylibDefine(LLVMOrcLLJITGetMainJITDylib(jit),
                                               LLVMOrcAbsoluteSymbols(pair, SAROS_FAR_FUNCTIONS));
    if (error) LLVMConsumeError(error);
    return !error;
}

/* ---- fork ---- */

static void before_fork(void) {
    pthread_mutex_lock(&engine.lock);
}
static void after_fork(void) {
    pthread_mutex_unlock(&engine.lock);
}
/** Nobody compiles in the child what was being compiled. */
static void after_fork_in_child(void) {
    for (uint64_t k = 0; k < engine.slots; ++k) engine.table[k].busy = false;
    pthread_mutex_unlock(&engine.lock);
}

static void start(void) {
    if (LLVMInitializeNativeTarget() || LLVMInitializeNativeAsmPrinter()) return;
    LLVMOrcLLJITRef jit = NULL;
    LLVMErrorRef error = LLVMOrcCreateLLJIT(&jit, LLVMOrcCreateLLJITBuilder());
    if (error) {
        LLVMConsumeError(error);
        return;
    }
    char *triple = LLVMGetDefaultTargetTriple(), *message = NULL;
    engine.cpu = LLVMGetHostCPUName();
    engine.features = LLVMGetHostCPUFeatures();
    engine.target =
        (saros_llvm_target){.triple = triple, .cpu = engine.cpu, .features = engine.features};
    if (LLVMGetTargetFromTriple(triple, &engine.target.target, &message)) {
        LLVMDisposeMessage(message);
        LLVMConsumeError(LLVMOrcDisposeLLJIT(jit));
        return;
    }
    engine.jit = jit;
    if (!define_far_functions(jit)) return;
    if (pthread_atfork(before_fork, after_fork, after_fork_in_child)) return;
    engine.bits = choose_bits();
}

int saros_jit_bits(void) {
    pthread_once(&engine.once, start);
    return engine.bits;
}

/* ---- linking ---- */

static saros_status broken_orc(const char *stage, LLVMErrorRef error) {
    char *message = LLVMGetErrorMessage(error);
    saros_status status = saros_fail(SAROS_ERR_INTERNAL, "kernel", NULL, "%s: %s", stage, message);
    LLVMDisposeErrorMessage(message);
    return status;
}

/** Consumes the object. */
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

/* ---- the table ---- */

static key key_of(const char *text, saros_jit_level level) {
    key k = {.hash = {1469598103934665603u + (uint64_t)level, 0x9E3779B97F4A7C15u}};
    for (; text[k.length]; ++k.length) {
        k.hash[0] = (k.hash[0] ^ (unsigned char)text[k.length]) * 1099511628211u;
        k.hash[1] = saros_hash_mix(k.hash[1], (unsigned char)text[k.length]);
    }
    return k;
}

/** The place of the text, or the free one where it belongs. There is one. */
static cached *place_of(const key *k) {
    for (uint64_t at = k->hash[0];; ++at) {
        cached *c = &engine.table[at & (engine.slots - 1)];
        if (!c->key.length || memcmp(&c->key, k, sizeof *k) == 0) return c;
    }
}

/** Not from the library's allocator: the table belongs to the process, not to what a caller made.
 */
static bool grow(void) {
    if (engine.used * 2 < engine.slots) return true;
    uint64_t old = engine.slots, slots = old ? 2 * old : 128;
    cached *table = engine.table, *grown = calloc(slots, sizeof *grown);
    if (!grown) return false;
    engine.table = grown;
    engine.slots = slots;
    for (uint64_t k = 0; k < old; ++k)
        if (table[k].key.length) *place_of(&table[k].key) = table[k];
    free(table);
    return true;
}

/** The text's place in the table, NULL if memory ran out. */
static cached *enter(const key *k) {
    if (!grow()) return NULL;
    cached *c = place_of(k);
    engine.used += c->key.length == 0;
    c->key = *k;
    return c;
}

/** Compiles without the lock, which is held before and after. */
static saros_status compile(const char *text, saros_jit_level level, saros_kernel_code **out) {
    char name[48];
    LLVMMemoryBufferRef object = NULL;
    snprintf(name, sizeof name, "kernel_%lld", (long long)engine.objects++);
    LLVMTargetMachineRef machine =
        engine.idles[level] ? engine.idle[level][--engine.idles[level]] : NULL;
    pthread_mutex_unlock(&engine.lock);
    if (!machine) machine = saros_llvm_machine(&engine.target, level);
    saros_status status = saros_llvm_object(&engine.target, machine, text, name, &object);
    pthread_mutex_lock(&engine.lock);
    if (engine.idles[level] < IDLE)
        engine.idle[level][engine.idles[level]++] = machine;
    else
        LLVMDisposeTargetMachine(machine);
    return status == SAROS_OK ? link_object(object, name, out) : status;
}

saros_status saros_jit_compile(const char *text, saros_jit_level level, saros_kernel_code **out) {
    if (!saros_jit_bits())
        return saros_fail(SAROS_ERR_UNSUPPORTED, "kernel", "use the reference backend",
                          "no code can be generated for this machine");
    saros_status status = SAROS_OK;
    saros_kernel_code *code = NULL;
    const key k = key_of(text, level);
    pthread_mutex_lock(&engine.lock);
    cached *c = enter(&k);
    if (!c) SAROS_TRY(saros_fail(SAROS_ERR_MEMORY, "kernel", NULL, "no memory for code"));
    while (c->busy) {
        pthread_cond_wait(&engine.changed, &engine.lock);
        c = place_of(&k); /* the table may have moved */
    }
    if (!c->code) {
        c->busy = true;
        status = compile(text, level, &code);
        c = place_of(&k);
        c->busy = false;
        if (status == SAROS_OK) c->code = code;
        pthread_cond_broadcast(&engine.changed);
    }
    if (status == SAROS_OK) *out = c->code;
done:
    pthread_mutex_unlock(&engine.lock);
    return status;
}
