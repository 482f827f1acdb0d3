# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Columns of features, made page by page: the same sums in the same order as in numpy, so the same bits.

Matrices of columns are given by columns, (f, n): see `arrays.side_by_side`. Logarithms are numpy's: of whole numbers they are
looked up, and what else there is to take one of is left to the caller.
"""

from libc.math cimport NAN, fabs
from libc.stdint cimport int32_t, int64_t
from libc.stdlib cimport calloc, free, malloc

cdef enum:  # as in blocks.py and consensus.py
    LEVELS = 4
    STEPS = 6
    WINDOWS = 5

cdef int* STEP = [-3, -2, -1, 1, 2, 3]
cdef int* WINDOW = [1, 2, 4, 8, 16]
cdef double RUN_FLOOR = 0.35
cdef double RUN_CHARS = 80

cdef double GRID = 1048576.0
cdef double ROUNDING = 6755399441055744.0  # 1.5 * 2 ** 52: what it is added to has no digits left behind the point


cdef inline double on_grid(double value) noexcept nogil:
    """`arrays.on_grid`."""
    cdef double scaled = value * GRID
    return (scaled if fabs(scaled) >= 2251799813685248.0 else (scaled + ROUNDING) - ROUNDING) / GRID


cdef inline void shift(const float* column, Py_ssize_t n, int step, float edge, float* out) noexcept nogil:
    """`context.shift` within one page."""
    cdef Py_ssize_t i, first = min(max(-step, 0), n), last = max(min(n - step, n), 0)
    for i in range(first):
        out[i] = edge
    for i in range(first, last):
        out[i] = column[i + step]
    for i in range(max(first, last), n):
        out[i] = edge


cdef struct Sums:  # up to each block of a page
    double value
    double known


cdef inline void add_up(const float* column, Py_ssize_t n, Sums* sums) noexcept nogil:
    cdef Py_ssize_t i
    sums[0] = Sums(0, 0)
    for i in range(n):
        if column[i] == column[i]:
            sums[i + 1] = Sums(sums[i].value + on_grid(column[i]), sums[i].known + 1)
        else:
            sums[i + 1] = sums[i]


cdef inline void window_mean(const Sums* sums, Py_ssize_t n, int reach, float* out) noexcept nogil:
    """`context.window_means` within one page, from what `add_up` made."""
    cdef Py_ssize_t i
    cdef double known
    cdef const Sums* low
    cdef const Sums* high
    for i in range(n):
        low, high = &sums[max(i - reach, 0)], &sums[min(i + reach + 1, n)]
        known = high.known - low.known
        out[i] = <float>((high.value - low.value) / known) if known > 0 else NAN


cdef Py_ssize_t longest_page(const int64_t[::1] offsets, Py_ssize_t n) except -1:
    """Return the rows of the longest page; ValueError where offsets do not go up from 0 to `n`."""
    cdef Py_ssize_t p, longest = 0
    if offsets.shape[0] == 0 or offsets[0] != 0 or offsets[offsets.shape[0] - 1] != n:
        raise ValueError("the page offsets do not fit the rows")
    for p in range(offsets.shape[0] - 1):
        if offsets[p + 1] < offsets[p]:
            raise ValueError("the page offsets go backwards")
        longest = max(longest, offsets[p + 1] - offsets[p])
    return longest


def neighbours(
    const float[:, ::1] own, const int64_t[::1] offsets, const int64_t[::1] shifted, const int64_t[::1] steps,
    const int64_t[::1] averaged, const int64_t[::1] windows, float[:, ::1] out,
):
    """`context.columns` of the columns `own`, float32 (f, n), in `out`, float32 (columns, n).

    `shifted` and `averaged` are numbers of columns, which there must be.
    """
    cdef Py_ssize_t p, n, s, k, first, row
    cdef Sums* sums = <Sums*>malloc((longest_page(offsets, own.shape[1]) + 1) * sizeof(Sums))
    if sums == NULL:
        raise MemoryError
    for p in range(offsets.shape[0] - 1):
        first, n, row = offsets[p], offsets[p + 1] - offsets[p], 0
        if n == 0:
            continue
        for s in range(steps.shape[0]):
            for k in range(shifted.shape[0]):
                shift(&own[shifted[k], first], n, steps[s], NAN, &out[row, first])
                row += 1
        for k in range(averaged.shape[0]):
            add_up(&own[averaged[k], first], n, sums)
            for s in range(windows.shape[0]):
                window_mean(sums, n, windows[s], &out[row + s * averaged.shape[0] + k, first])
    free(sums)


cdef struct Element:  # what stands under one element, in sums of whole numbers
    double size, chars, links, mass


def under_elements(
    const int32_t[:, ::1] holders, const int64_t[::1] n_chars, const int32_t[::1] link_chars, const float[::1] prose,
    double[:, :, ::1] out,
):
    """Add up, for each level and block, the blocks under its element, their characters, links and prose, float64 (LEVELS, 4, n)."""
    cdef Py_ssize_t i, level, n = holders.shape[0]
    cdef int32_t low = 0, high = -1
    cdef Element* all_elements
    cdef Element* element
    if not (n == n_chars.shape[0] == link_chars.shape[0] == prose.shape[0] == out.shape[2] and holders.shape[1] <= out.shape[0]):
        raise ValueError("what is known of the blocks is of different lengths")
    for i in range(n):
        for level in range(holders.shape[1]):
            low, high = min(low, holders[i, level]), max(high, holders[i, level])
    if low < 0:
        raise ValueError("an element has no number")
    all_elements = <Element*>malloc((<Py_ssize_t>high + 1) * sizeof(Element))
    if all_elements == NULL:
        raise MemoryError
    for level in range(holders.shape[1]):
        for i in range(n):
            all_elements[holders[i, level]] = Element(0, 0, 0, 0)
        for i in range(n):
            element = &all_elements[holders[i, level]]
            element.size += 1
            element.chars += n_chars[i]
            element.links += link_chars[i]
            element.mass += prose[i]
        for i in range(n):
            element = &all_elements[holders[i, level]]
            out[level, 0, i], out[level, 1, i] = element.size, element.chars
            out[level, 2, i], out[level, 3, i] = element.links, element.mass
    free(all_elements)


def nearest(const int64_t[::1] masks, const int32_t[:, ::1] named, float[:, ::1] out):
    """`markup._nearest` of names of which each bit of `masks` tells a family, in `out`, float32 (families, n), zeros."""
    cdef Py_ssize_t i, level, family
    cdef int64_t seen, fresh
    if named.shape[0] != out.shape[1]:
        raise ValueError("there is not a name for each block")
    for i in range(named.shape[0]):
        seen = 0
        for level in range(named.shape[1]):
            if not 0 <= named[i, level] < masks.shape[0]:
                continue
            fresh, family = masks[named[i, level]] & ~seen, 0
            seen |= fresh
            while fresh and family < out.shape[0]:
                if fresh & 1:
                    out[family, i] = <float>(1.0 / (1 + level))
                fresh >>= 1
                family += 1


def cue_sums(
    const int64_t[::1] term, const int64_t[::1] block, const int64_t[::1] start, const int64_t[::1] stop, const float[:, ::1] weight,
    double[:, ::1] hits, double[:, ::1] covered,
):
    """Add up the weights of cues, and the characters that they cover, for each group and block; see `cues.columns`."""
    cdef Py_ssize_t i, group
    for i in range(term.shape[0]):
        if not (0 <= term[i] < weight.shape[0] and 0 <= block[i] < hits.shape[1]):
            raise IndexError("a cue is of no term or in no block")
        for group in range(weight.shape[1]):
            if weight[term[i], group] != 0:
                hits[group, block[i]] += weight[term[i], group]
                covered[group, block[i]] += stop[i] - start[i]


# ---------------------------------------------------------------- what a first pass thinks of the surroundings

cdef struct Holder:  # what stands under one element
    double size, chars, mass, sure, content, spam


def surroundings(
    const float[:, ::1] proba, const int64_t[::1] n_chars, const int32_t[:, ::1] holders, const int64_t[::1] offsets,
    const double[::1] logs, const double[::1] log1ps, float[:, ::1] out, double[::1] totals, double[::1] from_centre,
):
    """`consensus.columns`, in `out`, float32 (columns, n), but for three columns that hold logs of no whole numbers.

    For these there are `totals`, float64 (p,), and `from_centre`, float64 (n,). `logs` and `log1ps` are those of all whole
    numbers up to the blocks of the longest page.
    """
    cdef Py_ssize_t p, first, n, longest = longest_page(offsets, proba.shape[0])
    if not (proba.shape[0] == n_chars.shape[0] == holders.shape[0] and holders.shape[1] == LEVELS and proba.shape[1] == 3):
        raise ValueError("what is known of the blocks is of different lengths")
    cdef double* content = <double*>malloc((longest + 1) * 3 * sizeof(double))
    cdef Sums* sums = <Sums*>malloc((longest + 1) * sizeof(Sums))
    cdef float* column = <float*>malloc((longest + 1) * 2 * sizeof(float))
    try:
        if content == NULL or sums == NULL or column == NULL:
            raise MemoryError
        for p in range(offsets.shape[0] - 1):
            first, n = offsets[p], offsets[p + 1] - offsets[p]
            if n:
                page_surroundings(
                    proba, n_chars, holders, logs, log1ps, out, &totals[p], from_centre, first, n,
                    content, content + longest + 1, content + 2 * (longest + 1), sums, column, column + longest + 1,
                )
    finally:
        free(content)
        free(sums)
        free(column)


cdef int page_surroundings(
    const float[:, ::1] proba, const int64_t[::1] n_chars, const int32_t[:, ::1] holders, const double[::1] logs,
    const double[::1] log1ps, float[:, ::1] out, double* page_total, double[::1] from_centre, Py_ssize_t first, Py_ssize_t n,
    double* content, double* spam, double* expected, Sums* sums, float* column, float* quotient,
) except -1:
    cdef Py_ssize_t i, s, k, row = 0
    cdef double total = 0, all_spam = 0, peak = 0, before = 0, moment = 0, share, centre
    for i in range(n):
        content[i], spam[i] = on_grid(proba[first + i, 0]), on_grid(proba[first + i, 2])
        expected[i] = content[i] * n_chars[first + i]
        total += expected[i]
        moment += expected[i] * i
        all_spam += spam[i]
        peak = max(peak, content[i])
        for k in range(3):
            out[k, first + i] = proba[first + i, k]
    centre = moment / max(total, 1e-9)
    total += 1.0
    page_total[0] = total
    row = 4  # behind the log odds of content
    for k in range(0, 3, 2):
        for i in range(n):
            column[i] = out[k, first + i] if out[k, first + i] == out[k, first + i] else 0
        for s in range(STEPS):
            shift(column, n, STEP[s], 0, &out[row, first])
            row += 1
    window_columns(content, spam, expected, &n_chars[first], n, sums, column, quotient, &out[row, first], out.shape[1])
    row += 3 * WINDOWS
    for k in range(LEVELS):
        holder_columns(holders, k, content, spam, expected, n_chars, logs, total, first, n, &out[row + 6 * k, first], out.shape[1])
    row += 6 * LEVELS
    for i in range(n):
        share = expected[i] / total
        out[row, first + i], out[row + 1, first + i] = <float>(before / total), <float>(1 - before / total - share)
        before += expected[i]
        out[row + 3, first + i], out[row + 4, first + i] = <float>share, <float>peak
        out[row + 5, first + i] = <float>(all_spam / n)
        from_centre[first + i] = i - centre
    row += 6
    run_columns(content, &n_chars[first], n, log1ps, &out[row, first], out.shape[1])
    return 0


cdef void window_columns(
    const double* content, const double* spam, const double* expected, const int64_t* n_chars, Py_ssize_t n, Sums* sums,
    float* column, float* quotient, float* out, Py_ssize_t stride,
) noexcept nogil:
    """Means over windows: of characters, those of content by all; of blocks."""
    cdef Py_ssize_t i, w, k
    for i in range(n):
        column[i] = <float>expected[i]
    add_up(column, n, sums)
    for w in range(WINDOWS):
        window_mean(sums, n, WINDOW[w], out + 3 * w * stride)
    for i in range(n):
        column[i] = <float>n_chars[i]
    add_up(column, n, sums)
    for w in range(WINDOWS):
        window_mean(sums, n, WINDOW[w], quotient)
        for i in range(n):
            out[3 * w * stride + i] /= quotient[i]
    for k in range(1, 3):
        for i in range(n):
            column[i] = <float>(content[i] if k == 1 else spam[i])
        add_up(column, n, sums)
        for w in range(WINDOWS):
            window_mean(sums, n, WINDOW[w], out + (3 * w + k) * stride)


cdef int holder_columns(
    const int32_t[:, ::1] holders, Py_ssize_t level, const double* content, const double* spam, const double* expected,
    const int64_t[::1] n_chars, const double[::1] logs, double total, Py_ssize_t first, Py_ssize_t n, float* out, Py_ssize_t stride,
) except -1:
    """What the blocks under the same element are like."""
    cdef Py_ssize_t i
    cdef int32_t low = holders[first, level], high = low
    cdef Holder* under
    cdef Holder* all_under
    for i in range(first, first + n):
        low, high = min(low, holders[i, level]), max(high, holders[i, level])
    all_under = <Holder*>calloc(<Py_ssize_t>high - low + 1, sizeof(Holder))
    if all_under == NULL:
        raise MemoryError
    for i in range(n):
        under = &all_under[holders[first + i, level] - low]
        under.size += 1
        under.chars += n_chars[first + i]
        under.mass += expected[i]
        under.sure += expected[i] * (content[i] > 0.5)
        under.content += content[i]
        under.spam += spam[i]
    for i in range(n):
        under = &all_under[holders[first + i, level] - low]
        out[i], out[stride + i] = <float>(under.mass / under.chars), <float>(under.mass / total)
        out[2 * stride + i], out[3 * stride + i] = <float>(under.content / under.size), <float>logs[<Py_ssize_t>under.size]
        out[4 * stride + i], out[5 * stride + i] = <float>(under.sure / total), <float>(under.spam / under.size)
    free(all_under)
    return 0


cdef struct Run:
    Py_ssize_t first, last


cdef inline double gain_of(double content, int64_t n_chars) noexcept nogil:
    return on_grid((content - RUN_FLOOR) * (n_chars if n_chars < RUN_CHARS else RUN_CHARS) - 1)


cdef void run_columns(
    const double* content, const int64_t* n_chars, Py_ssize_t n, const double[::1] log1ps, float* out, Py_ssize_t stride
) noexcept nogil:
    """Where a block stands to the run that has most content; see `mass.densest_run`."""
    cdef Py_ssize_t i, low_at = 0
    cdef double before = 0, low = 0, best = 0
    cdef Run run = Run(0, 0)
    for i in range(n):
        if before < low:
            low, low_at = before, i
        before += gain_of(content[i], n_chars[i])
        if i == 0 or before - low > best:
            best, run = before - low, Run(low_at, i)
    for i in range(n):
        out[i] = run.first <= i <= run.last
        out[stride + i] = <float>(log1ps[i - run.first] if i >= run.first else -log1ps[run.first - i])
        out[2 * stride + i] = <float>(log1ps[run.last - i] if i <= run.last else -log1ps[i - run.last])
