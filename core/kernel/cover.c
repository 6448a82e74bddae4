/** Covers: the index space of a kernel whose loads are in parts, cut into boxes.
 *
 *  Along every axis the ends of all parts are cuts; the boxes are what lies between cuts, and so
 * each load is one operand in each of them. A five-point stencil on an array and its ghosts has
 * nine: the interior, which reads the array itself, four sides and four corners.
 */
#include <string.h>

#include "kernel/kernel_impl.h"
#include "saros/memory.h"

enum {
    MOST_CUTS = 24, /* along one axis */
    FEWEST = 1024   /* elements of a box on average: planning one takes about as long */
};

typedef struct cuts {
    int count[SAROS_MAX_RANK];
    int64_t at[SAROS_MAX_RANK][MOST_CUTS];
} cuts;

static bool add_cut(cuts *c, int axis, int64_t at) {
    int k = 0, n = c->count[axis];
    while (k < n && c->at[axis][k] < at) ++k;
    if (k < n && c->at[axis][k] == at) return true;
    if (n == MOST_CUTS) return false;
    memmove(&c->at[axis][k + 1], &c->at[axis][k], (size_t)(n - k) * sizeof c->at[axis][0]);
    c->at[axis][k] = at;
    c->count[axis]++;
    return true;
}

/** Boxes between the cuts; 0: too many cuts. */
static int64_t find_cuts(int parts, const saros_kernel_part *part, int rank, cuts *c) {
    int64_t boxes = 1;
    for (int a = 0; a < rank; ++a) {
        c->count[a] = 0;
        for (int k = 0; k < parts; ++k)
            if (!add_cut(c, a, part[k].lo[a]) || !add_cut(c, a, part[k].hi[a])) return 0;
        boxes *= c->count[a] - 1;
    }
    return boxes;
}

static bool holds(const saros_kernel_part *part, const saros_kernel_box *box, int rank) {
    for (int a = 0; a < rank; ++a)
        if (box->lo[a] < part->lo[a] || box->hi[a] > part->hi[a]) return false;
    return true;
}

static void fill_box(const saros_cover *c, const cuts *at, int rank, int64_t index,
                     saros_kernel_box *box) {
    for (int a = rank - 1; a >= 0; --a) {
        const int64_t k = index % (at->count[a] - 1);
        index /= at->count[a] - 1;
        box->lo[a] = at->at[a][k];
        box->hi[a] = at->at[a][k + 1];
    }
    for (int k = 0; k < c->parts; ++k)
        if (holds(&c->part[k], box, rank)) box->operand[c->part[k].load] = (int16_t)k;
}

static int64_t volume(const saros_kernel_box *box, int rank) {
    int64_t count = 1;
    for (int a = 0; a < rank; ++a) count *= box->hi[a] - box->lo[a];
    return count;
}

saros_status saros_cover_make(int parts, const saros_kernel_part *part, const saros_type *type,
                              saros_cover **out) {
    cuts at;
    const int64_t boxes = find_cuts(parts, part, type->rank, &at);
    *out = NULL;
    if (boxes == 0 || boxes > SAROS_KERNEL_BOXES || saros_type_count(type) / boxes < FEWEST)
        return SAROS_OK;
    const size_t part_bytes = (size_t)parts * sizeof *part;
    saros_cover *c = saros_allocate(sizeof *c + part_bytes + (size_t)boxes * sizeof *c->box);
    if (!c) return SAROS_ERR_MEMORY;
    *c = (saros_cover){.parts = parts, .boxes = (int)boxes};
    c->part = (saros_kernel_part *)(c + 1);
    c->box = (saros_kernel_box *)(c->part + parts);
    memcpy(c->part, part, part_bytes);
    for (int k = 0; k < c->boxes; ++k) {
        fill_box(c, &at, type->rank, k, &c->box[k]);
        if (volume(&c->box[k], type->rank) > volume(&c->box[c->main], type->rank)) c->main = k;
    }
    *out = c;
    return SAROS_OK;
}
