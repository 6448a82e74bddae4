/** Fusion: groups of pointwise nodes of one shape become kernels.
 *
 *  1. Copy of the body in which elementary functions are expanded (expand.c).
 *  2. Nodes are put into groups (fuse_group.c, fuse_sink.c); groups repeat what is made more
 * quickly than loaded (fuse_repeat.c).
 *  3. Second copy, operands first: a group is emitted as one node, once all that it reads is there.
 * Groups of one operation stay as they are if they have few elements.
 */
#include <string.h>

#include "kernel/fuse_impl.h"
#include "kernel/kernel_impl.h"
#include "rewrite_impl.h"
#include "saros/memory.h"
#include "saros/rows.h"

enum { LONG = 16384 }; /* elements from which an operation alone becomes a kernel */

/** Whether record n is made in group v. */
static bool belongs(const saros_fusion *f, int32_t v, int32_t n) {
    return f->vertex[n] == v || saros_fuse_repeats(f, v, n);
}

static void mark_outside(saros_fusion *f) {
    const saros_graph *g = f->from;
    for (int k = 0; k < f->body->outputs; ++k) f->outside[f->body->output[k]] = true;
    for (int32_t n = 0; n < g->records; ++n) {
        const saros_graph_record *r = saros_graph_at(g, n);
        for (int32_t k = 0; f->live[n] && k < r->operands; ++k)
            if (!belongs(f, f->vertex[n], g->owner[r->operand[k]]))
                f->outside[r->operand[k]] = true;
    }
    for (int32_t v = 0; v < g->records; ++v)
        for (int32_t e = f->repeat[v]; e >= 0; e = f->entry[e].next) {
            const saros_graph_record *r = saros_graph_at(g, f->entry[e].record);
            for (int32_t k = 0; k < r->operands; ++k)
                if (!belongs(f, v, g->owner[r->operand[k]])) f->outside[r->operand[k]] = true;
        }
}

/** Members of group v and what it repeats, in order. */
static void list_members(saros_fusion *f, int32_t v) {
    int32_t e = f->repeat[v];
    f->members = 0;
    for (int32_t n = v; n >= 0; n = f->next[n]) {
        for (; e >= 0 && f->entry[e].record < n; e = f->entry[e].next)
            f->member[f->members++] = f->entry[e].record;
        f->member[f->members++] = n;
    }
}

static void emit_alone(saros_fusion *f, int32_t n) {
    const saros_graph_record *r = saros_graph_at(f->from, n);
    if (r->row == &saros_row_input) return;
    saros_rewrite_copy(f->to, r, f->map, f->in, NULL);
}

/** Loads of the group in order of first use; false if there are too many. */
static bool gather_loads(saros_fusion *f, int32_t v, saros_fused *kernel, int32_t *load) {
    const saros_graph *g = f->from;
    for (int32_t m = 0; m < f->members; ++m) {
        const saros_graph_record *r = saros_graph_at(g, f->member[m]);
        for (int32_t k = 0; k < r->operands; ++k) {
            int32_t id = r->operand[k];
            if (belongs(f, v, g->owner[id]) || saros_graph_splat(g, id)) continue;
            bool known = f->number[id] >= 0 && f->number[id] < kernel->ins &&
                         saros_same(f->in[f->number[id]], (saros_value){f->to, f->map[id]});
            if (known) continue;
            if (kernel->ins == SAROS_KERNEL_LOADS) return false;
            load[kernel->ins] = id;
            f->in[kernel->ins] = (saros_value){f->to, f->map[id]};
            kernel->in[kernel->ins] = g->type[id]->dtype;
            f->number[id] = kernel->ins++;
        }
    }
    return true;
}

static int constant_operand(saros_fused *kernel, const saros_type *type, int64_t word) {
    for (int k = 0; k < kernel->operations; ++k) {
        const saros_fused_operation *o = &kernel->operation[k];
        if (!o->row && o->dtype == type->dtype && o->word == word) return kernel->ins + k;
    }
    kernel->operation[kernel->operations] =
        (saros_fused_operation){.dtype = type->dtype, .word = word};
    return kernel->ins + kernel->operations++;
}

static int operand_number(const saros_fusion *f, saros_fused *kernel, int32_t id) {
    const saros_graph_record *splat = saros_graph_splat(f->from, id);
    return splat ? constant_operand(kernel, f->from->type[id], splat->word[splat->words - 1])
                 : f->number[id];
}

/** The row that takes what the group makes; false if that is too much. Loads are handed over as
 * they are. */
static bool gather_taken(const saros_fusion *f, const saros_graph_record *r, saros_fused *kernel,
                         saros_kernel_taker *to) {
    *to = (saros_kernel_taker){
        .row = r->row, .attribute = r->tensor, .type = *f->from->type[r->output]};
    to->how = (saros_nest_taker){.take = r->row->take, .attribute = r->tensor};
    for (int32_t k = 0; k < r->operands; ++k) {
        const int number = operand_number(f, kernel, r->operand[k]);
        int m = 0;
        while (m < kernel->outs && (kernel->out[m] != number || !(kernel->taken >> m & 1))) ++m;
        if (number >= kernel->ins && m == kernel->outs) {
            if (m == SAROS_KERNEL_STORES) return false;
            kernel->out[kernel->outs++] = number;
            kernel->taken |= UINT64_C(1) << m;
        }
        to->how.from[to->how.operands++] =
            (int16_t)(number < kernel->ins ? number : kernel->ins + m);
    }
    return true;
}

/** Values of the graph that a kernel makes. */
typedef struct results {
    int32_t stored[SAROS_KERNEL_STORES]; /* per store that is not taken */
    int32_t taken;                       /* what the taker makes of the others */
    saros_kernel_taker taker;            /* row NULL: there is none */
} results;

/** Operations of the group; false if there are too many constants or stores. */
static bool gather_operations(saros_fusion *f, int32_t v, saros_fused *kernel, results *to) {
    const saros_graph *g = f->from;
    const int room = (int)(sizeof kernel->operation / sizeof *kernel->operation);
    for (int32_t m = 0; m < f->members; ++m) {
        const int32_t n = f->member[m];
        const saros_graph_record *r = saros_graph_at(g, n);
        if (saros_fuse_reduces(r->row)) {
            if (kernel->outs == SAROS_KERNEL_STORES) return false;
            to->stored[kernel->outs] = r->output;
            kernel->reduce[kernel->outs] = r->row;
            kernel->out[kernel->outs++] = f->number[r->operand[0]];
            continue;
        }
        if (kernel->operations + r->operands + 1 > room) return false;
        if (r->row->take) {
            if (!gather_taken(f, r, kernel, &to->taker)) return false;
            to->taken = r->output;
            continue;
        }
        saros_fused_operation o = {.row = r->row,
                                   .operands = r->operands,
                                   .dtype = g->type[r->output]->dtype,
                                   .word = r->words ? r->word[0] : 0};
        for (int32_t k = 0; k < r->operands; ++k)
            o.operand[k] = operand_number(f, kernel, r->operand[k]);
        f->number[r->output] = kernel->ins + kernel->operations;
        kernel->operation[kernel->operations++] = o;
        if (f->vertex[n] != v || !f->outside[r->output]) continue;
        if (kernel->outs == SAROS_KERNEL_STORES) return false;
        to->stored[kernel->outs] = r->output;
        kernel->out[kernel->outs++] = f->number[r->output];
    }
    return true;
}

/** One operation is not worth code of its own unless there is much to do: kernels get all threads.
 */
static bool worth_it(const saros_fusion *f, int32_t v) {
    return f->size[v] > 1 || saros_type_count(saros_fuse_type(f, v)) >= LONG;
}

static void emit_members(saros_fusion *f) {
    for (int32_t m = 0; m < f->members; ++m)
        if (f->map[saros_graph_at(f->from, f->member[m])->output] < 0) emit_alone(f, f->member[m]);
}

static void note_results(saros_fusion *f, const saros_fused *kernel, const results *made) {
    int at = 0;
    for (int m = 0; m < kernel->outs; ++m)
        if (!(kernel->taken >> m & 1)) f->map[made->stored[m]] = f->out[at++].id;
    if (made->taker.row) f->map[made->taken] = f->out[at].id;
}

static void emit_group(saros_fusion *f, int32_t v) {
    saros_fused kernel = {0};
    saros_value operand[SAROS_KERNEL_PARTS];
    saros_cover *cover = NULL;
    int32_t load[SAROS_KERNEL_LOADS];
    results made = {.taken = -1};
    kernel.axes = f->axes[v] == SAROS_FUSE_TAKEN ? 0 : (uint32_t)f->axes[v];
    kernel.often = f->often;
    list_members(f, v);
    if (!worth_it(f, v) || !gather_loads(f, v, &kernel, load) ||
        !gather_operations(f, v, &kernel, &made)) {
        emit_members(f);
        return;
    }
    if (kernel.outs == 0) { /* all that it made is repeated where it is read */
        if (made.taker.row) emit_alone(f, f->from->owner[made.taken]);
        return;
    }
    if (saros_fuse_parts(f, v, kernel.ins, load, operand, &cover) != SAROS_OK) saros_poison(f->to);
    const saros_graph_record *last = saros_graph_at(f->from, f->tail[v]);
    saros_graph_locate(f->to, last->file, last->line);
    saros_kernel_build(f->to, &kernel, cover, made.taker.row ? &made.taker : NULL,
                       saros_fuse_type(f, v), cover ? operand : f->in, f->out);
    note_results(f, &kernel, &made);
}

/** Emits vertex `v` after all that it reads, by a walk with a stack of its own. */
static void emit_from(saros_fusion *f, int32_t v) {
    int32_t depth = 0;
    f->stack[depth++] = v;
    while (depth > 0) {
        int32_t at = f->stack[depth - 1], before = depth;
        if (f->done[at]) {
            depth--;
            continue;
        }
        for (int32_t n = at; n >= 0 && depth == before; n = f->next[n]) {
            const saros_graph_record *r = saros_graph_at(f->from, n);
            for (int32_t k = 0; k <= r->operands; ++k) {
                int32_t m = k < r->operands ? f->from->owner[r->operand[k]] : f->after[n];
                if (m < 0 || f->vertex[m] == at || f->done[f->vertex[m]]) continue;
                f->stack[depth++] = f->vertex[m];
                break;
            }
        }
        if (depth > before) continue;
        if (f->size[at] > 0)
            emit_group(f, at);
        else
            emit_alone(f, at);
        f->done[at] = true;
        depth--;
    }
}

static saros_status open_fusion(saros_fusion *f, const saros_body *body) {
    const saros_graph *g = body->graph;
    size_t records = (size_t)g->records + 1, values = (size_t)g->values + 1;
    size_t operands = (size_t)saros_rewrite_operands(g) + SAROS_KERNEL_LOADS;
    *f = (saros_fusion){.body = body, .from = g};
    f->memory =
        saros_allocate_zero(1, (operands + SAROS_KERNEL_STORES + 1) * sizeof(saros_value) +
                                   (14 * records + 3 * values) * sizeof(int32_t) +
                                   records * sizeof(saros_fusion_entry) + 4 * records + 3 * values);
    if (saros_graph_make(&f->to) != SAROS_OK || !f->memory) return SAROS_ERR_MEMORY;
    f->in = f->memory;
    f->out = f->in + operands;
    f->vertex = (int32_t *)(f->out + SAROS_KERNEL_STORES + 1);
    f->next = f->vertex + records;
    f->tail = f->next + records;
    f->size = f->tail + records;
    f->loads = f->size + records;
    f->axes = f->loads + records;
    f->after = f->axes + records;
    f->stamp = f->after + records;
    f->reader = f->stamp + records;
    f->group = f->reader + records;
    f->repeat = f->group + records;
    f->member = f->repeat + records;
    f->stack = f->member + records; /* a walk holds each vertex at most once */
    f->number = f->stack + records; /* per record while grouping, per value afterwards */
    f->loader = f->number + records + values;
    f->map = f->loader + values;
    f->entry = (saros_fusion_entry *)(f->map + values);
    f->room = g->records;
    memset(f->repeat, -1, records * sizeof *f->repeat);
    f->live = (bool *)(f->entry + records);
    f->done = f->live + records;
    f->parted = f->done + records;
    f->read_whole = f->parted + records;
    f->outside = f->read_whole + records;
    f->carried = f->outside + values;
    f->stored = f->carried + values;
    return SAROS_OK;
}

saros_status saros_kernel_fuse(const saros_body *body, int carries, bool often, saros_body **out) {
    saros_body *expanded = NULL;
    saros_fusion f = {0};
    saros_status status = SAROS_OK;
    SAROS_TRY(saros_rewrite(body, carries > 0 ? saros_kernel_expand_looped : saros_kernel_expand,
                            &expanded));
    SAROS_TRY(open_fusion(&f, expanded));
    f.carries = carries;
    f.few = carries > 0 ? SAROS_KERNEL_FEW_LOOPED : SAROS_KERNEL_FEW;
    f.often = often;
    SAROS_TRY(saros_rewrite_mark(expanded, f.live));
    saros_fuse_group(&f);
    SAROS_TRY(saros_fuse_sink(&f));
    SAROS_TRY(saros_fuse_repeat(&f));
    mark_outside(&f);
    saros_fuse_mark_parted(&f);
    for (int32_t k = 0; k < f.from->values; ++k) f.number[k] = f.map[k] = -1;
    saros_rewrite_declare(expanded, f.to, f.map);
    for (int32_t n = 0; n < f.from->records; ++n)
        if (f.live[n] && !f.done[f.vertex[n]]) emit_from(&f, f.vertex[n]);
    status = saros_rewrite_close(expanded, f.to, f.map, out);
    f.to = NULL;
done:
    saros_graph_release(f.to);
    saros_release(f.memory);
    saros_body_release(expanded);
    return status;
}
