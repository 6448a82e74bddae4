/** Colourings of grids: linear forms of the position, modulo the number of colours.
 *
 *      colour(j) = (x + b y + c z) mod p,   j = x + s y + t z,  0 <= x < s,  0 <= s y < t
 *
 *  With p = 5, b = 2 the five points of a star differ, with p = 7, b = 2, c = 3 the seven in three
 * axes, with b = 3, p = 9 the nine of a box: the numbers of a grid's own colouring (PETSc's DMDA).
 * Strides s and t, b and c are tried from the offsets of a longest row; what is found counts only
 * if no row of the pattern meets a colour twice. Periodic grids whose extents p does not divide,
 * and rows that reach further at sides, have no such form: greedy colouring remains. */
#include <string.h>

#include "saros/memory.h"
#include "sparse_impl.h"

enum { MOST_OFFSETS = 32 };

typedef struct lattice {
    int64_t stride[2]; /* s and t; 0: none */
    int64_t weight[2]; /* b and c */
    int64_t colours;
} lattice;

static int64_t modulo(int64_t a, int64_t p) {
    return (a % p + p) % p;
}

/* The form at a position, or at a difference of positions that is small against the strides. */
static int64_t form(const lattice *l, int64_t j, bool difference) {
    int64_t value = 0;
    for (int k = 1; k >= 0; --k) {
        int64_t s = l->stride[k];
        if (!s) continue;
        int64_t shifted = difference ? j + s / 2 : j, q = (shifted - modulo(shifted, s)) / s;
        value += l->weight[k] * q;
        j -= q * s;
    }
    return modulo(value + j, l->colours);
}

static bool tells_apart(const lattice *l, int count, const int64_t *offset) {
    uint64_t seen = 0;
    for (int k = 0; k < count; ++k) {
        uint64_t bit = UINT64_C(1) << form(l, offset[k], true);
        if (seen & bit) return false;
        seen |= bit;
    }
    return true;
}

/* Colours all columns; false if a row meets a colour twice. */
static bool colour_all(const lattice *l, const saros_sparsity *p, int *of_column) {
    for (int64_t j = 0; j < p->n; ++j) of_column[j] = (int)form(l, j, false);
    for (int64_t i = 0; i < p->n; ++i) {
        uint64_t seen = 0;
        for (int64_t k = p->row[i]; k < p->row[i + 1]; ++k) {
            uint64_t bit = UINT64_C(1) << of_column[p->column[k]];
            if (seen & bit) return false;
            seen |= bit;
        }
    }
    return true;
}

/* Weights for the strides of `l`. */
static bool find_weights(lattice *l, int count, const int64_t *offset) {
    int64_t p = l->colours, most = l->stride[1] ? p : 2;
    for (l->weight[0] = 1; l->weight[0] < p; ++l->weight[0])
        for (l->weight[1] = 1; l->weight[1] < most; ++l->weight[1])
            if (tells_apart(l, count, offset)) return true;
    return false;
}

/* The next pair of strides among the offsets; {0, 0} comes first. */
static bool try_strides(lattice *l, int count, const int64_t *offset, const saros_sparsity *p,
                        int *of_column) {
    for (int a = -1; a < count; ++a)
        for (int b = -1; b < count; ++b) {
            l->stride[0] = a < 0 ? 0 : offset[a];
            l->stride[1] = b < 0 ? 0 : offset[b];
            bool none = a < 0 && b >= 0, small = a >= 0 && l->stride[0] < 2;
            bool nested = b < 0 || (a >= 0 && l->stride[0] >= 2 && l->stride[1] > l->stride[0] &&
                                    l->stride[1] % l->stride[0] == 0);
            if (none || small || !nested || !find_weights(l, count, offset)) continue;
            if (colour_all(l, p, of_column)) return true;
        }
    return false;
}

saros_status saros_colouring_lattice(const saros_sparsity *p, int below, int *of_column,
                                     int *colours) {
    int64_t offset[MOST_OFFSETS], longest = 0;
    for (int64_t i = 0; i < p->n; ++i)
        if (p->row[i + 1] - p->row[i] > p->row[longest + 1] - p->row[longest]) longest = i;
    int64_t count = p->n ? p->row[longest + 1] - p->row[longest] : 0;
    if (count < 2 || count > MOST_OFFSETS || below > 64) return SAROS_OK;
    for (int64_t k = 0; k < count; ++k) offset[k] = p->column[p->row[longest] + k] - longest;
    int *found = saros_allocate((size_t)p->n * sizeof *found);
    if (!found) return SAROS_ERR_MEMORY;
    for (lattice l = {.colours = count}; l.colours < below; ++l.colours)
        if (try_strides(&l, (int)count, offset, p, found)) {
            memcpy(of_column, found, (size_t)p->n * sizeof *found);
            *colours = (int)l.colours;
            break;
        }
    saros_release(found);
    return SAROS_OK;
}
