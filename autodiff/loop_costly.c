/** What a reverse sweep keeps besides states: results that are dear to make again.
 *
 *  A transposed step computes its step anew. Where that takes an iteration to convergence, as a
 * root does, the sweep would cost as much as the run before it even turns round (rows flagged
 * SAROS_COSTLY). Where a step works on few numbers, what it costs is calls, and the elementary
 * functions, sums and products of matrices in it cost more than to store and to load what they
 * give. So such results that hang on no cotangent, and not on captures alone, are taken out of the
 * transposed step: the loop that keeps states stacks them too, and the step gets them as inputs.
 * What is a few additions and products away from them is computed from them. Steps that join arrays
 * keep no small results: transposed stencils are made of what stands around them, and would round
 * otherwise with few states than with all.
 *
 *  Only for sweeps that keep all states; where states are computed again, so are these. */
#include "loop_impl.h"

#include "saros/memory.h"

enum {
    HANGS = 1,
    NEEDED = 2,
    VARIES = 4
};                     /* on a cotangent; by what is computed from it; from
                           iteration to iteration */
enum { SMALL = 1024 }; /* bytes up to which a call costs more than to move them */

/** Marks what hangs on inputs of the body from `known` on, and what varies: it hangs on one of the
 * first `captures`. */
static void mark_hanging(const saros_body *step, int captures, int known, uint8_t *mark) {
    const saros_graph *graph = saros_body_graph(step);
    for (int k = 0; k < captures; ++k) mark[saros_body_input(step, k).id] |= VARIES;
    for (int k = known; k < saros_body_inputs(step); ++k)
        mark[saros_body_input(step, k).id] |= HANGS;
    for (int32_t id = 0; id < saros_graph_count(graph); ++id) {
        saros_node node = saros_graph_node(graph, id, NULL);
        for (int k = 0; k < node.operands; ++k)
            mark[id] |= mark[node.operand[k]] & (HANGS | VARIES);
    }
}

/** Whether values that vary are joined or padded on the way. */
static bool has_windows(const saros_graph *graph, const uint8_t *mark) {
    for (int32_t id = 0; id < saros_graph_count(graph); ++id) {
        const saros_primitive *row = saros_graph_node(graph, id, NULL).row;
        if ((mark[id] & (HANGS | VARIES)) == VARIES &&
            (row == &saros_row_concat || row == &saros_row_pad))
            return true;
    }
    return false;
}

/** Additions, products, selections: made again where they are read. */
static bool is_cheap(const saros_primitive *row) {
    static const saros_primitive *const cheap[] = {
        &saros_row_add, &saros_row_sub,   &saros_row_mul,     &saros_row_neg,    &saros_row_fma,
        &saros_row_abs, &saros_row_where, &saros_row_maximum, &saros_row_minimum};
    for (size_t k = 0; k < sizeof cheap / sizeof *cheap; ++k)
        if (row == cheap[k]) return true;
    return false;
}

static bool is_costly(const saros_graph *graph, int32_t id, uint8_t mark, bool small) {
    const saros_value v = {(saros_graph *)(uintptr_t)graph, id};
    const saros_primitive *row = saros_graph_node(graph, id, NULL).row;
    if (mark & HANGS || !saros_dtype_is_float(saros_value_dtype(v))) return false;
    if (row->flags & SAROS_COSTLY) return true;
    return small && mark & VARIES && row != &saros_row_input && !row->view && !is_cheap(row) &&
           ad_bytes_of(v) <= SMALL;
}

/** The costly results that the step needs, in the order of their ids; returns their number. */
static int find_costly(const saros_body *step, uint8_t *mark, saros_value *found) {
    saros_graph *graph = saros_body_graph(step);
    const bool small = !has_windows(graph, mark);
    int count = 0;
    for (int m = 0; m < saros_body_outputs(step); ++m)
        mark[saros_body_output(step, m).id] |= NEEDED;
    for (int32_t id = saros_graph_count(graph); id-- > 0;) {
        if (!(mark[id] & NEEDED)) continue;
        if (is_costly(graph, id, mark[id], small)) {
            found[count++] = (saros_value){graph, id};
            continue;
        }
        saros_node node = saros_graph_node(graph, id, NULL);
        for (int k = 0; k < node.operands; ++k) mark[node.operand[k]] |= NEEDED;
    }
    return count;
}

/** `in` and `out` of the body of a step. */
static void list_ends(const saros_body *step, saros_value *in, saros_value *out) {
    for (int k = 0; k < saros_body_inputs(step); ++k) in[k] = saros_body_input(step, k);
    for (int m = 0; m < saros_body_outputs(step); ++m) out[m] = saros_body_output(step, m);
}

/* ---- small results in one array ---- */

/** Small results of `kept` lie behind one another in one array: rows that follow one another in
 * memory, not one of many streams each. */
typedef struct packing {
    saros_dtype dtype;
    int small; /* results that go there */
    int64_t total;
} packing;

static bool is_packed(const packing *p, saros_value v) {
    const saros_type *type = saros_value_type(v);
    return type->dtype == p->dtype && !type->split && ad_bytes_of(v) <= SMALL;
}

static packing find_packing(const saros_body *kept) {
    packing p = {.dtype = SAROS_F64};
    for (int k = 0; k < saros_body_outputs(kept); ++k) {
        const saros_value v = saros_body_output(kept, k);
        if (!is_packed(&p, v)) continue;
        ++p.small;
        p.total += saros_type_count(saros_value_type(v));
    }
    return p;
}

static void declare(saros_graph *graph, const saros_body *body, int count, saros_value *in) {
    for (int k = 0; k < count; ++k) {
        const saros_type type = ad_body_type(body, k);
        in[k] = saros_input(graph, &type, NULL);
    }
}

/** `kept` with one array before the results that are not in it. */
static saros_status pack_results(const packing *p, saros_body **kept) {
    const int ins = saros_body_inputs(*kept), outs = saros_body_outputs(*kept);
    saros_value *in = ad_values(ins + 2 * outs + 1), *out = in ? in + ins : NULL;
    saros_value *result = in ? out + outs : NULL;
    saros_graph *graph = NULL;
    saros_body *packed = NULL;
    int parts = 0, results = 1;
    saros_status status = in ? saros_graph_make(&graph) : SAROS_ERR_MEMORY;
    if (status != SAROS_OK) goto done;
    declare(graph, *kept, ins, in);
    saros_inline(graph, *kept, in, out);
    for (int k = 0; k < outs; ++k) {
        const int64_t count = saros_type_count(saros_value_type(saros_body_output(*kept, k)));
        if (is_packed(p, saros_body_output(*kept, k)))
            out[parts++] = saros_reshape(out[k], 1, &count);
        else
            result[results++] = out[k];
    }
    result[0] = saros_concat(parts, out, 0);
    status = saros_body_close(graph, results, result, &packed, NULL);
    if (status != SAROS_OK) goto done;
    saros_body_release(*kept);
    *kept = packed;
done:
    saros_release(in);
    return status;
}

/** `step` with that array in the place of the inputs that lie in it; `kept` as it was. */
static saros_status unpack_inputs(const packing *p, const saros_body *kept, saros_body **step) {
    const int more = saros_body_outputs(kept), ins = saros_body_inputs(*step),
              outs = saros_body_outputs(*step), own = ins - more;
    saros_value *in = ad_values(ins + outs), *out = in ? in + ins : NULL;
    saros_graph *graph = NULL;
    saros_body *unpacked = NULL;
    int64_t first = 0;
    saros_status status = in ? saros_graph_make(&graph) : SAROS_ERR_MEMORY;
    if (status != SAROS_OK) goto done;
    declare(graph, *step, own, in);
    const saros_type all = saros_type_make(p->dtype, 1, &p->total);
    const saros_value row = saros_input(graph, &all, NULL);
    for (int k = own; k < ins; ++k) {
        const saros_type type = ad_body_type(*step, k);
        const int64_t last = first + saros_type_count(&type);
        if (!is_packed(p, saros_body_output(kept, k - own))) {
            in[k] = saros_input(graph, &type, NULL);
            continue;
        }
        in[k] = saros_reshape(saros_slice(row, 0, first, last, 1), type.rank, type.shape);
        first = last;
    }
    saros_inline(graph, *step, in, out);
    status = saros_body_close(graph, outs, out, &unpacked, NULL);
    if (status != SAROS_OK) goto done;
    saros_body_release(*step);
    *step = unpacked;
done:
    saros_release(in);
    return status;
}

saros_status ad_split_costly(int captures, int known, saros_body **step, saros_body **kept) {
    saros_graph *graph = saros_body_graph(*step);
    const int ins = saros_body_inputs(*step), outs = saros_body_outputs(*step);
    const int32_t values = saros_graph_count(graph);
    saros_body *rest = NULL, *taken = NULL;
    saros_status status = SAROS_OK;
    uint8_t *mark = saros_allocate_zero((size_t)values, 1);
    saros_value *in = ad_values(ins + outs + values);
    if (!mark || !in) SAROS_TRY(SAROS_ERR_MEMORY);
    saros_value *found = in + ins, *out = found + values; /* inputs and what is found in a row */
    list_ends(*step, in, out);
    mark_hanging(*step, captures, known, mark);
    int count = saros_body_captures(*step) ? 0 : find_costly(*step, mark, found);
    if (!count) goto done;
    SAROS_TRY(saros_body_extract(graph, known, in, count, found, &taken, NULL));
    SAROS_TRY(saros_body_extract(graph, ins + count, in, outs, out, &rest, NULL));
    const packing p = find_packing(taken);
    if (p.small > 1) {
        SAROS_TRY(unpack_inputs(&p, taken, &rest));
        SAROS_TRY(pack_results(&p, &taken));
    }
    saros_body_release(*step);
    *step = rest;
    *kept = taken;
    rest = taken = NULL;
done:
    saros_body_release(rest);
    saros_body_release(taken);
    saros_release(mark);
    saros_release(in);
    return status;
}
