/* scope: sets of files compared, the set of highest expected F1, and what a learner makes of a history. */
#include "check.h"

#include "base/buf.h"
#include "base/must.h"
#include "scope/cut.h"
#include "scope/log.h"
#include "scope/score.h"

#include <math.h>

static void assert_near(double got, double want)
{
    if (!(fabs(got - want) < 1e-9)) {
        print_error("got %.17g, want %.17g\n", got, want);
        fail();
    }
}

/* --- scores ------------------------------------------------------------------------------------------------------- */

enum { LIST_MAX = 64 };

struct list {
    struct str items[LIST_MAX];
    uint32_t count;
};

/* "a b c" as a list. */
static struct list words_of(const char *text)
{
    struct list l = {.count = 0};
    struct str rest = str_from(text);
    struct str word;
    while (str_next(&rest, ' ', &word)) {
        assert_true(l.count < LIST_MAX);
        if (word.len > 0) {
            l.items[l.count++] = word;
        }
    }
    return l;
}

static struct scope_score score_of(const char *declared, const char *touched)
{
    struct list a = words_of(declared);
    struct list b = words_of(touched);
    return scope_compare(a.items, scope_set(a.items, a.count), b.items, scope_set(b.items, b.count));
}

static void scores(void **state)
{
    (void)state;
    static const struct {
        const char *declared;
        const char *touched;
        uint32_t hits, creep;
        double precision, recall, f1, jaccard;
    } rows[] = {
        {"a b", "a b", 2, 0, 1, 1, 1, 1},
        {"b a a b", "a b", 2, 0, 1, 1, 1, 1}, /* sets: order and repetitions are nothing */
        {"a b c d", "c d e", 2, 2, 0.5, 2.0 / 3, 4.0 / 7, 0.4},
        {"a", "b", 0, 1, 0, 0, 0, 0},
        {"", "a", 0, 0, 1, 0, 0, 0},
        {"a b", "", 0, 2, 0, 1, 0, 0},
        {"", "", 0, 0, 1, 1, 1, 1},
        {"a", "a b c d", 1, 0, 1, 0.25, 0.4, 0.25},
        {"ab", "a b", 0, 1, 0, 0, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scope_score s = score_of(rows[i].declared, rows[i].touched);
        print_message("%s | %s\n", rows[i].declared, rows[i].touched);
        assert_int_equal(s.hits, rows[i].hits);
        assert_int_equal(s.creep, rows[i].creep);
        assert_near(s.precision, rows[i].precision);
        assert_near(s.recall, rows[i].recall);
        assert_near(s.f1, rows[i].f1);
        assert_near(s.jaccard, rows[i].jaccard);
    }
}

static void means(void **state)
{
    (void)state;
    struct scope_tally groups[3] = {{.count = 0}};
    struct scope_score all = score_of("a b", "a b");
    struct scope_score none = score_of("a b", "c");
    struct scope_summary s = scope_summarize(&groups[0]);
    assert_true(s.count == 0 && s.f1 == 0 && s.f1_margin == 0 && s.creep == 0);
    scope_tally_add(&groups[0], &all);
    s = scope_summarize(&groups[0]);
    assert_true(s.count == 1 && s.f1 == 1 && s.f1_margin == 0);
    for (int i = 0; i < 3; i++) {
        scope_tally_add(&groups[2], &none);
    }
    scope_tally_add(&groups[2], &all);
    s = scope_summarize(&groups[2]);
    assert_int_equal(s.count, 4);
    assert_near(s.f1, 0.25);
    assert_near(s.creep, 1.5);
    assert_near(s.f1_margin, 1.96 * sqrt(0.1875 / 3));
    /* Groups count the same: one change against four; the empty one is left out. */
    s = scope_summarize_groups(groups, 3);
    assert_int_equal(s.count, 5);
    assert_near(s.f1, 0.625);
    assert_near(s.f1_margin, 1.96 * sqrt(0.1875 / 3) / 2);
}

/* --- the cut ------------------------------------------------------------------------------------------------------ */

/* By every one of the 2^count outcomes. */
static double plain_expected_f1(const double *p, uint32_t count, uint32_t k)
{
    double sum = 0;
    for (uint32_t outcome = 0; outcome < 1U << count; outcome++) {
        double probability = 1;
        uint32_t hits = 0;
        uint32_t touched = 0;
        for (uint32_t i = 0; i < count; i++) {
            bool is = (outcome >> i & 1) != 0;
            probability *= is ? p[i] : 1 - p[i];
            touched += is ? 1 : 0;
            hits += is && i < k ? 1 : 0;
        }
        sum += probability * 2 * hits / (k + touched);
    }
    return sum;
}

static uint64_t next_random(uint64_t *x)
{
    *x ^= *x << 13;
    *x ^= *x >> 7;
    *x ^= *x << 17;
    return *x;
}

static void the_cut_is_the_best_of_all(void **state)
{
    (void)state;
    uint64_t x = 88172645463325252ULL;
    for (int round = 0; round < 200; round++) {
        double p[10];
        uint32_t count = 1 + (uint32_t)(next_random(&x) % 10);
        double at = 1;
        for (uint32_t i = 0; i < count; i++) {
            at *= (double)(next_random(&x) % 1001) / 1000;
            p[i] = at;
        }
        double got;
        uint32_t k = scope_cut(p, count, count, &got);
        assert_in_range(k, 1, count);
        assert_near(got, plain_expected_f1(p, count, k));
        for (uint32_t other = 1; other <= count; other++) {
            assert_true(plain_expected_f1(p, count, other) < got + 1e-9);
        }
    }
}

static void the_cut_at_its_bounds(void **state)
{
    (void)state;
    double p[CUT_SEEN_MAX + 20];
    double f1 = 7;
    for (size_t i = 0; i < sizeof p / sizeof *p; i++) {
        p[i] = 1;
    }
    assert_int_equal(scope_cut(p, 0, 5, &f1), 0);
    assert_true(f1 == 0);
    assert_int_equal(scope_cut(p, 3, 3, &f1), 3);
    assert_int_equal(scope_cut(p, 3, 2, &f1), 2);
    assert_near(f1, 0.8);
    assert_int_equal(scope_cut(p, 3, 0, &f1), 0);
    assert_int_equal(scope_cut(p, 3, 9, &f1), 3);
    assert_near(f1, 1);
    assert_int_equal(scope_cut(p, CUT_SEEN_MAX + 20, UINT32_MAX, &f1), CUT_CHOSEN_MAX);
    p[0] = 0;
    assert_int_equal(scope_cut(p, 1, 1, &f1), 1);
    assert_true(f1 == 0);
}

/* --- a learner ---------------------------------------------------------------------------------------------------- */

static struct scope_learner *new_learner(uint64_t hash_seed)
{
    struct scope_settings settings = {.hash_seed = hash_seed};
    struct scope_learner *l = scope_learner_new(&settings);
    assert_non_null(l);
    return l;
}

static void learn(struct scope_learner *l, const char *title, const char *files)
{
    struct list f = words_of(files);
    struct scope_commit c = {str_from(title), f.items, f.count};
    struct err e;
    assert_int_equal(scope_learn(l, &c, &e), RC_OK);
}

/* tree: null for what was ever touched. */
static struct scope_prediction predict(struct scope_learner *l, const char *title, const char *tree)
{
    struct list t = words_of(tree == NULL ? "" : tree);
    struct scope_question q = {.title = str_from(title), .tree = tree == NULL ? NULL : t.items, .tree_count = t.count};
    struct scope_prediction p;
    struct err e;
    assert_int_equal(scope_predict(l, &q, &p, &e), RC_OK);
    return p;
}

static bool chose(const struct scope_prediction *p, const char *path)
{
    for (uint32_t i = 0; i < p->chosen; i++) {
        if (str_eq(p->guesses[i].path, str_from(path))) {
            return true;
        }
    }
    return false;
}

static bool lists(const struct scope_prediction *p, const char *path)
{
    struct scope_prediction all = *p;
    all.chosen = all.count;
    return chose(&all, path);
}

static const char everything[] = "src/parser.c src/lexer.c src/writer.c tests/parser.c tests/lexer.c tests/writer.c docs/a.md go.mod";

/* Three parts, each with its test; documents and a file that is touched by chance. */
static void learn_three_parts(struct scope_learner *l, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        learn(l, "fix(parser): take blanks", "src/parser.c tests/parser.c");
        learn(l, "fix(lexer): read digits", "src/lexer.c tests/lexer.c");
        learn(l, "feat(writer): print colours", i % 3 == 0 ? "src/writer.c tests/writer.c go.mod" : "src/writer.c tests/writer.c");
        learn(l, "docs: say more", "docs/a.md");
    }
}

static void a_named_file_wins(void **state)
{
    (void)state;
    struct scope_learner *l = new_learner(1);
    learn_three_parts(l, 30);
    struct scope_prediction p = predict(l, "fix(lexer): crash on an empty text", everything);
    assert_true(p.chosen == 2 && chose(&p, "src/lexer.c") && chose(&p, "tests/lexer.c"));
    p = predict(l, "feat(writer): write blanks", everything);
    assert_true(chose(&p, "src/writer.c") && chose(&p, "tests/writer.c") && !chose(&p, "src/lexer.c"));
    p = predict(l, "docs: the writer", everything);
    assert_true(chose(&p, "docs/a.md"));
    /* A file that was never touched, by its name alone. */
    p = predict(l, "fix(planner): loops", "src/parser.c src/planner.c src/lexer.c docs/a.md");
    assert_str(p.guesses[0].path, "src/planner.c");
    /* And the form in which the part stands before the colon. */
    p = predict(l, "src/planner: loops", "src/parser.c src/planner.c src/lexer.c docs/a.md");
    assert_str(p.guesses[0].path, "src/planner.c");
    scope_learner_free(l);
}

static void what_changed_together_comes_together(void **state)
{
    (void)state;
    struct scope_learner *l = new_learner(1);
    for (int i = 0; i < 40; i++) {
        learn(l, "release a version", "VERSION CHANGES.md");
        learn(l, "raise the limit of memory", "limits.conf tests/limits.py");
        learn(l, "mend a leak", "pool.c");
    }
    struct scope_prediction p = predict(l, "release another version", NULL);
    assert_true(p.chosen == 2 && chose(&p, "VERSION") && chose(&p, "CHANGES.md"));
    p = predict(l, "raise another limit", NULL);
    assert_true(p.chosen == 2 && chose(&p, "limits.conf") && chose(&p, "tests/limits.py"));
    assert_true(p.expected_f1 > 0.5 && p.expected_f1 <= 1);
    scope_learner_free(l);
}

static void what_is_gone_is_never_predicted(void **state)
{
    (void)state;
    struct scope_learner *l = new_learner(1);
    learn_three_parts(l, 20);
    struct scope_prediction p = predict(l, "fix(lexer): read digits", "src/parser.c tests/lexer.c");
    assert_true(p.count <= 2 && !lists(&p, "src/lexer.c") && lists(&p, "tests/lexer.c"));
    p = predict(l, "fix(lexer): read digits", "");
    assert_true(p.count == 0 && p.chosen == 0 && p.expected_f1 == 0);
    /* It comes back when it exists again. */
    p = predict(l, "fix(lexer): read digits", everything);
    assert_true(chose(&p, "src/lexer.c"));
    scope_learner_free(l);
}

static void the_order_of_history_counts(void **state)
{
    (void)state;
    struct scope_learner *old = new_learner(1);
    struct scope_learner *lately = new_learner(1);
    for (int part = 0; part < 2; part++) {
        for (int i = 0; i < 60; i++) {
            learn(old, "store the rows", part == 0 ? "store.py" : "store.c");
            learn(lately, "store the rows", part == 0 ? "store.c" : "store.py");
        }
    }
    struct scope_prediction p = predict(old, "store the rows", NULL);
    assert_true(p.chosen == 1 && chose(&p, "store.c"));
    p = predict(lately, "store the rows", NULL);
    assert_true(p.chosen == 1 && chose(&p, "store.py"));
    scope_learner_free(old);
    scope_learner_free(lately);
}

static void a_body_names_files(void **state)
{
    (void)state;
    struct scope_learner *l = new_learner(1);
    learn_three_parts(l, 30);
    struct list tree = words_of(everything);
    struct scope_question q = {.title = STR("tidy up"), .tree = tree.items, .tree_count = tree.count};
    struct scope_prediction without;
    struct scope_prediction with;
    struct scope_prediction prose;
    assert_int_equal(scope_predict(l, &q, &without, NULL), RC_OK);
    q.body = STR("The loop in\nsrc/writer.c is long.");
    assert_int_equal(scope_predict(l, &q, &with, NULL), RC_OK);
    q.body = STR("The parser, the lexer and the writer.");
    assert_int_equal(scope_predict(l, &q, &prose, NULL), RC_OK);
    assert_true(chose(&with, "src/writer.c") && !chose(&with, "src/parser.c"));
    assert_int_equal(prose.count, without.count);
    for (uint32_t i = 0; i < prose.count; i++) {
        assert_true(prose.guesses[i].probability == without.guesses[i].probability);
    }
    scope_learner_free(l);
}

static double probability_of(const struct scope_prediction *p, const char *path)
{
    for (uint32_t i = 0; i < p->count; i++) {
        if (str_eq(p->guesses[i].path, str_from(path))) {
            return p->guesses[i].probability;
        }
    }
    return 0;
}

static void what_is_written_out_is_taken_at_its_word(void **state)
{
    (void)state;
    static const struct {
        const char *title;
        const char *path;
        double least;
    } rows[] = {
        {"tidy up src/writer.c", "src/writer.c", 0.9},
        {"tidy up (`src/writer.c`).", "src/writer.c", 0.9},
        {"tidy up ./src/writer.c, please", "src/writer.c", 0.9},
        {"tidy up writer.c", "src/writer.c", 0.45}, /* two fit: its test is called the same */
        {"tidy up writer.c", "tests/writer.c", 0.45},
        {"tidy up go.mod", "go.mod", 0.9},
    };
    struct scope_learner *l = new_learner(1);
    learn_three_parts(l, 30);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct scope_prediction p = predict(l, rows[i].title, everything);
        assert_true(probability_of(&p, rows[i].path) >= rows[i].least);
        assert_true(chose(&p, rows[i].path));
    }
    /* Only what exists, only at a folder's border, only what looks like a path. */
    struct scope_prediction p = predict(l, "tidy up src/writer.c", "src/parser.c docs/a.md");
    assert_true(p.count == 2 && !lists(&p, "src/writer.c"));
    p = predict(l, "tidy up iter.c .c c. / go", everything);
    assert_true(probability_of(&p, "src/writer.c") < 0.4 && probability_of(&p, "go.mod") < 0.4);
    scope_learner_free(l);
}

static void a_text_writes_out_so_many_files(void **state)
{
    (void)state;
    struct scope_learner *l = new_learner(1);
    static char names[SCOPE_MENTIONS_MAX + 1][16];
    struct str tree[SCOPE_MENTIONS_MAX + 1];
    struct buf body;
    struct scope_prediction p;
    buf_init(&body, SCOPE_BODY_MAX);
    for (size_t i = 0; i <= SCOPE_MENTIONS_MAX; i++) {
        snprintf(names[i], sizeof names[i], "a%zu.c", i);
        tree[i] = str_from(names[i]);
        buf_printf(&body, "a%zu.c ", i);
    }
    struct scope_question q = {.title = STR("x"), .body = buf_view(&body), .tree = tree, .tree_count = SCOPE_MENTIONS_MAX + 1};
    assert_int_equal(scope_predict(l, &q, &p, NULL), RC_OK);
    assert_int_equal(p.count, SCOPE_CANDIDATES_MAX);
    assert_true(lists(&p, "a63.c") && !lists(&p, "a64.c"));
    q.body = STR("a64.c");
    assert_int_equal(scope_predict(l, &q, &p, NULL), RC_OK);
    assert_true(lists(&p, "a64.c") && p.chosen == 1);
    buf_done(&body);
    scope_learner_free(l);
}

/* --- hostile texts ------------------------------------------------------------------------------------------------ */

static void any_bytes_are_a_title_and_a_path(void **state)
{
    (void)state;
    struct scope_learner *l = new_learner(1);
    static const struct str titles[] = {
        {"", 0},           {NULL, 0},         {"\xff\xfe\x80(\xc0): \xf0", 9}, {"a\0b: c", 6},  {"(((((((", 7},
        {"fix(:", 5},      {"fix(a):", 7},    {":", 1},                        {"!!!:!!!", 7},  {"fix()!:", 7},
        {"____ _a_ A__B", 13}, {"A\nB\nC: d", 9}, {"\xd0\xbf\xd1\x80\xd0\xb8", 6},
    };
    static const struct str paths[] = {{"a\nb.c", 5}, {"\xff\xfe", 2},   {".", 1},    {"/", 1},   {"..", 2},
                                       {"a/", 2},     {".gitignore", 10}, {"a.b.c.", 6}, {"\0", 1}, {"\xd0\xbf.c", 4}};
    enum { TITLES = sizeof titles / sizeof *titles, PATHS = sizeof paths / sizeof *paths };
    for (int round = 0; round < 3; round++) {
        for (size_t i = 0; i < TITLES; i++) {
            struct scope_commit c = {titles[i], &paths[i % PATHS], 1};
            struct scope_question q = {.title = titles[i], .body = titles[TITLES - 1 - i], .tree = paths, .tree_count = PATHS};
            struct scope_prediction p;
            assert_int_equal(scope_learn(l, &c, NULL), RC_OK);
            assert_int_equal(scope_predict(l, &q, &p, NULL), RC_OK);
            assert_in_range(p.chosen, 1, p.count);
        }
    }
    struct scope_prediction p = predict(l, "\xd0\xbf\xd1\x80\xd0\xb8", NULL);
    assert_true(lists(&p, "\xff\xfe") || p.count > 0);
    scope_learner_free(l);
}

/* --- limits ------------------------------------------------------------------------------------------------------- */

static void commits_have_a_limit(void **state)
{
    (void)state;
    struct scope_learner *l = new_learner(1);
    struct err e;
    for (int i = 0; i < SCOPE_COMMITS_MAX; i++) {
        learn(l, i % 512 == 0 ? "a title" : "", i % 512 == 0 ? "a.c" : "");
    }
    struct scope_commit c = {STR("one more"), NULL, 0};
    assert_int_equal(scope_learn(l, &c, &e), RC_LIMIT);
    assert_str(str_from(e.text), "more than 32768 commits");
    struct scope_prediction p = predict(l, "a title", NULL);
    assert_true(lists(&p, "a.c"));
    scope_learner_free(l);
}

static void a_sweep_teaches_only_that_files_exist(void **state)
{
    (void)state;
    struct scope_learner *l = new_learner(1);
    struct str files[SCOPE_COMMIT_FILES_MAX + 1];
    static char names[SCOPE_COMMIT_FILES_MAX + 1][16];
    for (size_t i = 0; i <= SCOPE_COMMIT_FILES_MAX; i++) {
        snprintf(names[i], sizeof names[i], "f%zu.c", i);
        files[i] = str_from(names[i]);
    }
    struct scope_commit all = {STR("indent"), files, SCOPE_COMMIT_FILES_MAX + 1};
    struct scope_commit many = {STR("rename"), files, SCOPE_SWEEP_FILES + 1};
    struct scope_commit few = {STR("mend"), files, SCOPE_SWEEP_FILES};
    for (int i = 0; i < 8; i++) {
        assert_int_equal(scope_learn(l, &all, NULL), RC_OK);
        assert_int_equal(scope_learn(l, &many, NULL), RC_OK);
        assert_int_equal(scope_learn(l, &few, NULL), RC_OK);
    }
    struct scope_prediction indent = predict(l, "indent", NULL);
    struct scope_prediction renamed = predict(l, "rename", NULL);
    struct scope_prediction mended = predict(l, "mend", NULL);
    /* A word of a sweep says as little as one that nobody ever wrote. */
    assert_true(indent.guesses[0].probability == renamed.guesses[0].probability);
    assert_true(mended.guesses[0].probability > renamed.guesses[0].probability);
    assert_int_equal(mended.count, SCOPE_SWEEP_FILES);
    assert_int_equal(mended.chosen, SCOPE_CHOSEN_MAX);
    /* The file behind the last is not known; the last is. */
    struct scope_prediction last = predict(l, "f4095", NULL);
    assert_true(lists(&last, "f4095.c"));
    last = predict(l, "f4096", NULL);
    assert_false(lists(&last, "f4096.c"));
    scope_learner_free(l);
}

/* Same probabilities for both: what differs was not read. */
static void check_same(struct scope_learner *l, struct scope_question a, struct scope_question b, bool same)
{
    struct scope_prediction p;
    struct scope_prediction r;
    assert_int_equal(scope_predict(l, &a, &p, NULL), RC_OK);
    assert_int_equal(scope_predict(l, &b, &r, NULL), RC_OK);
    bool differs = p.count != r.count;
    for (uint32_t i = 0; !differs && i < p.count; i++) {
        differs = p.guesses[i].probability != r.guesses[i].probability;
    }
    assert_true(differs == !same);
}

static void titles_and_bodies_are_cut(void **state)
{
    (void)state;
    struct scope_learner *l = new_learner(1);
    static char title[SCOPE_TITLE_MAX + 16];
    static char body[SCOPE_BODY_MAX + 32];
    learn_three_parts(l, 10);
    memset(title, '-', sizeof title);
    memcpy(title + SCOPE_TITLE_MAX - 5, "lexer", 5);
    struct scope_question at_end = {.title = {title, SCOPE_TITLE_MAX}};
    struct scope_question none = {.title = {title, SCOPE_TITLE_MAX - 5}};
    check_same(l, at_end, none, false);
    memset(title, '-', sizeof title);
    memcpy(title + SCOPE_TITLE_MAX, "lexer", 5);
    check_same(l, (struct scope_question){.title = {title, SCOPE_TITLE_MAX + 5}}, none, true);
    memset(body, ' ', sizeof body);
    memcpy(body + SCOPE_BODY_MAX - 11, "src/lexer.c", 11);
    none = (struct scope_question){.title = STR("x")};
    check_same(l, (struct scope_question){.title = STR("x"), .body = {body, SCOPE_BODY_MAX}}, none, false);
    memset(body, ' ', sizeof body);
    memcpy(body + SCOPE_BODY_MAX, "src/lexer.c", 11);
    check_same(l, (struct scope_question){.title = STR("x"), .body = {body, SCOPE_BODY_MAX + 11}}, none, true);
    scope_learner_free(l);
}

/* Words that nobody has seen, then one that says something. */
static void a_title_has_so_many_words(void **state)
{
    (void)state;
    struct scope_learner *l = new_learner(1);
    struct buf title;
    learn_three_parts(l, 10);
    buf_init(&title, SCOPE_TITLE_MAX);
    /* One of the words is the type that every title has. */
    for (int i = 0; i < SCOPE_TITLE_WORDS_MAX - 2; i++) {
        buf_printf(&title, "q%d ", i);
    }
    size_t before = title.len;
    buf_str(&title, STR("lexer"));
    struct scope_prediction with = {.count = 0};
    struct scope_question q = {.title = buf_view(&title)};
    assert_int_equal(scope_predict(l, &q, &with, NULL), RC_OK);
    title.len = before;
    buf_str(&title, STR("qq qqq lexer"));
    q.title = buf_view(&title);
    struct scope_prediction beyond = {.count = 0};
    assert_int_equal(scope_predict(l, &q, &beyond, NULL), RC_OK);
    assert_true(with.guesses[0].probability > beyond.guesses[0].probability);
    assert_true(str_ends(with.guesses[0].path, STR("/lexer.c")));
    buf_done(&title);
    scope_learner_free(l);
}

static void long_paths_are_never_predicted(void **state)
{
    (void)state;
    struct scope_learner *l = new_learner(1);
    static char path[SCOPE_PATH_MAX + 1];
    memset(path, 'a', sizeof path);
    struct str files[2] = {{path, SCOPE_PATH_MAX}, {path, SCOPE_PATH_MAX + 1}};
    struct scope_commit c = {STR("x"), files, 2};
    assert_int_equal(scope_learn(l, &c, NULL), RC_OK);
    struct scope_prediction p = predict(l, "x", NULL);
    assert_int_equal(p.count, 1);
    assert_int_equal(p.guesses[0].path.len, SCOPE_PATH_MAX);
    scope_learner_free(l);
}

/* Every commit: new words only, on files that are the same; words and links come to their ends. */
static void words_and_links_have_limits(void **state)
{
    (void)state;
    struct scope_learner *l = new_learner(1);
    static char names[SCOPE_SWEEP_FILES][16];
    struct str files[SCOPE_SWEEP_FILES];
    struct buf title;
    enum { WORDS = SCOPE_TITLE_WORDS_MAX - 2 };
    _Static_assert((uint64_t)SCOPE_WORDS_MAX * SCOPE_SWEEP_FILES > SCOPE_LINKS_MAX, "links end before words");
    for (size_t i = 0; i < SCOPE_SWEEP_FILES; i++) {
        snprintf(names[i], sizeof names[i], "d%zu/f.c", i);
        files[i] = str_from(names[i]);
    }
    buf_init(&title, SCOPE_TITLE_MAX);
    for (int i = 0; i < SCOPE_WORDS_MAX / WORDS + 10; i++) {
        buf_reset(&title);
        for (int k = 0; k < WORDS; k++) {
            buf_printf(&title, "w%xx ", (unsigned)(i * WORDS + k));
        }
        assert_int_equal(title.rc, RC_OK);
        struct scope_commit c = {buf_view(&title), files, SCOPE_SWEEP_FILES};
        assert_int_equal(scope_learn(l, &c, NULL), RC_OK);
    }
    /* A word from before the end is known, one from behind it says as little as one that nobody ever wrote. */
    struct scope_question known = {.title = STR("w0x")};
    struct scope_question late = {.title = buf_view(&title)};
    late.title.len = str_find(late.title, ' ');
    struct scope_question never = {.title = STR("never")};
    check_same(l, late, never, true);
    check_same(l, known, never, false);
    buf_done(&title);
    scope_learner_free(l);
}

static void trees_have_limits(void **state)
{
    (void)state;
    struct scope_learner *l = new_learner(1);
    enum { FILES = SCOPE_FILES_MAX + 8, NAME = 24 };
    char(*names)[NAME] = malloc((size_t)FILES * NAME);
    struct str *tree = malloc((size_t)FILES * sizeof *tree);
    struct scope_prediction p;
    assert_true(names != NULL && tree != NULL);
    for (size_t i = 0; i < FILES; i++) {
        /* Half of them are called after the one word, half after the other: more than a word is followed to. */
        snprintf(names[i], NAME, "%zu/%s.c", i, i >= FILES - 8 ? "late" : i % 2 == 0 ? "even" : "odd");
        tree[i] = str_from(names[i]);
    }
    struct scope_question q = {.title = STR("even odd"), .tree = tree, .tree_count = FILES};
    assert_int_equal(scope_predict(l, &q, &p, NULL), RC_OK);
    assert_int_equal(p.count, SCOPE_CANDIDATES_MAX);
    q.title = STR("late");
    assert_int_equal(scope_predict(l, &q, &p, NULL), RC_OK);
    assert_int_equal(p.count, 0);
    scope_learner_free(l);
    free(names);
    free(tree);
}

/* --- what must hold of any history -------------------------------------------------------------------------------- */

enum { WORLD_FILES = 40, WORLD_COMMITS = 150 };

static const char *const vocabulary[] = {"fix",  "feat(parser):", "docs:", "parser", "lexer", "writer",  "cache", "limit",
                                         "read", "write",         "a",     "slow",   "fast",  "HTTPGet", "x_y",   "\xff"};

static struct str random_title(uint64_t *x, char *room, size_t size)
{
    size_t len = 0;
    for (uint64_t words = next_random(x) % 7; words > 0; words--) {
        const char *word = vocabulary[next_random(x) % (sizeof vocabulary / sizeof *vocabulary)];
        len += (size_t)snprintf(room + len, size - len, "%s ", word);
    }
    return (struct str){room, len};
}

static uint32_t random_files(uint64_t *x, const struct str *all, struct str *ret, uint32_t max)
{
    uint32_t count = 0;
    for (uint32_t i = 0; i < WORLD_FILES && count < max; i++) {
        if (next_random(x) % 8 == 0) {
            ret[count++] = all[i];
        }
    }
    return count;
}

static void check_prediction(const struct scope_prediction *p, const struct scope_question *q)
{
    must(p->chosen <= p->count && (p->chosen > 0 || p->count == 0) && p->chosen <= SCOPE_CHOSEN_MAX);
    must(p->expected_f1 >= 0 && p->expected_f1 <= 1);
    for (uint32_t i = 0; i < p->count; i++) {
        const struct scope_guess *g = &p->guesses[i];
        bool exists = false;
        must(g->probability >= 0 && g->probability <= 1);
        must(i == 0 || g->probability < g[-1].probability ||
             (g->probability == g[-1].probability && str_cmp(g->path, g[-1].path) > 0));
        for (uint32_t k = 0; k < q->tree_count; k++) {
            exists = exists || str_eq(g->path, q->tree[k]);
        }
        must(exists);
    }
}

static bool same_prediction(const struct scope_prediction *a, const struct scope_prediction *b)
{
    bool same = a->count == b->count && a->chosen == b->chosen && a->expected_f1 == b->expected_f1;
    for (uint32_t i = 0; same && i < a->count; i++) {
        same = str_eq(a->guesses[i].path, b->guesses[i].path) && a->guesses[i].probability == b->guesses[i].probability;
    }
    return same;
}

/* Two learners of one history, with other hash seeds; only one of them is asked in between, about other trees. */
static void random_history(uint64_t seed)
{
    uint64_t x = seed;
    char names[WORLD_FILES][32];
    char title[256];
    struct str all[WORLD_FILES];
    struct str some[WORLD_FILES];
    struct scope_learner *asked = new_learner(seed);
    struct scope_learner *quiet = new_learner(~seed);
    for (uint32_t i = 0; i < WORLD_FILES; i++) {
        snprintf(names[i], sizeof names[i], "d%u/%s%s.%s", i % 3, i % 2 == 0 ? "" : "test_", vocabulary[3 + i % 12],
                 i % 5 == 0 ? "md" : i % 7 == 0 ? "c\n" : "c");
        all[i] = str_from(names[i]);
    }
    for (int i = 0; i < WORLD_COMMITS; i++) {
        struct scope_commit c = {random_title(&x, title, sizeof title), some, random_files(&x, all, some, 30)};
        must(scope_learn(asked, &c, NULL) == RC_OK && scope_learn(quiet, &c, NULL) == RC_OK);
        struct scope_prediction p;
        struct scope_question q = {.title = random_title(&x, title, sizeof title), .tree = some};
        q.tree_count = random_files(&x, all, some, WORLD_FILES);
        must(scope_predict(asked, &q, &p, NULL) == RC_OK);
        check_prediction(&p, &q);
    }
    for (int i = 0; i < 20; i++) {
        struct scope_prediction p;
        struct scope_prediction r;
        struct scope_question q = {.title = random_title(&x, title, sizeof title), .tree = some};
        q.tree_count = random_files(&x, all, some, WORLD_FILES);
        must(scope_predict(asked, &q, &p, NULL) == RC_OK && scope_predict(quiet, &q, &r, NULL) == RC_OK);
        if (!same_prediction(&p, &r)) {
            print_error("seed %llu: two learners of one history differ\n", (unsigned long long)seed);
            fail();
        }
    }
    scope_learner_free(asked);
    scope_learner_free(quiet);
}

static void equal_histories_give_equal_answers(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 12; seed++) {
        random_history(seed * 0x9e3779b97f4a7c15ULL);
    }
}

/* Beside the three parts a word that goes with one file of four: none is likelier than not. */
static void learn_what_is_open(struct scope_learner *l)
{
    static const char *const files[] = {"one.c", "two.c", "three.c", "four.c"};
    uint64_t x = 88172645463325252ULL;
    learn_three_parts(l, 12);
    for (int i = 0; i < 60; i++) {
        learn(l, "mend", files[next_random(&x) % 4]);
    }
}

/* Each ingredient changes something: an option that does nothing would measure nothing. */
static void every_ingredient_counts(void **state)
{
    (void)state;
    static const char *const titles[] = {"feat(writer): read digits", "mend"};
    enum { TITLES = sizeof titles / sizeof *titles };
    struct scope_learner *whole = new_learner(1);
    learn_what_is_open(whole);
    for (uint32_t i = 0; scope_ingredient_name(i) != NULL; i++) {
        struct scope_settings settings = {.without = 1U << i};
        struct scope_learner *l = scope_learner_new(&settings);
        assert_non_null(l);
        learn_what_is_open(l);
        bool differs = false;
        for (size_t k = 0; k < TITLES; k++) {
            struct scope_prediction p = predict(whole, titles[k], NULL);
            struct scope_prediction r = predict(l, titles[k], NULL);
            differs = differs || !same_prediction(&p, &r);
        }
        assert_true(differs);
        scope_learner_free(l);
    }
    assert_string_equal(scope_ingredient_name(0), "recency");
    scope_learner_free(whole);
}

/* --- git log ------------------------------------------------------------------------------------------------------ */

#define ID_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define RAW ":100644 100644 1111111 2222222 M\0"

static void a_log_is_read(void **state)
{
    (void)state;
    /* The newest first; a subject that looks like a commit, paths that look like anything. */
    static const char text[] = ID_A " " ID_B "\0" ID_B "\0\n" RAW "a\nb.c\0" RAW ":100644\0" RAW ID_A "\0" ID_B " \0\0\n" RAW "\xff\0";
    struct arena *a = arena_new(64 << 20);
    struct scope_log log;
    struct err e;
    assert_int_equal(scope_log_read(a, (struct str){text, sizeof text - 1}, &log, &e), RC_OK);
    assert_int_equal(log.count, 2);
    assert_str(log.commits[0].id, ID_B);
    assert_int_equal(log.commits[0].parent.len, 0);
    assert_int_equal(log.commits[0].commit.title.len, 0);
    assert_int_equal(log.commits[0].commit.file_count, 1);
    assert_str(log.commits[0].commit.files[0], "\xff");
    assert_str(log.commits[1].id, ID_A);
    assert_str(log.commits[1].parent, ID_B);
    assert_str(log.commits[1].commit.title, ID_B);
    assert_int_equal(log.commits[1].commit.file_count, 3);
    assert_str(log.commits[1].commit.files[0], "a\nb.c");
    assert_str(log.commits[1].commit.files[1], ":100644");
    assert_str(log.commits[1].commit.files[2], ID_A);
    assert_int_equal(scope_log_read(a, STR(""), &log, &e), RC_OK);
    assert_int_equal(log.count, 0);
    arena_free(a);
}

static void a_broken_log_is_refused(void **state)
{
    (void)state;
    const struct {
        struct str text;
        const char *said;
    } rows[] = {
        {STR("x"), "the output of git log at byte 0: expected a commit"},
        {STR("x\0y\0"), "the output of git log at byte 2: expected a commit"},
        {STR(ID_A), "the output of git log at byte 0: expected a commit"},
        {STR(ID_A "\0"), "the output of git log at byte 41: expected a subject"},
        {STR(ID_A "\0s"), "the output of git log at byte 41: expected a subject"},
        {STR(ID_A " c\0s\0"), "the output of git log at byte 43: expected a commit"},
        {STR(ID_A "\0s\0" RAW), "the output of git log at byte 76: expected a path"},
        {STR(ID_A "\0s\0" RAW "\0"), "the output of git log at byte 77: expected a path"},
        {STR(ID_A "\0s\0" RAW "p"), "the output of git log at byte 76: expected a path"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct arena *a = arena_new(64 << 20);
        struct scope_log log;
        struct err e;
        assert_int_equal(scope_log_read(a, rows[i].text, &log, &e), RC_INVALID);
        assert_str(str_from(e.text), rows[i].said);
        arena_free(a);
    }
}

static void a_log_has_limits(void **state)
{
    (void)state;
    struct buf text;
    struct arena *a = arena_new(64 << 20);
    struct scope_log log;
    struct err e;
    buf_init(&text, 1 << 20);
    for (int i = 0; i < SCOPE_LOG_COMMITS_MAX; i++) {
        buf_put(&text, ID_A "\0s\0", 43);
    }
    assert_int_equal(scope_log_read(a, buf_view(&text), &log, &e), RC_OK);
    assert_int_equal(log.count, SCOPE_LOG_COMMITS_MAX);
    buf_put(&text, ID_A "\0s\0", 43);
    assert_int_equal(scope_log_read(a, buf_view(&text), &log, &e), RC_LIMIT);
    arena_free(a);
    a = arena_new(4096);
    assert_int_equal(scope_log_read(a, buf_view(&text), &log, &e), RC_LIMIT);
    buf_done(&text);
    arena_free(a);
}

static void lists_are_read(void **state)
{
    (void)state;
    struct arena *a = arena_new(1 << 20);
    struct scope_list list;
    assert_int_equal(scope_list_read(a, STR("a\nb\0\0c"), '\0', &list, NULL), RC_OK);
    assert_int_equal(list.count, 2);
    assert_str(list.items[0], "a\nb");
    assert_str(list.items[1], "c");
    assert_int_equal(scope_list_read(a, STR(""), '\n', &list, NULL), RC_OK);
    assert_int_equal(list.count, 0);
    arena_free(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scores),
        cmocka_unit_test(means),
        cmocka_unit_test(the_cut_is_the_best_of_all),
        cmocka_unit_test(the_cut_at_its_bounds),
        cmocka_unit_test(a_named_file_wins),
        cmocka_unit_test(what_changed_together_comes_together),
        cmocka_unit_test(what_is_gone_is_never_predicted),
        cmocka_unit_test(the_order_of_history_counts),
        cmocka_unit_test(a_body_names_files),
        cmocka_unit_test(what_is_written_out_is_taken_at_its_word),
        cmocka_unit_test(a_text_writes_out_so_many_files),
        cmocka_unit_test(any_bytes_are_a_title_and_a_path),
        cmocka_unit_test(commits_have_a_limit),
        cmocka_unit_test(a_sweep_teaches_only_that_files_exist),
        cmocka_unit_test(titles_and_bodies_are_cut),
        cmocka_unit_test(a_title_has_so_many_words),
        cmocka_unit_test(long_paths_are_never_predicted),
        cmocka_unit_test(words_and_links_have_limits),
        cmocka_unit_test(trees_have_limits),
        cmocka_unit_test(equal_histories_give_equal_answers),
        cmocka_unit_test(every_ingredient_counts),
        cmocka_unit_test(a_log_is_read),
        cmocka_unit_test(a_broken_log_is_refused),
        cmocka_unit_test(a_log_has_limits),
        cmocka_unit_test(lists_are_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
