/** The program as users meet it: exit codes, script options, the REPL in a pipe, the commands on
 * files; and the module in a Lua state that is not ours. The program lies beside this test. */
#include <lauxlib.h>
#include <lualib.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "saros_check.h"

static char folder[512], output[1 << 16];

/** Folder of this program, where saros is too. */
static const char *bin_folder(void) {
    ssize_t n = readlink("/proc/self/exe", folder, sizeof folder - 1);
    ck_assert(n > 0);
    folder[n] = 0;
    *strrchr(folder, '/') = 0;
    return folder;
}

/** Runs a shell command; its exit code. Output of both streams in `output`. In the command SAROS is
 * the program; a script that begins with $UP tells when it runs, and `up` waits for the one started
 * last. */
static int run(const char *command) {
    char line[4096];
    snprintf(line, sizeof line,
             "SAROS='%s/saros'; T=$(mktemp -d); trap 'rm -rf \"$T\"' EXIT; cd \"$T\"; "
             "UP=\"io.open('up', 'w'):close()\"; "
             "up() { until [ -e up ] || ! kill -0 $!; do sleep 0.05; done; }; { %s; } 2>&1",
             bin_folder(), command);
    FILE *pipe = popen(line, "r");
    ck_assert(pipe != NULL);
    size_t n = fread(output, 1, sizeof output - 1, pipe);
    output[n] = 0;
    int status = pclose(pipe);
    ck_assert_msg(WIFEXITED(status), "%s: killed", command);
    return WEXITSTATUS(status);
}

static void expect(const char *command, int code, const char *part) {
    int got = run(command);
    ck_assert_msg(got == code, "%s: exit %d, wanted %d\n%s", command, got, code, output);
    ck_assert_msg(strstr(output, part) != NULL, "%s: '%s' is not in\n%s", command, part, output);
}

START_TEST(exit_codes_tell_what_happened) {
    expect("echo 'print(1 + 1)' > a.lua; $SAROS run a.lua", 0, "2");
    expect("echo 'error(\"no\")' > a.lua; $SAROS run a.lua", 1, "a.lua:1: usage error: no");
    expect("echo 'x = {' > a.lua; $SAROS run a.lua", 1, "a.lua:2");
    expect("$SAROS run nothing.lua", 1, "nothing.lua");
    expect("$SAROS rum a.lua", 2, "did you mean 'run'");
    expect("$SAROS run", 2, "usage");
    expect("$SAROS run --walltime 1:0:0 a.lua", 2, "not in this build");
    expect("echo 'local s = require \"saros\"; s.root(function(x) return x^2 + 1 end, 1)' > a.lua; "
           "$SAROS run a.lua",
           3, "not_converged");
    expect("echo \"$UP while true do end\" > a.lua; $SAROS run a.lua & up; kill -TERM $!; wait $!",
           75, "stopped");
    expect("echo \"$UP pcall(function() while true do end end) print('survived')\" > a.lua; "
           "$SAROS run a.lua & up; kill -INT $!; kill -TERM $!; wait $!",
           75, "stopped");
    ck_assert(strstr(output, "survived") == NULL);
}
END_TEST

/** Compiled calls that would take minutes end soon after TERM. */
START_TEST(long_compiled_calls_stop_on_request) {
    static const char head[] = "cat > a.lua <<E\nlocal saros = require 'saros'\n";
    static const char tail[] = "\nE\n$SAROS run a.lua & up; sleep 1; kill -TERM $!; wait $!";
    static const char *const script[] = {
        "local p = saros.problem{name='heat', domain={x={0, 1}, t={0, 1}}, unknowns={'u'},\n"
        "  equation=function(s) return s.u.t - s.u.xx end, boundary={x=saros.dirichlet(0)},\n"
        "  initial=function(s) return saros.sin(math.pi*s.x) end}\n"
        "$UP p:solve{cells=2000, integrator='rk4', dt=1e-7}",
        "$UP saros.loop(1 << 40, function(c) return saros.sin(c) end, saros.ones{1000})",
    };
    for (size_t k = 0; k < sizeof script / sizeof *script; ++k) {
        char line[2048];
        snprintf(line, sizeof line, "%s%s%s", head, script[k], tail);
        expect(line, 75, "stopped on request before iteration");
    }
}
END_TEST

START_TEST(a_run_is_profiled_on_request) {
    static const char script[] =
        "echo 'local s = require \"saros\"; local x = s.ones{100, 100}; s.jit(function(y) return "
        "s.matmul(y, y) end)(x)' > a.lua; ";
    char line[1024];
    snprintf(line, sizeof line, "%sSAROS_PROFILE=1 $SAROS run a.lua", script);
    expect(line, 0, "dot f64[100,100]");
    ck_assert(strstr(output, "a.lua:1") != NULL && strstr(output, "Gflop/s") != NULL);
    snprintf(line, sizeof line,
             "%sSAROS_PROFILE=t.json $SAROS run a.lua && /usr/bin/python3 -c '"
             "import json; d = json.load(open(\"t.json\")); "
             "print(sum(e[\"name\"].startswith(\"dot\") for e in d[\"traceEvents\"]), "
             "d[\"otherData\"][\"kept\"] > 0)'",
             script);
    expect(line, 0, "1 True");
    expect("SAROS_PROFILE=often $SAROS info", 2, "needed 1 or FILE.json");
    snprintf(line, sizeof line, "%sSAROS_PROFILE=/no/folder/t.json $SAROS run a.lua", script);
    expect(line, 0, "cannot write /no/folder/t.json");
}
END_TEST

START_TEST(script_options_are_declared_and_checked) {
    static const char script[] =
        "cat > a.lua <<'E'\nlocal saros = require 'saros'\n"
        "local n = saros.arg{name='cells', default=64, doc='grid cells', min=4}\n"
        "local m = saros.arg{name='mode', default='a', one_of={'a', 'b'}}\nprint(n + 1, m)\nE\n";
    char line[2048];
    static const struct {
        const char *args;
        int code;
        const char *part;
    } cases[] = {{"", 0, "65\ta"},
                 {"--cells 8 --mode b", 0, "9\tb"},
                 {"--cells x", 1, "expected an integer"},
                 {"--cells 2", 1, "outside"},
                 {"--mode c", 1, "one of its values"},
                 {"--cels 8", 2, "did you mean --cells"},
                 {"--help", 0, "grid cells (default 64)"},
                 {"cells", 2, "pairs"}};
    for (size_t k = 0; k < sizeof cases / sizeof *cases; ++k) {
        snprintf(line, sizeof line, "%s$SAROS run a.lua %s", script, cases[k].args);
        expect(line, cases[k].code, cases[k].part);
    }
}
END_TEST

START_TEST(repl_reads_a_pipe) {
    expect("printf 'x = 2\\nx * 21\\nfor k = 1, 2 "
           "do\\nprint(k)\\nend\\n?sin\\nsaros.ones{2}\\nundefined\\n_\\n' | $SAROS",
           0, "42");
    ck_assert(strstr(output, "1\n2\n") && strstr(output, "saros.sin(x)") &&
              strstr(output, "f64[2] {1, 1}"));
    ck_assert(strstr(output, "undefined variable 'undefined'"));
}
END_TEST

START_TEST(check_solves_nothing) {
    static const char script[] = "cat > a.lua <<'E'\nlocal saros = require 'saros'\n"
                                 "local b = saros.equations.burgers{}\n"
                                 "local s = b:solve{ %s = 1000000000, times = 5 }\n"
                                 "print(string.format('%%g', s:at{x=0, t=1})) s:save('a.h5')\n"
                                 "assert(s:error(s) < 1)\nE\n$SAROS check a.lua";
    char line[2048];
    snprintf(line, sizeof line, script, "cells");
    expect(line, 0, "no errors found");
    snprintf(line, sizeof line, script, "cels");
    expect(line, 1, "did you mean 'cells'");
}
END_TEST

START_TEST(results_are_inspected_and_drawn) {
    expect("cat > a.lua <<'E'\nlocal h = require('saros').equations.heat{}\nh:solve{ cells = 16, "
           "save = 'h.h5' }\nE\n"
           "$SAROS run a.lua && $SAROS inspect h.h5",
           0, "u  f64[2,17]");
    ck_assert(strstr(output, "@complete = 1") && strstr(output, "provenance"));
    expect("$SAROS inspect nothing.h5", 1, "io error");
    expect("$SAROS inspect", 2, "usage");
    expect("$SAROS plot h.h5", 2, "usage");
    if (strstr(run("$SAROS info") ? "" : output, "gnuplot    yes"))
        expect("cat > a.lua <<'E'\nrequire('saros').equations.heat{}:solve{ cells = 16 "
               "}:save('h.h5')\nE\n$SAROS run a.lua && "
               "$SAROS plot h.h5 u -o h.png && head -c 4 h.png && ! $SAROS plot h.h5 u -o h.png",
               0, "PNG");
}
END_TEST

START_TEST(results_are_not_overwritten_unasked) {
    static const char script[] =
        "cat > a.lua <<'E'\nrequire('saros').equations.heat{}:solve{ cells = 16 }:save('h.h5')\nE\n"
        "$SAROS run a.lua && $SAROS run %s a.lua";
    char line[1024];
    snprintf(line, sizeof line, script, "");
    expect(line, 1, "io error");
    snprintf(line, sizeof line, script, "--overwrite");
    expect(line, 0, "");
}
END_TEST

START_TEST(help_and_info_speak) {
    expect("$SAROS info", 0, "saros ");
    expect("$SAROS --help", 0, "Exit: 0 done");
    expect("$SAROS help grid", 0, "integrator");
    expect("$SAROS help linspaces", 2, "did you mean linspace?");
    expect("$SAROS help --luacats > d.lua; head -1 d.lua; $SAROS run d.lua", 0, "---@meta saros");
}
END_TEST

START_TEST(progress_goes_to_a_log) {
    expect("cat > a.lua <<'E'\nrequire('saros').equations.heat{}:solve{ cells = 16 }\nE\n"
           "$SAROS run --quiet --log-json log a.lua; cat log",
           0, "");
    expect("$SAROS run --log-json /nowhere/log a.lua; true", 0, "cannot");
}
END_TEST

/** In a state that only has Lua's own libraries. */
START_TEST(stock_lua_loads_the_module) {
    char chunk[2048];
    lua_State *L = luaL_newstate();
    ck_assert(L != NULL);
    luaL_openlibs(L);
    snprintf(chunk, sizeof chunk,
             "package.cpath = '%s/../lib/lua/5.4/?.so' "
             "local saros = require 'saros' "
             "assert(saros.grad(function(x) return x^3 end)(2.0) == 12) "
             "local s = saros.equations.heat{}:solve{ cells = 16 } "
             "assert(s:at{ x = 0.5, t = 0.1 } < 1) "
             "assert(undefined_global == nil) "
             "local ok, e = pcall(saros.sin, 'x') assert(not ok and e.kind == 'type')",
             bin_folder());
    int code = luaL_dostring(L, chunk);
    ck_assert_msg(code == LUA_OK, "%s", luaL_tolstring(L, -1, NULL));
    lua_close(L);
}
END_TEST

SAROS_TEST_MAIN("lua/program", exit_codes_tell_what_happened, long_compiled_calls_stop_on_request,
                a_run_is_profiled_on_request, script_options_are_declared_and_checked,
                repl_reads_a_pipe, check_solves_nothing, results_are_inspected_and_drawn,
                results_are_not_overwritten_unasked, help_and_info_speak, progress_goes_to_a_log,
                stock_lua_loads_the_module)
