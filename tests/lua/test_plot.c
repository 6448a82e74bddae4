/* Pictures: made where gnuplot is, of the right size, whatever the texts say; refused where it is
 * not. */
#include "plot_impl.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "saros/config.h"
#include "saros_check.h"

static char folder[64], png[96];

static void make_folder(void) {
    snprintf(folder, sizeof folder, "/tmp/saros-pictures-XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(folder));
    snprintf(png, sizeof png, "%s/a 'b' $(touch x) `touch y`.png", folder);
}

static void remove_folder(void) {
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    ck_assert_int_eq(system(command), 0);
}

/* Width and height from the header of a PNG (bytes 16 to 23, big-endian). */
static void ck_picture(unsigned width, unsigned height) {
    unsigned char byte[24] = {0};
    FILE *from = fopen(png, "rb");
    ck_assert_ptr_nonnull(from);
    ck_assert_uint_eq(fread(byte, 1, sizeof byte, from), sizeof byte);
    fclose(from);
    ck_assert_int_eq(memcmp(byte + 1, "PNG", 3), 0);
    ck_assert_uint_eq((unsigned)byte[18] << 8 | byte[19], width);
    ck_assert_uint_eq((unsigned)byte[22] << 8 | byte[23], height);
}

static const saros_plot_text text = {"it's u_x; system('touch z') \"q\"\nnext", "x", "u", "u"};

static saros_status lines(bool overwrite) {
    const double x[] = {0, 1, 2, 3}, y[] = {0, 1, NAN, 9}, z[] = {9, INFINITY, 1, 0};
    const saros_plot_series series[] = {{"grid'", 4, x, y, SAROS_PLOT_LINE},
                                        {NULL, 4, x, z, SAROS_PLOT_POINTS},
                                        {"exact", 4, x, z, SAROS_PLOT_DASHES}};
    return saros_plot_lines(png, overwrite, &text, 3, series);
}

START_TEST(lines_make_a_picture_and_texts_stay_texts) {
    make_folder();
    ck_ok(lines(false));
    ck_picture(1000, 600);
    char count[128];
    snprintf(count, sizeof count, "test $(ls %s | wc -l) = 1", folder);
    ck_assert_int_eq(system(count), 0);
    remove_folder();
}
END_TEST

START_TEST(an_existing_picture_is_kept_unless_asked) {
    make_folder();
    ck_ok(lines(false));
    ck_fails(lines(false), SAROS_ERR_IO);
    ck_ok(lines(true));
    remove_folder();
    ck_fails(lines(false), SAROS_ERR_IO); /* the folder is gone */
}
END_TEST

START_TEST(maps_of_constant_and_partly_missing_fields_are_drawn) {
    make_folder();
    const double x[] = {-1, 0, 1}, y[] = {0, 0.1, 1, 2};
    double u[12];
    for (int k = 0; k < 12; ++k) u[k] = 7;
    ck_ok(saros_plot_map(png, false, &text, 3, x, 4, y, u));
    ck_picture(1000, 600);
    u[5] = NAN;
    u[6] = -3;
    ck_ok(saros_plot_map(png, true, &text, 3, x, 4, y, u));
    ck_picture(1000, 600);
    remove_folder();
}
END_TEST

START_TEST(axes_that_do_not_increase_are_refused) {
    const double x[] = {0, 0}, y[] = {0, 1}, u[4] = {0};
    ck_fails(saros_plot_map("/tmp/never.png", false, &text, 2, x, 2, y, u), SAROS_ERR_USAGE);
    ck_fails(saros_plot_map("/tmp/never.png", false, &text, 1, x, 2, y, u), SAROS_ERR_USAGE);
    ck_fails(saros_plot_lines("/tmp/never.png", false, &text, 0, NULL), SAROS_ERR_USAGE);
}
END_TEST

START_TEST(without_gnuplot_the_error_says_so) {
    if (SAROS_HAVE_GNUPLOT) return;
    make_folder();
    ck_fails(lines(false), SAROS_ERR_UNSUPPORTED);
    remove_folder();
}
END_TEST

#if SAROS_HAVE_GNUPLOT
SAROS_TEST_MAIN("lua/plot", lines_make_a_picture_and_texts_stay_texts,
                an_existing_picture_is_kept_unless_asked,
                maps_of_constant_and_partly_missing_fields_are_drawn,
                axes_that_do_not_increase_are_refused, without_gnuplot_the_error_says_so)
#else
SAROS_TEST_MAIN("lua/plot", axes_that_do_not_increase_are_refused,
                without_gnuplot_the_error_says_so)
#endif
