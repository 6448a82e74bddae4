/** Pattern of a Jacobian from the graph: each element carries the set of elements of x that it may
 * depend on, node by node (index-set propagation; Hill and Dalle 2025, arXiv:2501.17737).
 *
 *      pointwise                        union of the operands' sets, element by element
 *      rows that move and add elements  union over the sources of each (moves.c)
 *      any other                        every element of the result has the union of all sets
 *
 *  The pattern holds for every input: it is a superset, a derivative may vanish but none is missed.
 *  Dots, transforms, linear algebra and regions are such others, and so is a gather whose index is
 *  no constant. */
#include <stdlib.h>
#include <string.h>

#include "moves_impl.h"
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
    int32_t ids;  /* from x to y */
    bool *needed; /* of these */
    sets made;    /* the value under construction: elements below `count` are complete */
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

/** Union over the sources of each element. */
static saros_status gathered(detection *d, const saros_node *node, const saros_moves *moves) {
    saros_status status = begin(d, moves->count);
    for (int64_t e = 0; e < moves->count && status == SAROS_OK; ++e) {
        for (int64_t s = moves->start[e]; s < moves->start[e + 1] && status == SAROS_OK; ++s) {
            int64_t from = moves->source[s];
            int k = 0;
            while (from >= elements(d, node->operand[k])) from -= elements(d, node->operand[k++]);
            status = add(d, sets_of(d, node->operand[k]), from);
        }
        next(d);
    }
    return status;
}

static saros_status other(detection *d, const saros_node *node, int32_t output) {
    saros_moves moves;
    bool found;
    saros_status status = saros_moves_find(d->graph, node, &moves, &found);
    if (status == SAROS_OK)
        status = found ? gathered(d, node, &moves) : everything(d, node, output);
    saros_moves_clear(&moves);
    return status;
}

/* ---- the pass ---- */

/** Which nodes y needs: what else the graph holds is not looked at. */
static void mark_needed(detection *d, saros_value y) {
    d->needed[y.id - d->first] = true;
    for (int32_t id = y.id; id > d->first; --id) {
        if (!d->needed[id - d->first]) continue;
        saros_node node = saros_graph_node(d->graph, id, NULL);
        for (int k = 0; k < node.operands; ++k)
            if (node.operand[k] > d->first) d->needed[node.operand[k] - d->first] = true;
    }
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
        if (out.id - d->first >= d->ids || !d->needed[out.id - d->first]) continue;
        if (node->row->flags & SAROS_POINTWISE)
            status = pointwise(d, node);
        else
            status = other(d, node, out.id);
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
    d.ids = ids;
    d.needed = saros_allocate_zero((size_t)ids + 1, sizeof *d.needed);
    d.seen = saros_allocate_zero((size_t)d.n + 1, sizeof *d.seen);
    /* a node's further outputs may lie beyond y */
    d.of = saros_allocate_zero((size_t)ids + SAROS_MAX_OUTPUTS, sizeof *d.of);
    if (!d.seen || !d.of || !d.needed) SAROS_TRY(SAROS_ERR_MEMORY);
    if (ids) mark_needed(&d, y);
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
    saros_release(d.needed);
    saros_release(d.seen);
    return status;
}
