/** Networks as values: sizes, the formula, starts, derivatives, the weights file. */
#include "saros_check.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "saros/memory.h"
#include "saros/network.h"
#include "saros/safetensors.h"

static saros_network small(const char *activation) {
    saros_network network;
    ck_ok(saros_network_make(
        &(saros_network_options){
            .layers = 2, .width = 3, .inputs = 2, .outputs = 1, .activation = activation},
        &network));
    return network;
}

/** y of one point x (2) by compiled apply. */
static double apply(const saros_network *network, saros_tensor *weights, const double *x) {
    saros_graph *graph;
    saros_function *f;
    saros_tensor *in[2] = {weights, NULL}, *out = NULL;
    double y;
    const saros_type w = saros_tensor_type(weights);
    const saros_type row = saros_type_make(w.dtype, 2, (int64_t[]){1, 2});
    ck_ok(saros_graph_make(&graph));
    const saros_value v[2] = {saros_input(graph, &w, "w"), saros_input(graph, &row, "x")};
    const saros_value value = saros_network_apply(network, v[0], v[1]);
    ck_ok(saros_compile(graph, 2, v, 1, &value, NULL, &f));
    saros_tensor *wide;
    ck_ok(saros_tensor_from(SAROS_F64, 2, row.shape, x, &wide));
    ck_ok(saros_tensor_cast(wide, w.dtype, &in[1]));
    ck_ok(saros_function_call(f, in, &out, NULL));
    ck_ok(saros_tensor_item(out, &y));
    saros_tensor_release(wide);
    saros_tensor_release(in[1]);
    saros_tensor_release(out);
    saros_function_release(f);
    saros_graph_release(graph);
    return y;
}

START_TEST(the_flat_vector_holds_weights_then_biases_layer_by_layer) {
    const saros_network network = small(NULL);
    const int64_t n = saros_network_size(&network);
    ck_assert_int_eq(n, 2 * 3 + 3 + 3 * 3 + 3 + 3 + 1);
    double w[25], x[2] = {0.3, -0.7}, h[2][3], y;
    for (int i = 0; i < 25; ++i) w[i] = sin(1 + 3.7 * i);
    for (int j = 0; j < 3; ++j) h[0][j] = tanh(x[0] * w[j] + x[1] * w[3 + j] + w[6 + j]);
    for (int j = 0; j < 3; ++j) {
        h[1][j] = w[18 + j];
        for (int i = 0; i < 3; ++i) h[1][j] += h[0][i] * w[9 + 3 * i + j];
    }
    y = w[24];
    for (int j = 0; j < 3; ++j) y += tanh(h[1][j]) * w[21 + j];
    saros_tensor *t;
    ck_ok(saros_tensor_from(SAROS_F64, 1, &n, w, &t));
    ck_near(apply(&network, t, x), y, 1e-14);
    saros_tensor_release(t);
}
END_TEST

START_TEST(a_start_is_glorot_normal_with_zero_biases) {
    saros_network network;
    ck_ok(saros_network_make(
        &(saros_network_options){.layers = 2, .width = 100, .inputs = 2, .outputs = 1}, &network));
    saros_tensor *t, *again;
    ck_ok(saros_network_start(&network, 7, SAROS_F64, &t));
    ck_ok(saros_network_start(&network, 7, SAROS_F32, &again));
    const double *w = saros_tensor_const_data(t);
    double square = 0;
    for (int i = 0; i < 10000; ++i) square += w[300 + i] * w[300 + i];
    ck_near(square / 10000, 2.0 / 200, 0.05 * 2.0 / 200 + 0.0005);
    for (int i = 0; i < 100; ++i) ck_assert_double_eq(w[200 + i], 0);
    ck_assert(fabs(w[301] - (double)((const float *)saros_tensor_const_data(again))[301]) < 1e-7);
    saros_tensor_release(t);
    saros_tensor_release(again);
}
END_TEST

START_TEST(every_activation_applies) {
    const char *const name[] = {"tanh", "sin", "sigmoid", "softplus", "relu"};
    for (int k = 0; k < 5; ++k) {
        const saros_network network = small(name[k]);
        saros_tensor *t;
        ck_ok(saros_network_start(&network, k, SAROS_F64, &t));
        ck_assert(isfinite(apply(&network, t, (double[]){0.2, 0.4})));
        saros_tensor_release(t);
    }
    saros_network network;
    ck_fails(
        saros_network_make(
            &(saros_network_options){.inputs = 1, .outputs = 1, .activation = "tahn"}, &network),
        SAROS_ERR_USAGE);
    ck_assert(strstr(saros_error_last()->message, "\"tanh\""));
}
END_TEST

START_TEST(a_weights_file_loads_alone_and_gives_the_same_values) {
    const saros_dtype dtype[] = {SAROS_F64, SAROS_F32};
    for (int k = 0; k < 2; ++k) {
        char path[64];
        (void)snprintf(path, sizeof path, "/tmp/saros_network_%d_%d.safetensors", (int)getpid(), k);
        const saros_network network = small("sin");
        saros_network loaded;
        saros_tensor *t, *back;
        ck_ok(saros_network_start(&network, 11, dtype[k], &t));
        ck_ok(saros_network_save(&network, t, path, false));
        ck_fails(saros_network_save(&network, t, path, false), SAROS_ERR_IO);
        ck_ok(saros_network_load(path, &loaded, &back));
        ck_assert_str_eq(loaded.activation_name, "sin");
        ck_assert(loaded.layers == 2 && loaded.width == 3 && loaded.inputs == 2);
        ck_assert(saros_tensor_dtype(back) == dtype[k]);
        const double x[2] = {0.1, 0.9};
        ck_assert_double_eq(apply(&loaded, back, x), apply(&network, t, x));
        saros_tensor_release(t);
        saros_tensor_release(back);
        ck_assert_int_eq(remove(path), 0);
    }
}
END_TEST

START_TEST(a_file_that_is_no_network_is_told) {
    char path[64];
    (void)snprintf(path, sizeof path, "/tmp/saros_other_%d.safetensors", (int)getpid());
    saros_tensor *t, *weights = NULL;
    saros_network network;
    ck_ok(saros_tensor_scalar(SAROS_F64, 1, &t));
    const saros_named_tensor named = {"a", t};
    const saros_text_entry text[] = {{"architecture", "saros mlp"}, {"inputs", "-3"}};
    ck_ok(saros_safetensors_write(path, false, 1, &named, 0, NULL));
    ck_fails(saros_network_load(path, &network, &weights), SAROS_ERR_IO);
    ck_ok(saros_safetensors_write(path, true, 1, &named, 2, text));
    ck_fails(saros_network_load(path, &network, &weights), SAROS_ERR_IO);
    ck_assert(strstr(saros_error_last()->message, "inputs"));
    ck_assert_ptr_null(weights);
    saros_tensor_release(t);
    ck_assert_int_eq(remove(path), 0);
}
END_TEST

SAROS_TEST_MAIN("pinn/network", the_flat_vector_holds_weights_then_biases_layer_by_layer,
                a_start_is_glorot_normal_with_zero_biases, every_activation_applies,
                a_weights_file_loads_alone_and_gives_the_same_values,
                a_file_that_is_no_network_is_told)
