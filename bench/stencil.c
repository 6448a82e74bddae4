/* Steps of grids inside `loop`: the 5-point heat step, and the reaction and diffusion of two
 * species (Gray and Scott) by the classical Runge-Kutta method. Periodic squares; ghosts by
 * `extend`. */
#include <stdio.h>

#include "stencil_impl.h"

/* ---- the library's ---- */
/* Unscaled 5-point Laplacian. */
static saros_value laplacian(saros_value u) {
    const int64_t n = saros_value_type(u)->shape[0];
    const saros_side wrap = {.kind = SAROS_SIDE_PERIODIC};
    const saros_value h = saros_like(u, 1);
    const saros_value tall = saros_slice(saros_extend(u, 0, 1, 2, h, &wrap, &wrap), 1, 0, n, 1);
    const saros_value wide = saros_extend(u, 1, 1, 2, h, &wrap, &wrap);
    const saros_value across =
        saros_add(saros_slice(wide, 1, 0, n, 1), saros_slice(wide, 1, 2, n + 2, 1));
    const saros_value along =
        saros_add(saros_slice(tall, 0, 0, n, 1), saros_slice(tall, 0, 2, n + 2, 1));
    return saros_sub(saros_add(across, along), saros_mul(saros_like(u, 4), u));
}

static saros_status heat_step(saros_graph *body, saros_value index, const saros_value *carry,
                              const saros_value *input, void *user, saros_value *next,
                              saros_value *kept) {
    (void)body, (void)index, (void)input, (void)user, (void)kept;
    next[0] = saros_add(carry[0], saros_mul(saros_like(carry[0], HEAT_R), laplacian(carry[0])));
    return SAROS_OK;
}

void bench_gray_scott_rate(const saros_value *c, const saros_value *y, saros_value *rate) {
    const saros_value uvv = saros_mul(y[0], saros_mul(y[1], y[1])), one = saros_like(y[0], 1);
    rate[0] = saros_add(saros_sub(saros_mul(c[0], laplacian(y[0])), uvv),
                        saros_mul(c[2], saros_sub(one, y[0])));
    rate[1] = saros_sub(saros_add(saros_mul(c[1], laplacian(y[1])), uvv), saros_mul(c[3], y[1]));
}

static saros_status gray_scott_step(saros_graph *body, saros_value index, const saros_value *carry,
                                    const saros_value *input, void *user, saros_value *next,
                                    saros_value *kept) {
    static const double ahead[] = {0.5, 0.5, 1}, part[] = {1.0 / 6, 1.0 / 3, 1.0 / 3, 1.0 / 6};
    const double number[] = {GS_DU, GS_DV, GS_F, GS_F + GS_K};
    saros_value y[2] = {carry[0], carry[1]}, rate[2], coefficient[4];
    (void)body, (void)index, (void)input, (void)user, (void)kept;
    for (int k = 0; k < 4; ++k) coefficient[k] = saros_like(carry[0], number[k]);
    for (int k = 0; k < 2; ++k) next[k] = carry[k];
    for (int stage = 0; stage < 4; ++stage) {
        bench_gray_scott_rate(coefficient, y, rate);
        for (int k = 0; k < 2; ++k) {
            const saros_value own = saros_like(rate[k], GS_H * part[stage]);
            next[k] = saros_add(next[k], saros_mul(own, rate[k]));
            if (stage < 3)
                y[k] = saros_add(carry[k],
                                 saros_mul(saros_like(rate[k], GS_H * ahead[stage]), rate[k]));
        }
    }
    return SAROS_OK;
}

static void make(int fields, saros_loop_fn step, int64_t n, int64_t steps, bench_call *call) {
    saros_graph *graph;
    saros_value in[2], out[2];
    const saros_type type = saros_type_make(SAROS_F64, 2, (int64_t[]){n, n});
    bench_check(saros_graph_make(&graph));
    for (int k = 0; k < fields; ++k) in[k] = saros_input(graph, &type, NULL);
    const saros_loop_spec spec = {.n = saros_scalar(graph, SAROS_I64, (double)steps),
                                  .bound = steps,
                                  .carries = fields,
                                  .carry = in,
                                  .build = step};
    saros_loop(graph, &spec, out, NULL);
    bench_call_make(graph, fields, in, fields, out, call);
}

static void measure(const char *what, int64_t side, int64_t steps, bool gray_scott) {
    char name[64];
    snprintf(name, sizeof name, "%s %lld^2", what, (long long)side);
    if (!bench_wanted(name)) return;
    bench_grid grid = {.n = bench_size(side), .steps = steps};
    const int fields = gray_scott ? 2 : 1;
    make(fields, gray_scott ? gray_scott_step : heat_step, grid.n, steps, &grid.call);
    bench_fn *floor = gray_scott ? bench_gray_scott_floor : bench_heat_floor;
    bench_grid_begin(&grid, gray_scott ? 8 : 2);
    bench_grid_run(&grid);
    floor(&grid);
    bench_grid_end(&grid, fields);
    for (int k = 0; k < fields; ++k) bench_agree(name, grid.call.out[k], grid.call.floor[k], 1e-12);
    /* least bytes: heat reads and writes u; a stage of Runge and Kutta reads its state, y and the
     * sum so far and writes the next state and sum, the first and the last less: 16 numbers a
     * species */
    bench_compare(&(bench_case){.name = name,
                                .run = bench_grid_run,
                                .floor = floor,
                                .user = &grid,
                                .calls = (double)steps,
                                .bytes = (gray_scott ? 256.0 : 16.0) * (double)(grid.n * grid.n),
                                .limit = bench_place(side * side)});
    bench_grid_clear(&grid);
}

void bench_stencil(void) {
    static const struct {
        int64_t side, heat_steps, gray_scott_steps;
    } sizes[] = {{128, 200, 50}, {512, 50, 10}, {4096, 4, 2}};
    for (int k = 0; k < 3; ++k) {
        measure("heat step", sizes[k].side, sizes[k].heat_steps, false);
        measure("Gray-Scott rk4 step", sizes[k].side, sizes[k].gray_scott_steps, true);
    }
}
