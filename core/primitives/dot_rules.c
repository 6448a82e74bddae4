/** Building of contractions and their derivatives.
 *
 *  With c[B,F,G] = sum_K a[B,F,K] b[B,G,K], bilinear: the cotangent of a is the contraction of c's
 * with b over G, that of b the one of a with c's over F; both then have their axes put back in
 * place.
 */
#include "primitives/dot_impl.h"
#include "primitives/operations_impl.h"
#include "rows/axes_impl.h"
#include "saros/memory.h"

/* ---- shape rule ---- */

static saros_status pairs_agree(const saros_typing *t, int n, const int *of_a, const int *of_b) {
    char a[96], b[96];
    for (int k = 0; k < n; ++k)
        if (t->operand[0].shape[of_a[k]] != t->operand[1].shape[of_b[k]])
            return saros_fail(SAROS_ERR_SHAPE, "saros_dot_general", NULL,
                              "axis %d of %s and axis %d of %s differ in extent", of_a[k],
                              saros_type_text(&t->operand[0], a, sizeof a), of_b[k],
                              saros_type_text(&t->operand[1], b, sizeof b));
    return SAROS_OK;
}

static void take(const saros_type *in, int n, const int *axis, saros_type *out) {
    for (int k = 0; k < n; ++k) {
        if (in->split >> axis[k] & 1) out->split |= UINT32_C(1) << out->rank;
        out->shape[out->rank++] = in->shape[axis[k]];
    }
}

static saros_status dot_type(saros_typing *t) {
    const saros_type *a = &t->operand[0], *b = &t->operand[1];
    saros_type *out = &t->output[0];
    saros_dot_side side_a = saros_dot_read(t->attributes->word, 0, a->rank);
    saros_dot_side side_b = saros_dot_read(t->attributes->word, 1, b->rank);
    saros_status status = pairs_agree(t, side_a.contracts, side_a.contract, side_b.contract);
    if (status == SAROS_OK) status = pairs_agree(t, side_a.batches, side_a.batch, side_b.batch);
    if (status != SAROS_OK) return status;
    if (a->dtype != b->dtype || a->dtype >= SAROS_BOOL)
        return saros_fail(SAROS_ERR_TYPE, "saros_dot_general", NULL,
                          "numbers are needed: %s and %s", saros_dtype_name(a->dtype),
                          saros_dtype_name(b->dtype));
    if (side_a.batches + side_a.frees + side_b.frees > SAROS_MAX_RANK)
        return saros_fail(SAROS_ERR_SHAPE, "saros_dot_general", NULL, "the result has rank %d",
                          side_a.batches + side_a.frees + side_b.frees);
    *out = saros_type_make(a->dtype, 0, NULL);
    take(a, side_a.batches, side_a.batch, out);
    out->rank = 0;
    take(b, side_b.batches, side_b.batch, out);
    take(a, side_a.frees, side_a.free, out);
    take(b, side_b.frees, side_b.free, out);
    if (!out->split && (a->split || b->split)) out->split = SAROS_SPLIT_PART;
    return SAROS_OK;
}

/* ---- building ---- */

/** Appends the contraction, without a sum over ranks. Axes are valid. */
static saros_value dot_local(saros_value a, saros_value b, int contract, const int *contract_a,
                             const int *contract_b, int batch, const int *batch_a,
                             const int *batch_b) {
    int64_t word[2 + 4 * SAROS_MAX_RANK] = {contract, batch};
    int n = 2;
    for (int k = 0; k < contract; ++k) word[n++] = contract_a[k];
    for (int k = 0; k < contract; ++k) word[n++] = contract_b[k];
    for (int k = 0; k < batch; ++k) word[n++] = batch_a[k];
    for (int k = 0; k < batch; ++k) word[n++] = batch_b[k];
    return saros_build_words(&saros_row_dot, n, word, 2, (saros_value[]){a, b});
}

/** Copies axes counted from the front; each may appear once. */
static saros_status check_axes(int rank, int n, const int *axes, uint32_t *seen, int *out) {
    for (int k = 0; k < n; ++k) {
        out[k] = axes[k];
        saros_status status = saros_axis_resolve("saros_dot_general", rank, &out[k]);
        if (status != SAROS_OK) return status;
        if (*seen >> out[k] & 1)
            return saros_fail(SAROS_ERR_USAGE, "saros_dot_general", NULL, "axis %d is named twice",
                              out[k]);
        *seen |= UINT32_C(1) << out[k];
    }
    return SAROS_OK;
}

saros_value saros_dot_general(saros_value a, saros_value b, int contract, const int *contract_a,
                              const int *contract_b, int batch, const int *batch_a,
                              const int *batch_b) {
    saros_value x[] = {a, b}, bad;
    if (saros_operands_bad("saros_dot_general", 2, x, &bad)) return bad;
    saros_graph *graph = saros_graph_of(2, x);
    int axes[4][SAROS_MAX_RANK] = {{0}}, rank[] = {saros_value_rank(a), saros_value_rank(b)};
    const int *given[] = {contract_a, contract_b, batch_a, batch_b};
    uint32_t seen[2] = {0, 0};
    for (int k = 0; k < 4; ++k)
        if (check_axes(rank[k % 2], k < 2 ? contract : batch, given[k], &seen[k % 2], axes[k]) !=
            SAROS_OK)
            return saros_poison(graph);
    saros_dtype dtype = saros_dtype_promote(saros_value_dtype(a), saros_value_dtype(b));
    if (dtype == SAROS_BOOL) dtype = SAROS_I64;
    for (int k = 0; k < 2; ++k) x[k] = saros_cast(x[k], dtype);
    saros_split_unify(2, x);
    bool summed = false;
    for (int k = 0; k < contract; ++k)
        summed |= saros_value_type(x[0])->split >> axes[0][k] & 1 ||
                  saros_value_type(x[1])->split >> axes[1][k] & 1;
    saros_value dot = dot_local(x[0], x[1], contract, axes[0], axes[1], batch, axes[2], axes[3]);
    return summed ? saros_allreduce(dot) : dot;
}

/** Leading axes of x broadcast to `lead` (n of them) in front of its last two. */
static saros_value with_lead(saros_value x, int n, const int64_t *lead) {
    saros_type type = *saros_value_type(x);
    int64_t shape[SAROS_MAX_RANK];
    for (int a = 0; a < n; ++a) shape[a] = lead[a];
    shape[n] = type.shape[type.rank - 2];
    shape[n + 1] = type.shape[type.rank - 1];
    return saros_broadcast(x, n + 2, shape, NULL);
}

/** Both of rank 3 or more: leading axes are broadcast and become batch axes. */
static saros_value matmul_batched(saros_value a, saros_value b) {
    saros_type ta = *saros_value_type(a), tb = *saros_value_type(b);
    int na = ta.rank - 2, nb = tb.rank - 2, n = na > nb ? na : nb, axes[SAROS_MAX_RANK];
    int64_t lead[SAROS_MAX_RANK];
    for (int k = 0; k < n; ++k) {
        int64_t ea = k < n - na ? 1 : ta.shape[k - (n - na)];
        int64_t eb = k < n - nb ? 1 : tb.shape[k - (n - nb)];
        char text_a[96], text_b[96];
        if (ea != eb && ea != 1 && eb != 1) {
            saros_fail(SAROS_ERR_SHAPE, "saros_matmul", NULL,
                       "leading axes of %s and %s do not broadcast",
                       saros_shape_text(&ta, text_a, sizeof text_a),
                       saros_shape_text(&tb, text_b, sizeof text_b));
            return saros_poison(saros_graph_of(2, (saros_value[]){a, b}));
        }
        lead[k] = ea == 1 ? eb : ea;
        axes[k] = k;
    }
    a = with_lead(a, n, lead);
    b = with_lead(b, n, lead);
    return saros_dot_general(a, b, 1, (int[]){n + 1}, (int[]){n}, n, axes, axes);
}

saros_value saros_matmul(saros_value a, saros_value b) {
    saros_value x[] = {a, b}, bad;
    if (saros_operands_bad("saros_matmul", 2, x, &bad)) return bad;
    saros_type ta = *saros_value_type(a), tb = *saros_value_type(b);
    char text_a[96], text_b[96];
    saros_shape_text(&ta, text_a, sizeof text_a);
    saros_shape_text(&tb, text_b, sizeof text_b);
    int inner_a = ta.rank - 1, inner_b = tb.rank > 1 ? tb.rank - 2 : 0;
    if (ta.rank == 0 || tb.rank == 0 || ta.shape[inner_a] != tb.shape[inner_b]) {
        saros_fail(SAROS_ERR_SHAPE, "saros_matmul",
                   "the last axis of a and the last but one of b must agree",
                   "shapes %s and %s do not multiply", text_a, text_b);
        return saros_poison(saros_graph_of(2, x));
    }
    if (ta.rank > 2 && tb.rank > 2) return matmul_batched(a, b);
    if (tb.rank <= 2) return saros_dot_general(a, b, 1, &inner_a, &inner_b, 0, NULL, NULL);
    /* a (m,k) or (k), b with leading axes: the leading axes come out behind a's, move them */
    saros_value dot = saros_dot_general(a, b, 1, &inner_a, &inner_b, 0, NULL, NULL);
    return ta.rank == 1 ? dot : saros_move_axis(dot, 0, tb.rank - 2);
}

/* ---- derivatives ---- */

/** x, whose axis k stands for axis place[k] of the result, with its axes put in place. */
static saros_value put_back(saros_value x, int rank, const int *place) {
    int axes[SAROS_MAX_RANK];
    for (int k = 0; k < rank; ++k) axes[place[k]] = k;
    return saros_permute(x, axes);
}

/** Appends to place[*n …] the axes of `side` in `axis` sorted as the partner's axes `order` are:
 * the order in which dot leaves them free. */
static void append_sorted(int n, const int *axis, const int *order, int *place, int *count) {
    for (int a = 0; a < SAROS_MAX_RANK; ++a)
        for (int k = 0; k < n; ++k)
            if (order[k] == a) place[(*count)++] = axis[k];
}

static saros_value dot_transpose(const saros_rule *rule, int operand, const saros_value *ct) {
    const int64_t *word = rule->attributes.word;
    saros_value other = rule->in[1 - operand];
    int rank = saros_value_rank(rule->in[operand]), place[SAROS_MAX_RANK], count = 0;
    saros_dot_side own = saros_dot_read(word, operand, rank);
    saros_dot_side partner = saros_dot_read(word, 1 - operand, saros_value_rank(other));
    int batch[SAROS_MAX_RANK], free[SAROS_MAX_RANK];
    for (int k = 0; k < own.batches; ++k) batch[k] = k;
    for (int k = 0; k < partner.frees; ++k)
        free[k] = own.batches + (operand == 0 ? own.frees : 0) + k;
    for (int k = 0; k < own.batches; ++k) place[count++] = own.batch[k];
    if (operand == 0) {
        for (int k = 0; k < own.frees; ++k) place[count++] = own.free[k];
        append_sorted(own.contracts, own.contract, partner.contract, place, &count);
        return put_back(dot_local(*ct, other, partner.frees, free, partner.free, own.batches, batch,
                                  partner.batch),
                        rank, place);
    }
    append_sorted(own.contracts, own.contract, partner.contract, place, &count);
    for (int k = 0; k < own.frees; ++k) place[count++] = own.free[k];
    return put_back(
        dot_local(other, *ct, partner.frees, partner.free, free, own.batches, partner.batch, batch),
        rank, place);
}

/** Two batched operands get one more batch axis; one alone keeps it as a free axis, moved to the
 * front. */
static void dot_batch(const saros_rule *rule, int64_t size, const saros_value *in,
                      const bool *batched, saros_value *out, bool *out_batched) {
    (void)size;
    saros_dot_side side[2];
    int batch[2][SAROS_MAX_RANK + 1] = {{0}};
    for (int k = 0; k < 2; ++k) {
        side[k] = saros_dot_read(rule->attributes.word, k, saros_value_rank(rule->in[k]));
        for (int i = 0; batched[k] && i < side[k].contracts; ++i) side[k].contract[i] += 1;
        for (int i = 0; batched[k] && i < side[k].batches; ++i) side[k].batch[i] += 1;
        for (int i = 0; i < side[k].batches; ++i) batch[k][i + 1] = side[k].batch[i];
    }
    bool both = batched[0] && batched[1];
    int skip = both ? 0 : 1, batches = side[0].batches;
    out[0] = dot_local(in[0], in[1], side[0].contracts, side[0].contract, side[1].contract,
                       batches + both, batch[0] + skip, batch[1] + skip);
    out_batched[0] = true;
    if (!both) out[0] = saros_move_axis(out[0], batches + (batched[0] ? 0 : side[0].frees), 0);
}

const saros_primitive saros_row_dot = {
    .name = "dot",
    .doc = "batched contraction over pairs of axes",
    .operands = 2,
    .outputs = 1,
    .type = dot_type,
    .evaluate = saros_dot_evaluate,
    .operations = saros_count_dot,
    .linear_in = {0x1, 0x2},
    .transpose = dot_transpose,
    .batch = dot_batch,
    .axes = &saros_axes_dot,
};
