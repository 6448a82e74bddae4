/** Kernel description -> LLVM IR text: explicit vectors, of few operations twice the machine's
 *  width so that two chains run side by side.
 *
 *  The loop nest is printed by emit_loop.c, what goes to memory by emit_memory.c, the operations
 *  between by emit_operation.c.
 */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "kernel/emit_impl.h"
#include "saros/memory.h"

enum { FEW = 24 /* operations that stand twice, on two vectors each */ };

void saros_put(saros_emitter *e, const char *format, ...) {
    saros_text *t = &e->out;
    for (;;) {
        va_list args;
        va_start(args, format);
        int n = vsnprintf(t->data + t->used, t->room - t->used, format, args);
        va_end(args);
        if (n < 0) t->failed = true;
        if (t->failed) return;
        if ((size_t)n < t->room - t->used) {
            t->used += (size_t)n;
            return;
        }
        char *grown = saros_reallocate(t->data, 2 * t->room + (size_t)n);
        if (!grown) {
            t->failed = true;
            return;
        }
        t->room = 2 * t->room + (size_t)n;
        t->data = grown;
    }
}

const char *saros_put_scalar(saros_dtype dtype) {
    switch (dtype) {
    case SAROS_F64:
        return "double";
    case SAROS_F32:
        return "float";
    case SAROS_I64:
        return "i64";
    case SAROS_I32:
        return "i32";
    default:
        return "i1";
    }
}
const char *saros_put_memory(saros_dtype dtype) {
    return dtype == SAROS_BOOL ? "i8" : saros_put_scalar(dtype);
}
const char *saros_put_suffix(saros_dtype dtype) {
    return dtype == SAROS_F64 ? "f64" : "f32";
}

saros_dtype saros_fused_dtype(const saros_fused *k, int operand) {
    return operand < k->ins ? k->in[operand] : k->operation[operand - k->ins].dtype;
}

/** Declares the intrinsic if the text calls it: what is not used would cost the parser its time. */
SAROS_PRINTF(3, 4)
static void put_declaration(saros_emitter *e, const char *name, const char *format, ...) {
    char text[256];
    va_list args;
    if (e->out.failed || !strstr(e->out.data, name)) return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    saros_put(e, "declare %s\n", text);
}

/** The intrinsics on vectors of the dtype. */
static void put_declarations(saros_emitter *e, saros_dtype dtype) {
    static const struct {
        const char *name;
        int operands;
    } calls[] = {{"fma", 3}, {"sqrt", 1}, {"fabs", 1}, {"floor", 1}, {"rint", 1}};
    const char *type = saros_put_memory(dtype);
    const char *suffix = saros_dtype_is_float(dtype) ? saros_put_suffix(dtype) : type;
    const int n = e->lanes;
    char vector[32], name[64];
    snprintf(vector, sizeof vector, "<%d x %s>", n, type);
    for (int c = 0; saros_dtype_is_float(dtype) && c < 5; ++c) {
        snprintf(name, sizeof name, "@llvm.%s.v%d%s(", calls[c].name, n, suffix);
        if (calls[c].operands == 3)
            put_declaration(e, name, "%s %s%s, %s, %s)", vector, name, vector, vector, vector);
        else
            put_declaration(e, name, "%s %s%s)", vector, name, vector);
    }
    snprintf(name, sizeof name, "@llvm.masked.load.v%d%s.p0v%d%s(", n, suffix, n, suffix);
    put_declaration(e, name, "%s %s%s*, i32, <%d x i1>, %s)", vector, name, vector, n, vector);
    snprintf(name, sizeof name, "@llvm.masked.store.v%d%s.p0v%d%s(", n, suffix, n, suffix);
    put_declaration(e, name, "void %s%s, %s*, i32, <%d x i1>)", name, vector, vector, n);
}

static int widest(const saros_fused *k) {
    size_t bytes = 4;
    for (int o = 0; o < k->ins + k->operations; ++o)
        if (saros_dtype_bytes(saros_fused_dtype(k, o)) > bytes)
            bytes = saros_dtype_bytes(saros_fused_dtype(k, o));
    return (int)bytes;
}

char *saros_kernel_emit(const saros_fused *kernel, saros_kernel_pattern pattern, int bits,
                        const char *name) {
    saros_emitter e = {.k = kernel, .pattern = pattern, .set = ""};
    e.lanes = bits / 8 / widest(kernel);
    e.once = kernel->operations > FEW;
    if (!e.once) e.lanes *= 2;
    for (int m = 0; m < kernel->outs; ++m)
        if (kernel->reduce[m] && pattern.mode != SAROS_NEST_COLUMNS &&
            e.lanes < saros_reduce_lanes(&e, m))
            e.lanes = saros_reduce_lanes(&e, m);
    e.out.room = 16384;
    e.out.data = saros_allocate(e.out.room);
    if (!e.out.data) return NULL;
    saros_put_function(&e, name);
    saros_put_far_functions(&e);
    for (int d = SAROS_F64; d <= SAROS_BOOL; ++d) put_declarations(&e, (saros_dtype)d);
    saros_put(&e, "attributes #0 = { nounwind \"min-legal-vector-width\"=\"%d\" }\n", bits);
    saros_put(&e, "!1 = !{i32 1}\n");
    if (!e.out.failed) return e.out.data;
    saros_release(e.out.data);
    return NULL;
}
