/** The operations of far.c in LLVM IR: a test whether any element of the vector is far, and a call
 *  of the C function behind a branch that is all but never taken. Both are functions of the module,
 *  the first one inlined, so that the body of a kernel stays one straight line here.
 */
#include <stdio.h>

#include "kernel/emit_impl.h"

static const saros_far_function *find(const saros_primitive *row, saros_dtype dtype) {
    for (int k = 0; k < SAROS_FAR_FUNCTIONS; ++k)
        if (saros_far_functions[k].row == row && saros_far_functions[k].dtype == dtype)
            return &saros_far_functions[k];
    return NULL;
}

void saros_put_far(saros_emitter *e, int id, const saros_fused_operation *o) {
    const char *type = saros_put_scalar(o->dtype);
    saros_put(e, "  %%%s%d = call <%d x %s> @near_or_%s(<%d x %s> ", e->tag, id, e->lanes, type,
              find(o->row, o->dtype)->name, e->lanes, type);
    saros_put_operand(e, o->operand[0]);
    saros_put(e, ", <%d x %s> ", e->lanes, type);
    saros_put_operand(e, o->operand[1]);
    saros_put(e, ")\n");
}

/** The vector with the far elements replaced by the C function; through memory. */
static void put_rare(saros_emitter *e, const saros_far_function *f, const char *vector) {
    const char *type = saros_put_scalar(f->dtype);
    saros_put(e, "declare void @saros_%s(i64, %s*, %s*)\n", f->name, type, type);
    saros_put(e, "define internal %s @rare_%s(%s %%x, %s %%near) noinline cold #0 {\n", vector,
              f->name, vector, vector);
    saros_put(e, "  %%from = alloca %s\n  %%to = alloca %s\n", vector, vector);
    saros_put(e, "  store %s %%x, %s* %%from\n  store %s %%near, %s* %%to\n", vector, vector,
              vector, vector);
    saros_put(e, "  %%a = bitcast %s* %%from to %s*\n  %%b = bitcast %s* %%to to %s*\n", vector,
              type, vector, type);
    saros_put(e, "  call void @saros_%s(i64 %d, %s* %%a, %s* %%b)\n", f->name, e->lanes, type,
              type);
    saros_put(e, "  %%y = load %s, %s* %%to\n  ret %s %%y\n}\n", vector, vector, vector);
}

static void put_test(saros_emitter *e, const saros_far_function *f, const char *vector) {
    double limit = f->dtype == SAROS_F32 ? SAROS_FAR_F32 : SAROS_FAR_F64;
    saros_put(e, "define internal %s @near_or_%s(%s %%x, %s %%near) alwaysinline #0 {\nstart:\n",
              vector, f->name, vector, vector);
    saros_put(e, "  %%size = call %s @llvm.fabs.v%d%s(%s %%x)\n", vector, e->lanes,
              saros_put_suffix(f->dtype), vector);
    saros_put(e, "  %%far = fcmp ogt %s %%size, ", vector);
    saros_put_vector(e, f->dtype, saros_bits(limit));
    saros_put(e, "\n  %%bits = bitcast <%d x i1> %%far to i%d\n", e->lanes, e->lanes);
    saros_put(e, "  %%any = icmp ne i%d %%bits, 0\n", e->lanes);
    saros_put(e, "  br i1 %%any, label %%rare, label %%end, !prof !0\nrare:\n");
    saros_put(e, "  %%exact = call %s @rare_%s(%s %%x, %s %%near)\n  br label %%end\nend:\n",
              vector, f->name, vector, vector);
    saros_put(e, "  %%y = phi %s [ %%near, %%start ], [ %%exact, %%rare ]\n  ret %s %%y\n}\n",
              vector, vector);
}

void saros_put_far_functions(saros_emitter *e) {
    bool used[SAROS_FAR_FUNCTIONS] = {false}, any = false;
    for (int k = 0; k < e->k->operations; ++k) {
        const saros_fused_operation *o = &e->k->operation[k];
        const saros_far_function *f = o->row ? find(o->row, o->dtype) : NULL;
        if (!f) continue;
        used[f - saros_far_functions] = any = true;
    }
    for (int k = 0; k < SAROS_FAR_FUNCTIONS; ++k) {
        char vector[32];
        if (!used[k]) continue;
        snprintf(vector, sizeof vector, "<%d x %s>", e->lanes,
                 saros_put_scalar(saros_far_functions[k].dtype));
        put_rare(e, &saros_far_functions[k], vector);
        put_test(e, &saros_far_functions[k], vector);
    }
    if (any) saros_put(e, "!0 = !{!\"branch_weights\", i32 1, i32 1000000}\n");
}
