/* The table of benchmarks.
 *
 *      saros_bench [--quick] [--csv FILE] [WORD…]       rows whose name holds one of the words;
 * none: all saros_bench --export FOLDER                      weights and losses of the pinn rows,
 * for bench/peers
 *
 *  A row: median time of the library, half the distance between quartiles, the same for the loop
 * written by hand, their ratio, the rate reached and its share of what the machine can do. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "measure_impl.h"
#include "operators_impl.h"
#include "pinn_impl.h"
#include "processes_impl.h"

static int usage(void) {
    fprintf(stderr, "usage: saros_bench [--quick] [--csv FILE] [WORD...]\n       saros_bench "
                    "--export FOLDER\n");
    return 2;
}

static FILE *open_csv(const char *path) {
    FILE *file = fopen(path, "w");
    if (file) return file;
    fprintf(stderr, "cannot write %s\n", path);
    exit(1);
}

static void run_all(const bench_session *session) {
    printf("saros %s, %s, %s%s%s, backend %s, %d threads%s\n", SAROS_VERSION, SAROS_BUILD_COMPILER,
           SAROS_BUILD_TYPE, SAROS_BUILD_ARCH[0] ? ", -march=" : "", SAROS_BUILD_ARCH,
           saros_backend_default(NULL), saros_threads(),
           session->quick ? "; quick: small sizes, the times mean nothing" : "");
    bench_session_begin(session);
    bench_machine_warm();
    bench_machine_rows();
    bench_pinn();
    bench_operators();
    bench_gradbench();
    bench_pointwise();
    bench_stencil();
    bench_loops();
    bench_arrays();
    bench_brusselator();
    bench_bratu();
    bench_ode();
    bench_jacobian();
    bench_hessian();
    bench_overhead();
    bench_processes();
}

int main(int count, char **word) {
    bench_session session = {0};
    int k = 1;
    if (count >= 3 && !strcmp(word[1], "--child")) {
        bench_child(count - 2, word + 2);
        return 0;
    }
    if (count == 3 && !strcmp(word[1], "--export")) {
        bench_pinn_export(word[2]);
        bench_operators_export(word[2]);
        return 0;
    }
    for (; k < count && word[k][0] == '-'; ++k) {
        if (!strcmp(word[k], "--quick"))
            session.quick = true;
        else if (!strcmp(word[k], "--csv") && k + 1 < count)
            session.csv = open_csv(word[++k]);
        else
            return usage();
    }
    saros_blas_begin(); /* all threads are the pool's, also beside the plain programs */
    session.words = count - k;
    session.word = word + k;
    run_all(&session);
    if (session.csv && fclose(session.csv) != 0) {
        fprintf(stderr, "the CSV file is not whole\n");
        return 1;
    }
    return 0;
}
