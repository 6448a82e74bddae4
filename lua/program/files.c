/** saros inspect, saros plot, saros info, saros help. */
#include <lauxlib.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "program_impl.h"
#include "saros/config.h"
#include "saros/function.h"
#include "saros/memory.h"
#include "saros/network.h"
#include "saros/pool.h"
#include "saros/solution.h"
#include "saros/store.h"
#include "script_draw_impl.h"

static bool ends_with(const char *text, const char *end) {
    size_t n = strlen(text), m = strlen(end);
    return n >= m && strcmp(text + n - m, end) == 0;
}

static saros_status inspect_weights(const char *path) {
    saros_network network = {0};
    saros_tensor *weights = NULL;
    saros_status status = saros_network_load(path, &network, &weights);
    if (status != SAROS_OK) return status;
    const saros_type type = saros_tensor_type(weights);
    double lo = HUGE_VAL, hi = -HUGE_VAL, x = 0;
    int64_t nan = 0;
    for (int64_t k = 0; k < saros_tensor_count(weights); ++k) {
        if (saros_tensor_get(weights, &k, &x) != SAROS_OK || isnan(x)) {
            ++nan;
            continue;
        }
        lo = fmin(lo, x);
        hi = fmax(hi, x);
    }
    char text[64];
    printf("%s\n  network %lld x %lld, %s, %lld inputs, %lld outputs\n  weights %s  min %.6g  max "
           "%.6g  NaN %lld\n",
           path, (long long)network.layers, (long long)network.width, network.activation_name,
           (long long)network.inputs, (long long)network.outputs,
           saros_type_text(&type, text, sizeof text), lo, hi, (long long)nan);
    saros_tensor_release(weights);
    return SAROS_OK;
}

int command_inspect(int argc, char **argv) {
    char *text = NULL;
    if (argc != 3) {
        fprintf(stderr, "saros: usage: saros inspect FILE.h5 | FILE.safetensors\n");
        return EXIT_USAGE;
    }
    if (ends_with(argv[2], ".safetensors"))
        return inspect_weights(argv[2]) == SAROS_OK ? EXIT_DONE : program_failed();
    if (saros_store_inspect(argv[2], &text) != SAROS_OK) return program_failed();
    fputs(text, stdout);
    saros_release(text);
    return EXIT_DONE;
}

int command_plot(int argc, char **argv) {
    const char *file = NULL, *variable = NULL, *out = NULL;
    double t = NAN;
    bool overwrite = false;
    for (int k = 2; k < argc; ++k) {
        char *end = NULL;
        if (strcmp(argv[k], "-o") == 0 && k + 1 < argc) {
            out = argv[++k];
        } else if (strcmp(argv[k], "-t") == 0 && k + 1 < argc) {
            t = strtod(argv[++k], &end);
            if (!end || *end) file = variable = out = NULL;
        } else if (strcmp(argv[k], "--overwrite") == 0) {
            overwrite = true;
        } else if (argv[k][0] == '-' || variable) {
            file = variable = out = NULL;
            break;
        } else if (!file) {
            file = argv[k];
        } else {
            variable = argv[k];
        }
    }
    if (!file || !variable || !out) {
        fprintf(stderr, "saros: usage: saros plot FILE.h5 VAR -o OUT.png [-t T] [--overwrite]\n");
        return EXIT_USAGE;
    }
    saros_solution *solution = NULL;
    saros_status status = saros_solution_load(file, &solution);
    if (status == SAROS_OK)
        status = script_draw(
            solution, &(script_draw_options){.variable = variable, .t = t, .overwrite = overwrite},
            out);
    saros_solution_release(solution);
    return status == SAROS_OK ? EXIT_DONE : program_failed();
}

static void part(const char *name, int there) {
    printf("  %-10s %s\n", name, there ? "yes" : "no");
}

int command_info(int argc, char **argv) {
    (void)argv;
    if (argc != 2) {
        fprintf(stderr, "saros: usage: saros info\n");
        return EXIT_USAGE;
    }
    printf("saros %s (%s, %s, -march=%s)\nLua %s.%s\n", SAROS_VERSION, SAROS_BUILD_TYPE,
           SAROS_BUILD_COMPILER, SAROS_BUILD_ARCH[0] ? SAROS_BUILD_ARCH : "default",
           LUA_VERSION_MAJOR, LUA_VERSION_MINOR);
    int bits = 0;
    const char *backend = saros_backend_default(&bits);
    printf("devices: cpu (%ld cores)\nbackend: %s", sysconf(_SC_NPROCESSORS_ONLN), backend);
    if (bits) printf(" (%d-bit vectors)", bits);
    printf("\nthreads: %d\nparts:\n", saros_threads());
    part("llvm", SAROS_HAVE_LLVM);
    part("libxsmm", SAROS_HAVE_XSMM);
    part("blas", SAROS_HAVE_BLAS);
    part("lapack", SAROS_HAVE_LAPACK);
    part("fftw", SAROS_HAVE_FFTW);
    part("hdf5", SAROS_HAVE_HDF5);
    part("petsc", SAROS_HAVE_PETSC);
    part("sundials", SAROS_HAVE_SUNDIALS);
    part("libedit", SAROS_HAVE_EDIT);
    part("gnuplot", SAROS_HAVE_GNUPLOT);
    return EXIT_DONE;
}

int command_help(int argc, char **argv) {
    if (argc > 3) {
        fprintf(stderr, "saros: usage: saros help [NAME | --luacats]\n");
        return EXIT_USAGE;
    }
    if (argc == 3 && strcmp(argv[2], "--luacats") == 0) {
        saros_lua_definitions(stdout);
        return EXIT_DONE;
    }
    char *text = saros_lua_help(argc == 3 ? argv[2] : "");
    if (!text) {
        program_failed();
        return EXIT_USAGE;
    }
    fputs(text, stdout);
    saros_release(text);
    return EXIT_DONE;
}
