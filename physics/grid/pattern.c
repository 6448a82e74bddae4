/** Sparsity of the Jacobian: where each row reads each unknown, by a lowering that builds nothing.
 *
 *  The lowering gives boxes of half-widths per unknown (a cross of an operator without mixed
 * derivatives stays a cross). Positions outside a bounded axis are ghosts, which read the nodes of
 * their closure (extend.h: `order` nodes from the end with a slope, at least 3 without). The
 * pattern is a superset: a coefficient may be zero, none is missed. */
#include <stdlib.h>

#include "assemble_impl.h"
#include "lower_impl.h"
#include "saros/memory.h"

enum { MOST = 64 }; /* own points read along one axis */

/** Sorted own indices along one axis. */
typedef struct span {
    int count;
    int64_t index[MOST];
} span;

typedef struct pattern {
    const saros_grid_plan *plan;
    saros_reach *reach; /* of row k: first[k] … first[k + 1] */
    int *first;
    int64_t *offset; /* of each unknown in a concatenated state */
    int64_t *row_start, *column;
    int64_t room;
    saros_status status;
} pattern;

static int64_t own_extent(const saros_grid_plan *plan, int j, int axis) {
    return saros_place_extent(plan, &plan->own[j], axis);
}

static void add_index(span *s, int64_t index) {
    for (int k = 0; k < s->count; ++k)
        if (s->index[k] == index) return;
    if (s->count < MOST) s->index[s->count++] = index;
}

/** Own points of unknown j that node `position` of an axis stands for. */
static void add_position(const saros_grid_plan *plan, int j, int axis, int64_t position, span *s) {
    int64_t n = plan->nodes[axis], skipped = -plan->own[j].lo[axis] / 2;
    if (plan->periodic[axis]) {
        add_index(s, (position % n + n) % n);
        return;
    }
    int64_t from = position, to = position;
    if (position < 0 || position >= n) {
        const saros_grid_side *side = saros_grid_side_at(plan, axis, position >= n, j);
        bool slope = side->kind == SAROS_SIDE_CONDITION && !side->given;
        int64_t closure = slope || plan->order > 2 ? plan->order : 3;
        from = position < 0 ? 0 : n - closure;
        to = from + closure - 1;
    }
    for (int64_t k = from; k <= to; ++k) {
        int64_t own = k - skipped;
        if (own >= 0 && own < own_extent(plan, j, axis)) add_index(s, own);
    }
}

static int64_t state_index(const pattern *p, int j, const int64_t *at) {
    int64_t flat = 0;
    for (int a = p->plan->axes - 1; a >= 0; --a) flat = flat * own_extent(p->plan, j, a) + at[a];
    return p->plan->interleaved ? flat * p->plan->unknowns + j : p->offset[j] + flat;
}

static void add_column(pattern *p, int64_t at, int64_t column) {
    if (at == p->room) {
        int64_t room = p->room ? 2 * p->room : 1024;
        int64_t *larger = saros_reallocate(p->column, (size_t)room * sizeof *larger);
        if (!larger) {
            p->status = SAROS_ERR_MEMORY;
            return;
        }
        p->column = larger;
        p->room = room;
    }
    p->column[at] = column;
}

static int ascending(const void *a, const void *b) {
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return (x > y) - (x < y);
}

/** Columns of one box around node `node`. */
static int64_t add_box(pattern *p, const saros_reach *r, const int64_t *node, int64_t end) {
    const saros_grid_plan *plan = p->plan;
    span s[3];
    for (int a = 0; a < 3; ++a) {
        s[a] = (span){.count = a >= plan->axes};
        for (int64_t d = -r->half[a] / 2; a < plan->axes && d <= r->half[a] / 2; ++d)
            add_position(plan, r->unknown, a, node[a] + d, &s[a]);
    }
    for (int z = 0; z < s[2].count; ++z)
        for (int y = 0; y < s[1].count; ++y)
            for (int x = 0; x < s[0].count && p->status == SAROS_OK; ++x) {
                int64_t at[3] = {s[0].index[x], s[1].index[y], s[2].index[z]};
                add_column(p, end++, state_index(p, r->unknown, at));
            }
    return end;
}

static void add_row(pattern *p, int k, const int64_t *own, int64_t *rows) {
    int64_t node[3] = {0}, begin = p->row_start[*rows], end = begin;
    for (int a = 0; a < p->plan->axes; ++a) node[a] = own[a] - p->plan->own[k].lo[a] / 2;
    add_column(p, end++, *rows); /* direct solvers and implicit steps want the diagonal */
    for (int i = p->first[k]; i < p->first[k + 1]; ++i) end = add_box(p, &p->reach[i], node, end);
    if (p->status != SAROS_OK) return;
    if (end > begin) qsort(p->column + begin, (size_t)(end - begin), sizeof(int64_t), ascending);
    int64_t kept = begin;
    for (int64_t i = begin; i < end; ++i)
        if (i == begin || p->column[i] != p->column[kept - 1]) p->column[kept++] = p->column[i];
    p->row_start[++*rows] = kept;
}

/** All rows of residual k, or with `interleaved` of all residuals at each point. */
static void add_rows(pattern *p, int k, int64_t *rows) {
    const saros_grid_plan *plan = p->plan;
    int64_t extent[3] = {1, 1, 1}, own[3];
    for (int a = 0; a < plan->axes; ++a) extent[a] = own_extent(plan, k, a);
    for (own[2] = 0; own[2] < extent[2]; ++own[2])
        for (own[1] = 0; own[1] < extent[1]; ++own[1])
            for (own[0] = 0; own[0] < extent[0]; ++own[0]) {
                if (!plan->interleaved) add_row(p, k, own, rows);
                for (int i = 0; plan->interleaved && i < plan->unknowns; ++i)
                    add_row(p, i, own, rows);
            }
}

/** Boxes of every residual. */
static saros_status find_reach(pattern *p) {
    const saros_grid_plan *plan = p->plan;
    const saros_inspection *found = &plan->problem->inspection;
    const saros_body *body = found->rate ? found->rate : plan->problem->equation;
    saros_place here = saros_place_nodes();
    for (int k = 0; k < plan->unknowns; ++k) {
        saros_lowering l = {.plan = plan};
        saros_lower(&l, body, k, &here);
        if (found->rate) saros_lower(&l, body, plan->unknowns + k, &here);
        size_t n = (size_t)(p->first[k] + l.reaches);
        saros_reach *larger = saros_reallocate(p->reach, (n ? n : 1) * sizeof *larger);
        if (larger) p->reach = larger;
        for (int i = 0; larger && i < l.reaches; ++i) larger[p->first[k] + i] = l.reach[i];
        p->first[k + 1] = (int)n;
        saros_status status = larger ? l.status : SAROS_ERR_MEMORY;
        saros_lowering_end(&l);
        if (status != SAROS_OK) return status;
    }
    return SAROS_OK;
}

saros_status saros_grid_sparsity(const saros_grid_plan *plan, saros_sparsity **out) {
    saros_status status = SAROS_OK;
    pattern p = {.plan = plan};
    size_t unknowns = (size_t)plan->unknowns;
    p.first = saros_allocate_zero(unknowns + 1, sizeof *p.first);
    p.offset = saros_allocate_zero(unknowns + 1, sizeof *p.offset);
    p.row_start = saros_allocate_zero((size_t)plan->size + 1, sizeof *p.row_start);
    if (!p.first || !p.offset || !p.row_start) {
        status = SAROS_ERR_MEMORY;
        goto done;
    }
    for (int j = 0; j < plan->unknowns; ++j)
        p.offset[j + 1] = p.offset[j] + saros_place_count(plan, &plan->own[j]);
    SAROS_TRY(find_reach(&p));
    int64_t rows = 0;
    for (int k = 0; k < (plan->interleaved ? 1 : plan->unknowns); ++k) add_rows(&p, k, &rows);
    SAROS_TRY(p.status);
    SAROS_TRY(saros_sparsity_make(plan->size, p.row_start, p.column, out));
done:
    saros_release(p.reach);
    saros_release(p.first);
    saros_release(p.offset);
    saros_release(p.row_start);
    saros_release(p.column);
    return status;
}
