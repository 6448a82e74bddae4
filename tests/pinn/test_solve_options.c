/** Options of a network method: defaults, refusals, weights in files, memory. */
#include "solve_examples.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "saros/memory.h"

/* ---- weights ---- */
START_TEST(weights_of_a_solution_survive_in_a_file) {
    saros_problem *problem = poisson_problem(ends);
    saros_solution *s;
    saros_network network, loaded;
    saros_tensor *weights, *back;
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/saros_solution_%d.safetensors", (int)getpid());
    const saros_pinn_options options = small_net(1, 4, 20, 5);
    ck_ok(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s));
    ck_ok(saros_solution_network(s, &network, &weights));
    ck_ok(saros_network_save(&network, weights, path, false));
    ck_ok(saros_network_load(path, &loaded, &back));
    ck_assert(!memcmp(saros_tensor_const_data(weights), saros_tensor_const_data(back),
                      (size_t)saros_network_size(&network) * sizeof(double)));
    saros_tensor_release(back);
    ck_assert_int_eq(remove(path), 0);
    saros_solution_release(s);
    ck_ok(saros_problem_solve(problem, &saros_grid, NULL, NULL, &s));
    ck_fails(saros_solution_network(s, &network, &weights), SAROS_ERR_USAGE);
    saros_solution_release(s);
    saros_problem_release(problem);
}
END_TEST

/* ---- refusals ---- */
START_TEST(a_tolerance_that_is_not_reached_is_an_error_unless_accepted) {
    saros_problem *problem = poisson_problem(ends);
    saros_solution *s = NULL;
    saros_pinn_options options = small_net(1, 4, 20, 3);
    options.tolerance = 1e-12;
    ck_fails(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s),
             SAROS_ERR_NOT_CONVERGED);
    ck_assert_ptr_null(s);
    options.accept = "last";
    ck_ok(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s));
    ck_assert(!saros_solution_info(s)->converged);
    saros_solution_release(s);
    options = small_net(2, 12, 100, 300);
    options.tolerance = 1e-2;
    ck_ok(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s));
    ck_assert(saros_solution_info(s)->converged && saros_solution_info(s)->loss <= 1e-2);
    ck_assert(strstr(saros_solution_info(s)->reason, "loss below tolerance"));
    saros_solution_release(s);
    saros_problem_release(problem);
}
END_TEST

static bool never(double fraction, const char *text, void *user) {
    (void)fraction;
    ++*(int *)user;
    return strstr(text, "loss") == NULL;
}

START_TEST(wrong_options_and_a_stop_are_errors) {
    saros_problem *problem = poisson_problem(ends);
    saros_solution *s = NULL;
    int calls = 0;
    const saros_solve_options stop = {.progress = never, .user = &calls};
    saros_pinn_options options = small_net(1, 4, 20, 3);
    ck_fails(saros_problem_solve(problem, &saros_network_method, &options, &stop, &s),
             SAROS_ERR_STOPPED);
    ck_assert_int_eq(calls, 1);
    options.sampler = "sobl";
    ck_fails(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s),
             SAROS_ERR_USAGE);
    options = small_net(1, 4, 20, 3);
    options.dtype = "f16";
    ck_fails(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s),
             SAROS_ERR_USAGE);
    options = small_net(1, 4, 20, 3);
    options.network.activation = "tanhh";
    ck_fails(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s),
             SAROS_ERR_USAGE);
    saros_optimiser wrong = {.method = "sgd"};
    options = small_net(1, 4, 20, 3);
    options.optimizer = (saros_option_list){1, &wrong};
    ck_fails(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s),
             SAROS_ERR_USAGE);
    options.steps = 3;
    ck_fails(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s),
             SAROS_ERR_USAGE);
    options = small_net(1, 4, 20, 3);
    options.windows = 2;
    ck_fails(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s),
             SAROS_ERR_UNSUPPORTED);
    ck_assert_ptr_null(s);
    saros_problem_release(problem);
}
END_TEST

START_TEST(defaults_serve_a_small_network) {
    saros_problem *problem = poisson_problem(ends);
    saros_solution *s;
    const saros_pinn_options options = {
        .network = {.layers = 1, .width = 8}, .points = {.interior = 100}, .steps = 60};
    ck_ok(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s));
    ck_assert_int_eq(saros_solution_info(s)->iterations, 100 + 60);
    ck_assert(relative_error(s, poisson_exact) < 1e-3);
    saros_solution_release(s);
    saros_problem_release(problem);
}
END_TEST

START_TEST(defaults_of_the_table_are_those_of_the_code) {
    const saros_option_table *table = saros_method_options(&saros_network_method);
    ck_assert_str_eq(saros_option_find(table, "resample")->default_text, "250");
    saros_pinn_options options = {0};
    ck_ok(saros_option_set_number(table, &options, "seed", 3));
    ck_ok(saros_option_set_text(table, &options, "sampler", "grid"));
    ck_fails(saros_option_set_text(table, &options, "sampler", "latin"), SAROS_ERR_USAGE);
    ck_fails(saros_option_set_number(table, &options, "point", 3), SAROS_ERR_USAGE);
    ck_assert(options.seed == 3 && !strcmp(options.sampler, "grid"));
}
END_TEST

START_TEST(solving_leaves_no_memory_behind) {
    saros_problem *problem = poisson_problem(ends);
    const saros_pinn_options options = small_net(1, 4, 20, 3);
    int64_t held[3];
    for (int k = 0; k < 3; ++k) {
        saros_solution *s;
        ck_ok(saros_problem_solve(problem, &saros_network_method, &options, NULL, &s));
        saros_solution_release(s);
        held[k] = saros_memory_held();
    }
    ck_assert_int_eq(held[1], held[2]);
    saros_problem_release(problem);
}
END_TEST

SAROS_TEST_MAIN("pinn/solve_options", weights_of_a_solution_survive_in_a_file,
                a_tolerance_that_is_not_reached_is_an_error_unless_accepted,
                wrong_options_and_a_stop_are_errors, defaults_serve_a_small_network,
                defaults_of_the_table_are_those_of_the_code, solving_leaves_no_memory_behind)
