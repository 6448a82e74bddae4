/** Additive Runge-Kutta pair ARK3(2)4L[2]SA (Kennedy and Carpenter 2003, appendix C): one part of
 * the rate is taken explicitly, the other by stages that are implicit in it alone, of order 3 with
 * an estimate of order 2. The implicit table is L-stable and stiffly accurate, with an explicit
 * first stage.
 *
 *      z_i = y + h sum_{j<i} (e_ij f_E(z_j) + a_ij f_I(z_j)) + h g f_I(z_i)
 *
 *  A stage z = base + h g k gives its implicit rate as h k = (z - base)/g, as in sdirk.c. A rate
 * that is not split is all implicit.
 */
#include "integrators_impl.h"

enum { STAGES = 4 };

#define G (1767732205903. / 4055673282236.)
static const double c[STAGES] = {0, 1767732205903. / 2027836641118., 3. / 5, 1};
static const double explicit_[STAGES][STAGES] = {
    {0},
    {1767732205903. / 2027836641118.},
    {5535828885825. / 10492691773637., 788022342437. / 10882634858940.},
    {6485989280629. / 16251701735622., -4246266847089. / 9704473918619.,
     10755448449292. / 10357097424841.},
};
static const double implicit_[STAGES][STAGES] = {
    {0},
    {G},
    {2746238789719. / 10658868560708., -640167445237. / 6845629431997.},
    {1471266399579. / 7840856788654., -4482444167858. / 7529755066697.,
     11266239266428. / 11593286722821.},
};
static const double b[STAGES] = {1471266399579. / 7840856788654., -4482444167858. / 7529755066697.,
                                 11266239266428. / 11593286722821., G};
static const double embedded[STAGES] = {
    2756255671327. / 12835298489170., -10771552573575. / 22201958757719.,
    9247589265047. / 10645013368117., 2193209047091. / 5459859503100.};

/* sum + w v; either may be SAROS_NONE */
static saros_value add(saros_value sum, double w, saros_value v) {
    if (saros_is_none(v) || w == 0) return sum;
    saros_value term = saros_mul(saros_like(v, w), v);
    return saros_is_none(sum) ? term : saros_add(sum, term);
}

static saros_value times_h(const saros_step *s, saros_value rate) {
    return saros_is_none(rate) ? rate : saros_mul(s->h, rate);
}

static saros_value imex_step(const saros_step *s) {
    saros_value in[STAGES], ex[STAGES], z = s->y, error = SAROS_NONE, y = s->y;
    for (int i = 0; i < STAGES; ++i) {
        if (i > 0) {
            saros_value base = s->y;
            for (int j = 0; j < i; ++j)
                base = add(add(base, implicit_[i][j], in[j]), explicit_[i][j], ex[j]);
            z = saros_step_implicit_part(s, base, G, c[i], z);
            in[i] = saros_mul(saros_like(z, 1 / G), saros_sub(z, base));
        } else {
            in[i] = times_h(s, saros_step_part(s, SAROS_PART_IMPLICIT, 0, z));
        }
        ex[i] = times_h(s, saros_step_part(s, SAROS_PART_EXPLICIT, c[i], z));
    }
    for (int i = 0; i < STAGES; ++i) y = add(add(y, b[i], in[i]), b[i], ex[i]);
    for (int i = 0; i < STAGES; ++i) {
        const double e = b[i] - embedded[i];
        error = add(add(error, e, in[i]), e, ex[i]);
    }
    if (s->error) *s->error = error;
    return y;
}

const saros_integrator saros_integrator_imex = {
    .name = "imex",
    .doc = "additive Runge-Kutta, order 3: part of the rate explicit, part L-stable; adaptive",
    .order = 3,
    .estimate = 2,
    .implicit_ = true,
    .splits = true,
    .step = imex_step,
};
