/** The program saros: runs a command, or the REPL without one. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "program/program_impl.h"
#include "saros/config.h"
#include "saros/nonlinear.h"
#include "saros/pool.h"
#include "saros/status.h"
#include "saros/stop.h"

static const struct {
    const char *name, *args, *doc;
    int (*run)(int argc, char **argv);
} commands[] = {
    {"run", "SCRIPT.lua [--name value …]", "run a script; --help lists its options", command_run},
    {"check", "SCRIPT.lua", "parse a script and check its tables, solve nothing", command_check},
    {"inspect", "FILE.h5 | FILE.safetensors", "tree, shapes, extremes, provenance, complete or not",
     command_inspect},
    {"plot", "FILE.h5 VAR -o OUT.png [-t T]", "lines for 1-D, maps for 2-D", command_plot},
    {"info", "", "versions, devices, threads, optional parts", command_info},
    {"help", "[NAME | --luacats]", "help on a function or on options; LuaCATS definitions",
     command_help},
};
enum { COMMANDS = sizeof commands / sizeof *commands };

static void usage(FILE *out) {
    fprintf(out,
            "saros %s: solves partial differential equations and differentiates through the "
            "solution\n\n",
            SAROS_VERSION);
    for (int k = 0; k < COMMANDS; ++k)
        fprintf(out, "  saros %-7s %-30s %s\n", commands[k].name, commands[k].args,
                commands[k].doc);
    fprintf(out, "  saros %-7s %-30s %s\n\n", "", "", "the REPL");
    fprintf(out, "run takes --quiet, --overwrite and --log-json FILE.\n"
                 "Exit: 0 done, 1 script or solver error, 2 usage, 3 not converged or diverged, 75 "
                 "stopped.\n");
}

static void on_signal(int number) {
    (void)number;
    saros_stop();
}

/** TERM, INT and USR2 stop at the next step; USR1 asks for a checkpoint, which solves do not write
 * yet. */
static void install_signals(void) {
    struct sigaction action = {.sa_handler = on_signal};
    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGUSR2, &action, NULL);
    action.sa_handler = SIG_IGN;
    sigaction(SIGUSR1, &action, NULL);
}

static int run_command(int argc, char **argv) {
    const char *names[COMMANDS];
    if (argc < 2) return command_repl();
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0) {
        printf("saros %s\n", SAROS_VERSION);
        return EXIT_DONE;
    }
    for (int k = 0; k < COMMANDS; ++k) {
        names[k] = commands[k].name;
        if (strcmp(argv[1], commands[k].name) == 0) return commands[k].run(argc, argv);
    }
    const char *near = saros_nearest_name(argv[1], names, COMMANDS);
    fprintf(stderr, "saros: there is no command '%s'%s%s%s\n", argv[1],
            near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
    usage(stderr);
    return EXIT_USAGE;
}

int main(int argc, char **argv) {
    install_signals();
    if (saros_threads_set(0) != SAROS_OK) { /* a wrong SAROS_THREADS is told before any work */
        (void)program_failed();
        return EXIT_USAGE;
    }
    saros_blas_begin(); /* one pool of threads, ours */
    int code = program_profile_start();
    if (code == EXIT_DONE) {
        code = run_command(argc, argv);
        program_profile_end();
    }
    saros_petsc_stop();
    return code;
}
