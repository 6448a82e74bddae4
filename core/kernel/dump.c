/** Kernels as text, for people: one operation a line, operands before what reads them.
 *
 *      kernel: 2 loads, 2 operations, 1 stores
 *        %0 = load f64, one element for the whole row
 *        %1 = load f64
 *        %3 = fma(%0, %1, 2) : f64
 *        store sum(%3) over axes 0, 1
 *
 *  SAROS_DUMP=kernels:FILE appends every kernel to FILE when its code is made.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "graph_impl.h"
#include "kernel/kernel_impl.h"
#include "saros/memory.h"
#include "text_impl.h"

static void put_operand(saros_text *s, const saros_fused *k, int operand) {
    const saros_fused_operation *o = operand < k->ins ? NULL : &k->operation[operand - k->ins];
    if (!o || o->row)
        saros_text_put(s, "%%%d", operand);
    else if (saros_dtype_is_float(o->dtype))
        saros_text_put(s, "%.17g", saros_from_bits(o->word));
    else
        saros_text_put(s, "%" PRId64, o->word);
}

static void put_operation(saros_text *s, const saros_fused *k, int index) {
    const saros_fused_operation *o = &k->operation[index];
    if (!o->row) return; /* constants stand where they are used */
    saros_text_put(s, "  %%%d = %s(", k->ins + index, o->row->name);
    for (int j = 0; j < o->operands; ++j) {
        if (j) saros_text_put(s, ", ");
        put_operand(s, k, o->operand[j]);
    }
    saros_text_put(s, ")");
    if (o->word) saros_text_put(s, " [%" PRId64 "]", o->word);
    saros_text_put(s, " : %s\n", saros_dtype_name(o->dtype));
}

/** `) over axes 0, 2` */
static void put_axes(saros_text *s, uint32_t axes) {
    const char *before = ") over axes";
    for (int a = 0; axes >> a; ++a) {
        if (!(axes >> a & 1)) continue;
        saros_text_put(s, "%s %d", before, a);
        before = ",";
    }
}

int saros_kernel_operations(const saros_fused *k) {
    int count = 0;
    for (int j = 0; j < k->operations; ++j) count += k->operation[j].row != NULL;
    return count;
}

size_t saros_kernel_dump(const saros_fused *k, uint32_t still, char *text, size_t bytes) {
    saros_text s = {text, bytes, 0};
    saros_text_put(&s, "kernel: %d loads, %d operations, %d stores\n", k->ins,
                   saros_kernel_operations(k), k->outs);
    for (int j = 0; j < k->ins; ++j)
        saros_text_put(&s, "  %%%d = load %s%s\n", j, saros_dtype_name(k->in[j]),
                       still >> j & 1 ? ", one element for the whole row" : "");
    for (int j = 0; j < k->operations; ++j) put_operation(&s, k, j);
    for (int j = 0; j < k->outs; ++j) {
        saros_text_put(&s, "  %s %s%s", k->taken >> j & 1 ? "hand over" : "store",
                       k->reduce[j] ? k->reduce[j]->name : "", k->reduce[j] ? "(" : "");
        put_operand(&s, k, k->out[j]);
        if (k->reduce[j]) put_axes(&s, k->axes);
        saros_text_put(&s, "\n");
    }
    return s.used;
}

saros_status saros_dump_kernels(saros_dump_text *dump, const void *what) {
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static const char prefix[] = "kernels:";
    const char *wish = getenv("SAROS_DUMP");
    if (!wish || strncmp(wish, prefix, sizeof prefix - 1) != 0) return SAROS_OK;
    const char *path = wish + sizeof prefix - 1;
    size_t bytes = dump(what, NULL, 0) + 1;
    char *text = saros_allocate(bytes);
    if (!text) return SAROS_ERR_MEMORY;
    dump(what, text, bytes);
    pthread_mutex_lock(&lock);
    FILE *file = fopen(path, "a");
    bool written = file && fputs(text, file) >= 0;
    if (file && fclose(file) != 0) written = false;
    saros_status status = SAROS_OK;
    if (!written)
        status = saros_fail(SAROS_ERR_IO, "SAROS_DUMP", "name a file that can be written",
                            "'%s': %s", path, strerror(errno));
    pthread_mutex_unlock(&lock);
    saros_release(text);
    return status;
}

/** A kernel and how it runs. */
typedef struct variant {
    const saros_fused *kernel;
    uint32_t still;
} variant;

static size_t dump_variant(const void *what, char *text, size_t bytes) {
    const variant *v = what;
    return saros_kernel_dump(v->kernel, v->still, text, bytes);
}

saros_status saros_kernel_record(const saros_fused *kernel, uint32_t still) {
    const variant v = {kernel, still};
    return saros_dump_kernels(dump_variant, &v);
}
