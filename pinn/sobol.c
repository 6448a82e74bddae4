/** Sobol points in up to ten dimensions, shifted by a random digital shift.
 *
 *  Coordinate d of point i is the xor of its direction numbers at the bits of the Gray code of i
 * (Antonov and Saleev 1979). Direction numbers follow from a primitive polynomial over GF(2) and
 * odd initial numbers m_k < 2^k by the recurrence (Bratley and Fox 1988, Joe and Kuo 2003)
 *
 *      m_k = 2 a_1 m_{k-1} ^ … ^ 2^{s-1} a_{s-1} m_{k-s+1} ^ 2^s m_{k-s} ^ m_{k-s}.
 *
 *  The shift xors one random word into each coordinate: it keeps every equidistribution property of
 * the net, makes each point uniform and gives every seed its own set. Not scrambled (Owen).
 */
#include "sample_impl.h"

enum { BITS = 32, DIMENSIONS = 10 };

/** Polynomial x^s + a_1 x^{s-1} + … + a_{s-1} x + 1, `a` the bits a_1 … a_{s-1}; initial numbers
 * as in Joe and Kuo (2008). The first coordinate is van der Corput's. */
static const struct {
    unsigned degree, a, m[5];
} polynomial[DIMENSIONS - 1] = {
    {1, 0, {1}},
    {2, 1, {1, 3}},
    {3, 1, {1, 3, 1}},
    {3, 2, {1, 1, 1}},
    {4, 1, {1, 1, 3, 3}},
    {4, 4, {1, 3, 5, 13}},
    {5, 2, {1, 1, 5, 5, 17}},
    {5, 4, {1, 1, 5, 5, 5}},
    {5, 7, {1, 1, 7, 11, 19}},
};

static void direction_numbers(int d, uint32_t v[BITS]) {
    if (d == 0) {
        for (unsigned k = 0; k < BITS; ++k) v[k] = 1u << (BITS - 1 - k);
        return;
    }
    const unsigned s = polynomial[d - 1].degree, a = polynomial[d - 1].a;
    for (unsigned k = 0; k < BITS; ++k) {
        if (k < s) {
            v[k] = polynomial[d - 1].m[k] << (BITS - 1 - k);
            continue;
        }
        v[k] = v[k - s] ^ (v[k - s] >> s);
        for (unsigned j = 1; j < s; ++j)
            if ((a >> (s - 1 - j)) & 1u) v[k] ^= v[k - j];
    }
}

saros_status saros_sobol_points(const uint32_t *shift, int64_t n, int d, double *out) {
    uint32_t v[BITS];
    if (d > DIMENSIONS)
        return saros_fail(SAROS_ERR_UNSUPPORTED, "saros_sample", "use sampler \"uniform\"",
                          "sobol points in %d dimensions are not in this build, at most %d", d,
                          (int)DIMENSIONS);
    if (n >= (int64_t)1 << BITS)
        return saros_fail(SAROS_ERR_DOMAIN, "saros_sample", NULL, "at most 2^32 sobol points");
    for (int axis = 0; axis < d; ++axis) {
        direction_numbers(axis, v);
        uint32_t x = shift[axis];
        for (int64_t i = 0; i < n; ++i) {
            out[i * d + axis] = ((double)x + 0.5) / 4294967296.0; /* 2^32: inside (0, 1) */
            unsigned bit = 0;
            for (uint64_t rest = (uint64_t)i; rest & 1u; rest >>= 1) ++bit;
            x ^= v[bit < BITS ? bit : BITS - 1];
        }
    }
    return SAROS_OK;
}
