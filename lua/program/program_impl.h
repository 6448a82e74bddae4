/** The program: commands and what they share. */
#ifndef SAROS_PROGRAM_IMPL_H
#define SAROS_PROGRAM_IMPL_H

#include <lua.h>

#include "saros/lua.h"

/** Exit codes; 75 is EX_TEMPFAIL: run again to go on. */
enum { EXIT_DONE = 0, EXIT_ERROR = 1, EXIT_USAGE = 2, EXIT_NOT_CONVERGED = 3, EXIT_STOPPED = 75 };

/** Options of the program found among the words of a command; the other words stay. */
typedef struct program_options {
    bool quiet, overwrite, help;
    const char *log;
    int words;           /**< positional words and script options, in order */
    char **word;         /**< `words` entries of argv's own */
    bool script_options; /**< words of the form --name value are allowed */
} program_options;

/** Sorts argv[first …] into `o`; prints what is wrong and returns EXIT_USAGE, or EXIT_DONE. */
int program_options_read(int argc, char **argv, int first, program_options *o);
/** Prints the recorded error; the exit code it calls for. */
int program_failed(void);
/** New state with the module loaded as `saros` in package.loaded; NULL after printing an error. */
lua_State *program_state(const program_options *o, int argc, char **argv, const char *script_text,
                         bool check);
void program_state_close(lua_State *L);

/** Profiles the program as SAROS_PROFILE says; an exit code, EXIT_DONE if it may go on. */
int program_profile_start(void);
/** Prints or writes the profile, if there is one. */
void program_profile_end(void);

int command_run(int argc, char **argv);
int command_check(int argc, char **argv);
int command_inspect(int argc, char **argv);
int command_plot(int argc, char **argv);
int command_info(int argc, char **argv);
int command_help(int argc, char **argv);
int command_repl(void);

#endif
