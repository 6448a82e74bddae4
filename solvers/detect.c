/** Pattern of a Jacobian from the graph: each element carries the set of elements of x that it may
 * depend on, node by node (index-set propagation; Hill and Dalle 2025, arXiv:2501.17737).
 *
 *      rows that only move elements   run on tensors of element numbers: whatever the row does to
 *                                     these it does to the sets (slices, pads, shifts, gathers, …)
 *      pointwise                      union of the operands' sets, element by element
 *      sum, max, min                  union over the reduced axes
 *      any other                      every element of the result has the union of all sets
 *
 *  The pattern holds for every input: it is a superset, a derivative may vanish but none is missed.
 *  Dots, transforms, linear algebra and regions are such others, and so is a gather whose index is
 *  no constant. */
#include <stdlib.h>
#include <string.h>

#include "saros/autodiff.h"
#include "saros/memory.h"
#include "saros/sparse.h"

/** Set of element e: column[start[e]] … column[start[e + 1] - 1]. Without `start`: all empty. */
typedef struct sets {
    int64_t count, *start, *column;
} sets;

typedef struct detection {
    saros_graph *graph;
    int32_t first; /* id of x */
    sets *of;      /* per id from x on */
    int64_t n;     /* elements of x */
    int64_t *seen; /* per element of x: the last union that has it */
    int64_t unions;
    sets made; /* the value under construction: elements below `count` are complete */
    int64_t end, room;
} detection;

static void sets_free(sets *s) {
    saros_release(s->start);
    saros_release(s->column);
    *s = (sets){0};
}

static const sets *sets_of(const detection *d, int32_t id) {
    static const sets empty = {0};
    return id < d->first ? &empty : &d->of[id - d->first];
}

/* ---- unions ---- */

static saros_status begin(detection *d, int64_t elements) {
    d->end = 0;
    d->room = elements + 16;
    d->made = (sets){.start = saros_allocate((size_t)(elements + 1) * sizeof(int64_t)),
                     .column = saros_allocate((size_t)d->room * sizeof(int64_t))};
    if (!d->made.start || !d->made.column) return SAROS_ERR_MEMORY;
    d->made.start[0] = 0;
    ++d->unions;
    return SAROS_OK;
}

/** Adds set e of `s` to that of the next element. */
static saros_status add(detection *d, const sets *s, int64_t e) {
    if (!s->start) return SAROS_OK;
    for (int64_t k = s->start[e]; k < s->start[e + 1]; ++k) {
        int64_t column = s->column[k];
        if (d->seen[column] == d->unions) continue;
        d->seen[column] = d->unions;
        if (d->end == d->room) {
            int64_t *larger =
                saros_reallocate(d->made.column, 2 * (size_t)d->room * sizeof *larger);
            if (!larger) return SAROS_ERR_MEMORY;
            d->made.column = larger;
            d->room *= 2;
        }
        d->made.column[d->end++] = column;
    }
    return SAROS_OK;
}

static void next(detection *d) {
    d->made.start[++d->made.count] = d->end;
    ++d->unions;
}

static int64_t elements(const detection *d, int32_t id) {
    return saros_type_count(saros_value_type((saros_value){d->graph, id}));
}

/* ---- kinds of rows ---- */

static saros_status pointwise(detection *d, const saros_node *node) {
    int64_t count = elements(d, node->output);
    saros_status status = begin(d, count);
    for (int64_t e = 0; e < count && status == SAROS_OK; ++e) {
        for (int k = 0; k < node->operands && status == SAROS_OK; ++k)
            status = add(d, sets_of(d, node->operand[k]), e);
        next(d);
    }
    return status;
}

/** Every element has all. */
static saros_status everything(detection *d, const saros_node *node, int32_t output) {
    int64_t count = elements(d, output), all;
    saros_status status = begin(d, count);
    for (int k = 0; k < node->operands && status == SAROS_OK; ++k) {
        const sets *s = sets_of(d, node->operand[k]);
        for (int64_t e = 0; e < s->count && status == SAROS_OK; ++e) status = add(d, s, e);
    }
    if (status != SAROS_OK) return status;
    all = d->end;
    int64_t *column = saros_allocate((size_t)(count * all + 1) * sizeof *column);
    if (!column) return SAROS_ERR_MEMORY;
    for (int64_t e = 0; e < count; ++e) {
        memcpy(column + e * all, d->made.column, (size_t)all * sizeof *column);
        d->end = (e + 1) * all;
        next(d);
    }
    saros_release(d->made.column);
    d->made.column = column;
    return SAROS_OK;
}

/** Element of the result that element `flat` of `in` goes into. */
static int64_t reduced(const saros_type *in, uint32_t axes, int64_t flat) {
    int64_t to = 0, extent = 1;
    for (int a = in->rank - 1; a >= 0; --a) {
        int64_t at = flat % in->shape[a];
        flat /= in->shape[a];
        if (axes >> a & 1) continue;
        to += at * extent;
        extent *= in->shape[a];
    }
    return to;
}

static saros_status reduction(detection *d, const saros_node *node) {
    const saros_type in = *saros_value_type((saros_value){d->graph, node->operand[0]});
    const sets *s = sets_of(d, node->operand[0]);
    int64_t count = elements(d, node->output), from = saros_type_count(&in);
    saros_status status = begin(d, count);
    /* list of the elements that go into each: last[to] is one of them, before[e] the one before */
    int64_t *last = saros_allocate((size_t)(count + from + 1) * sizeof *last);
    if (!last) return SAROS_ERR_MEMORY;
    int64_t *before = last + count;
    for (int64_t e = 0; e < count; ++e) last[e] = -1;
    for (int64_t e = 0; e < from; ++e) {
        int64_t to = reduced(&in, (uint32_t)node->attributes.word[0], e);
        before[e] = last[to];
        last[to] = e;
    }
    for (int64_t to = 0; to < count && status == SAROS_OK; ++to) {
        for (int64_t e = last[to]; e >= 0 && status == SAROS_OK; e = before[e])
            status = add(d, s, e);
        next(d);
    }
    saros_release(last);
    return status;
}

/* ---- rows that move elements ---- */

/** The index of a gather: the constant's tensor, or NULL. */
static saros_status index_tensor(const detection *d, int32_t id, saros_tensor **out) {
    saros_node node = saros_graph_node(d->graph, id, NULL);
    saros_type type = *saros_value_type((saros_value){d->graph, id});
    double value;
    *out = NULL;
    if (node.row != &saros_row_constant) return SAROS_OK;
    if (node.attributes.tensor) {
        *out = saros_tensor_retain(node.attributes.tensor);
        return SAROS_OK;
    }
    if (!saros_value_is_splat((saros_value){d->graph, id}, &value)) return SAROS_OK;
    saros_tensor *wide = NULL;
    saros_status status = saros_tensor_make(SAROS_F64, type.rank, type.shape, &wide);
    for (int64_t k = 0; status == SAROS_OK && k < saros_type_count(&type); ++k)
        ((double *)saros_tensor_data(wide))[k] = value;
    if (status == SAROS_OK) status = saros_tensor_cast(wide, type.dtype, out);
    saros_tensor_release(wide);
    return status;
}

/** Labels of elements start here, far above the numbers that rows fill in. */
static const double first_label = 0x1p40;

/** Labels of elements `from`, `from`+1, … in the shape of a value. */
static saros_status numbers(const saros_type *type, int64_t from, saros_tensor **out) {
    saros_status status = saros_tensor_make(SAROS_F64, type->rank, type->shape, out);
    for (int64_t k = 0; status == SAROS_OK && k < saros_type_count(type); ++k)
        ((double *)saros_tensor_data(*out))[k] = first_label + (double)(from + k);
    return status;
}

/** Element e of the result is element label - 1 of the operands one after the other; a label that
 * is none of these is what the row fills in. */
static saros_status follow(detection *d, const saros_node *node, saros_tensor *label) {
    int64_t count = elements(d, node->output);
    const double *at = saros_tensor_const_data(label);
    saros_status status = begin(d, count);
    for (int64_t e = 0; e < count && status == SAROS_OK; ++e) {
        int64_t from = at[e] >= first_label ? (int64_t)(at[e] - first_label) : -1;
        for (int k = 0; from >= 0 && k < node->operands && status == SAROS_OK; ++k) {
            int64_t size = elements(d, node->operand[k]);
            if (from < size) status = add(d, sets_of(d, node->operand[k]), from);
            from -= size;
        }
        next(d);
    }
    return status;
}

static saros_status moved(detection *d, const saros_node *node) {
    saros_status status = SAROS_OK;
    saros_tensor *label = NULL, *whole = NULL;
    saros_tensor **in = saros_allocate_zero((size_t)node->operands, sizeof *in);
    int64_t from = 0;
    bool known = true;
    if (!in) return SAROS_ERR_MEMORY;
    for (int k = 0; k < node->operands && known; ++k) {
        saros_type type = *saros_value_type((saros_value){d->graph, node->operand[k]});
        if (k == 1 && node->row == &saros_row_gather) {
            SAROS_TRY(index_tensor(d, node->operand[k], &in[k]));
            known = in[k] != NULL;
        } else {
            SAROS_TRY(numbers(&type, from, &in[k]));
        }
        from += saros_type_count(&type);
    }
    if (!known) {
        status = everything(d, node, node->output);
        goto done;
    }
    SAROS_TRY(saros_apply(node->row, &node->attributes, node->operands, in, &label));
    SAROS_TRY(saros_tensor_contiguous(label, &whole));
    status = follow(d, node, whole);
done:
    for (int k = 0; k < node->operands; ++k) saros_tensor_release(in[k]);
    saros_release(in);
    saros_tensor_release(label);
    saros_tensor_release(whole);
    return status;
}

/* ---- the pass ---- */

static bool moves(const saros_primitive *row) {
    const saros_primitive *const rows[] = {
        &saros_row_reshape, &saros_row_permute, &saros_row_broadcast,
        &saros_row_slice,   &saros_row_pad,     &saros_row_shift,
        &saros_row_reverse, &saros_row_concat,  &saros_row_gather};
    for (size_t k = 0; k < sizeof rows / sizeof *rows; ++k)
        if (row == rows[k]) return true;
    return false;
}

static saros_status visit(detection *d, const saros_node *node) {
    bool reads = false;
    for (int k = 0; k < node->operands; ++k) reads = reads || sets_of(d, node->operand[k])->start;
    if (!reads || (node->row->flags & SAROS_CONSTANT)) return SAROS_OK;
    for (int m = 0; m < node->outputs; ++m) {
        saros_value out = {d->graph, node->output + m};
        saros_status status;
        if (!saros_dtype_is_float(saros_value_dtype(out)) && saros_value_dtype(out) != SAROS_OPAQUE)
            continue;
        if (node->row->flags & SAROS_POINTWISE)
            status = pointwise(d, node);
        else if (moves(node->row))
            status = moved(d, node);
        else if (node->row == &saros_row_sum || node->row == &saros_row_max ||
                 node->row == &saros_row_min)
            status = reduction(d, node);
        else
            status = everything(d, node, out.id);
        d->of[out.id - d->first] = d->made; /* also on failure: released with the others */
        d->made = (sets){0};
        if (status != SAROS_OK) return status;
    }
    return SAROS_OK;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

static saros_status finish(detection *d, sets *s, saros_sparsity **out) {
    saros_status status = SAROS_OK;
    if (!s->start) {
        s->start = saros_allocate_zero((size_t)d->n + 1, sizeof *s->start);
        s->column = saros_allocate_zero(1, sizeof *s->column);
        if (!s->start || !s->column) return SAROS_ERR_MEMORY;
    }
    for (int64_t e = 0; e < d->n; ++e)
        qsort(s->column + s->start[e], (size_t)(s->start[e + 1] - s->start[e]), sizeof *s->column,
              ascending);
    status = saros_sparsity_make(d->n, s->start, s->column, out);
    return status;
}

static saros_status check(saros_value y, saros_value x) {
    const saros_value both[2] = {y, x};
    for (int k = 0; k < 2; ++k)
        if (saros_is_poisoned(both[k])) return saros_graph_status(both[k].graph);
    int64_t rows = saros_type_count(saros_value_type(y));
    int64_t columns = saros_type_count(saros_value_type(x));
    if (x.graph == y.graph && rows == columns && saros_dtype_is_float(saros_value_dtype(x)))
        return SAROS_OK;
    return saros_fail(SAROS_ERR_SHAPE, "saros_sparsity_detect", NULL,
                      "y has %lld elements and x %lld, wanted as many, of one graph and floats",
                      (long long)rows, (long long)columns);
}

saros_status saros_sparsity_detect(saros_value y, saros_value x, saros_sparsity **out) {
    saros_status status = check(y, x);
    if (status != SAROS_OK) return status;
    detection d = {.graph = y.graph, .first = x.id, .n = saros_type_count(saros_value_type(x))};
    int32_t ids = y.id < x.id ? 0 : y.id - x.id + 1;
    d.seen = saros_allocate_zero((size_t)d.n + 1, sizeof *d.seen);
    /* a node's further outputs may lie beyond y */
    d.of = saros_allocate_zero((size_t)ids + SAROS_MAX_OUTPUTS, sizeof *d.of);
    if (!d.seen || !d.of) SAROS_TRY(SAROS_ERR_MEMORY);
    SAROS_TRY(begin(&d, d.n));
    for (int64_t e = 0; e < d.n; ++e) {
        d.made.column[d.end++] = e;
        next(&d);
    }
    d.of[0] = d.made;
    d.made = (sets){0};
    for (int32_t id = x.id + 1; id <= y.id; ++id) {
        int k;
        saros_node node = saros_graph_node(d.graph, id, &k);
        if (k == 0) SAROS_TRY(visit(&d, &node));
    }
    sets none = {0};
    status = finish(&d, ids ? &d.of[y.id - x.id] : &none, out);
    sets_free(&none);
done:
    sets_free(&d.made);
    for (int32_t k = 0; d.of && k < ids + SAROS_MAX_OUTPUTS; ++k) sets_free(&d.of[k]);
    saros_release(d.of);
    saros_release(d.seen);
    return status;
}
