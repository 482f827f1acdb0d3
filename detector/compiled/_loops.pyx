# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""Inner loops of the search for injected strings and of the evidence of words: the same sums in the same order as in numpy, so the same bits."""

cimport cython
from libc.math cimport INFINITY, sqrt
from libc.stdint cimport int8_t, int32_t, int64_t, uint8_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc
from libc.string cimport memset

cdef extern from *:
    """
    #if defined(__GNUC__)
    #define prefetch(address) __builtin_prefetch(address)
    #else
    #define prefetch(address)
    #endif
    """
    void prefetch(const void* address) noexcept nogil

cdef enum:  # as in heat.py
    KINDS = 8
    FRAME = 9  # places of a frame
    AFTER = 3  # of its places that stand behind the character itself
    GRAMS = 3  # tables of n-grams, whose rows are GRAM_FRAME wide and begin at place GRAM_FIRST of the frame
    GRAM_FRAME = 8
    GRAM_FIRST = 2
    TABLES = 7  # that share the frame; the last of all, that of the cues, is wider
    CUE_WIDTH = 17
    CUE_BEFORE = 8
    LABELS = 3
    ROOMY = 4  # slots an n-gram, lest many meet
    HEAD = 4  # as in network.py
    AHEAD = 12  # characters whose rows of the large tables are fetched before they are needed

ctypedef const float* Row

cdef struct Char:  # what is looked up of a character, and the rows it has in the tables of n-grams
    uint32_t[3] wide  # as hashed for the background
    uint32_t[3] gram
    float single, pair, triple  # counts in the background
    uint8_t pair_level, triple_level


cdef inline uint64_t mixed(uint64_t rolling, int bits) noexcept nogil:
    return ((rolling ^ (rolling >> 29)) * <uint64_t>0x9E3779B97F4A7C15) >> (64 - bits)


cdef inline uint64_t rolled(uint64_t rolling, uint64_t following) noexcept nogil:
    return (rolling ^ (rolling >> 31)) * <uint64_t>0xC2B2AE3D27D4EB4F + following * <uint64_t>0x165667B19E3779F9


cdef inline int level(float value, float low, float step, int n) noexcept nogil:
    cdef float graded = (value - low) * step
    return 0 if graded < 0 else n - 1 if graded > n - 1 else <int>graded


cdef void look_up(
    Char* chars, const uint64_t[::1] folded, const int[::1] bits, const int[::1] shifts,
    const uint8_t[::1] singles, const uint8_t[::1] pairs, const uint8_t[::1] triples,
    uint64_t edge, const int8_t[::1] topic1, const int8_t[::1] topic2, const int8_t[::1] topic3, int32_t[::1] steps,
) noexcept nogil:
    """`background.gram_buckets`, the background's counts, and `topic.topic_steps`."""
    cdef Py_ssize_t i, j, n = folded.shape[0]
    cdef uint64_t rolling
    cdef Char* char
    for i in range(n + AHEAD):
        if i < n:
            char = &chars[i]
            rolling = folded[i] * <uint64_t>0x9E3779B97F4A7C15
            char.wide[0] = mixed(rolling, bits[0])
            rolling = rolled(rolling, folded[i + 1] if i + 1 < n else 0)
            char.wide[1] = mixed(rolling, bits[1])
            rolling = rolled(rolling, folded[i + 2] if i + 2 < n else 0)
            char.wide[2] = mixed(rolling, bits[2])
            prefetch(&singles[char.wide[0]])
            prefetch(&pairs[char.wide[1]])
            prefetch(&triples[char.wide[2]])
            prefetch(&topic2[char.wide[1]])
            prefetch(&topic3[char.wide[2]])
        if i >= AHEAD:
            char = &chars[i - AHEAD]
            char.gram[0], char.gram[1], char.gram[2] = char.wide[0] >> shifts[0], char.wide[1] >> shifts[1], char.wide[2] >> shifts[2]
            char.single, char.pair = singles[char.wide[0]] * <float>0.125, pairs[char.wide[1]] * <float>0.125
            char.triple = triples[char.wide[2]] * <float>0.125
            j = i - AHEAD
            steps[j] = 0
            if folded[j] != edge:  # n-grams over an edge say nothing
                steps[j] += topic1[char.wide[0]]
                if j + 1 < n and folded[j + 1] != edge:
                    steps[j] += topic2[char.wide[1]]
                    if j + 2 < n and folded[j + 2] != edge:
                        steps[j] += topic3[char.wide[2]]


cdef void fit_together(Char* chars, const uint8_t[::1] kinds, int han, float[:, ::1] fit) noexcept nogil:
    """`background.measure_fit`, and the levels that pairs and triples of Han characters have in `heat.votes`."""
    cdef Py_ssize_t i, n = kinds.shape[0]
    cdef float single, following, pair, rarer_pair
    cdef bint han2
    for i in range(n):
        single, pair = chars[i].single, chars[i].pair
        following, rarer_pair = chars[i + 1].single, min(pair, chars[i + 1].pair)  # zeros behind the last
        fit[0, i] = (pair if pair > 0 else <float>-2) - max(single, <float>2)
        fit[1, i] = (pair if pair > 0 else <float>-2) - max(following, <float>2)
        fit[2, i] = (chars[i].triple if chars[i].triple > 0 else <float>-2) - rarer_pair
        fit[3, i], fit[4, i] = min(single, following), pair
        han2 = kinds[i] == han and i + 1 < n and kinds[i + 1] == han
        chars[i].pair_level = level(pair, 0, <float>0.8, 8) if han2 else 8
        chars[i].triple_level = level(fit[2, i], -6, 1, 6) if han2 and i + 2 < n and kinds[i + 2] == han else 6


cdef inline int joint(const float[:, ::1] fit, Py_ssize_t i) noexcept nogil:
    cdef int forward = level(fit[0, i], -14, <float>(8.0 / 13), 8), backward = level(fit[1, i], -14, <float>(8.0 / 13), 8)
    return (forward * 8 + backward) * 4 + level(fit[3, i], 0, <float>(4.0 / 14), 4)


def weigh(
    const uint64_t[::1] folded, const uint8_t[::1] kinds, const uint8_t[::1] cues, int han, uint64_t edge, const int[::1] bits, const int[::1] shifts,
    background, topic, frames, const float[:, ::1] cue_table, float base, float[:, ::1] fit, float[::1] total, int32_t[::1] steps,
):
    """Fill `fit`, float32 (5, n_chars), as `background.measure_fit` would, `total`, float32 (n_chars,), as `heat.score`, and `steps`, int32 (n_chars,), as `topic.topic_steps`."""
    cdef Py_ssize_t i, j, k, n = folded.shape[0]
    cdef const float[:, ::1] table
    cdef Row[TABLES] start
    cdef Row row
    cdef float[FRAME + 1] frame  # what one character says
    cdef float[FRAME] open  # sums that further characters have a say in
    cdef int t, kind1, kind2
    cdef size_t[TABLES] rows
    for t in range(TABLES):
        table = frames[t]
        start[t] = &table[0, 0]
    cdef const uint8_t[::1] singles = background[0], pairs = background[1], triples = background[2]
    cdef const int8_t[::1] topic1 = topic[0], topic2 = topic[1], topic3 = topic[2]
    cdef Char* chars = <Char*>calloc(n + 1, sizeof(Char))
    if chars == NULL:
        raise MemoryError
    for k in range(FRAME):
        open[k] = base
    with nogil:
        look_up(chars, folded, bits, shifts, singles, pairs, triples, edge, topic1, topic2, topic3, steps)
        fit_together(chars, kinds, han, fit)
        for i in range(n + AFTER):
            memset(frame, 0, sizeof(frame))
            if i + AHEAD < n:
                for t in range(GRAMS):
                    prefetch(start[t] + <size_t>chars[i + AHEAD].gram[t] * GRAM_FRAME)
            if i < n:
                kind1 = kinds[i + 1] if i + 1 < n else 0
                kind2 = kinds[i + 2] if i + 2 < n else 0
                rows[0], rows[1], rows[2] = chars[i].gram[0], chars[i].gram[1], chars[i].gram[2]
                rows[3] = (kinds[i] * KINDS + kind1) * KINDS + kind2
                rows[4] = joint(fit, i) if kinds[i] == han and kind1 == han and i + 1 < n else 256
                rows[5] = chars[i].triple_level * 7 + chars[i + 1].triple_level
                rows[6] = chars[i].pair_level * 9 + chars[i + 1].pair_level
                for t in range(GRAMS):
                    row = start[t] + rows[t] * GRAM_FRAME
                    for k in range(GRAM_FRAME):
                        frame[GRAM_FIRST + k] += row[k]
                for t in range(GRAMS, TABLES):
                    row = start[t] + rows[t] * FRAME
                    for k in range(FRAME):
                        frame[k] += row[k]
            if i >= AFTER:  # all that counts for this one has been read
                total[i - AFTER] = open[FRAME - 2] + frame[FRAME - 1]
            for k in range(FRAME - 2, 0, -1):
                open[k] = open[k - 1] + frame[k]
            open[0] = base + frame[0]
        for i in range(n):
            if cues[i]:  # only what a cue says otherwise than no cue is added
                for k in range(CUE_WIDTH):
                    j = i + CUE_BEFORE - k
                    if 0 <= j < n:
                        total[j] += cue_table[cues[i], k] - cue_table[0, k]
        free(chars)


def likely_runs(const float[::1] enter, const float[::1] stay, const float[::1] leave, const int64_t[:, ::1] zones, double bonus):
    """`runs.likely_runs`."""
    cdef Py_ssize_t z, i, k, begin, end, stop
    cdef double outside, inside, begins, ends, heat
    cdef bint within
    cdef uint8_t* came = <uint8_t*>calloc(enter.shape[0] + 1, 1)  # 1: a run begins here; 2: one has ended
    cdef list out = [], found
    if came == NULL:
        raise MemoryError
    for z in range(zones.shape[0]):
        begin, end = zones[z, 0], zones[z, 1]
        outside, inside = 0, -INFINITY
        for i in range(begin, end):
            begins, ends = outside + enter[i] + bonus, inside + leave[i]
            came[i] = (begins > inside + stay[i]) | (ends > outside) << 1
            inside = max(begins, inside + stay[i])
            outside = max(outside, ends)
        within, stop, found = inside > outside, end, []
        for i in range(end - 1, begin - 1, -1):
            if within and came[i] & 1:
                heat = 0
                for k in range(i + 1, stop):
                    heat += stay[k]
                found.append((i, stop, enter[i] + heat + (leave[stop] if stop < end else 0.0)))
                within = False
            elif not within and came[i] & 2:
                within, stop = True, i
        out += reversed(found)
    free(came)
    return out


@cython.boundscheck(True)  # a damaged file must not lead out of the trees
def leaf_sums(
    const float[:, ::1] rows, const int32_t[:, ::1] feature, const double[:, ::1] threshold, const int32_t[:, ::1] left,
    const int32_t[:, ::1] right, const double[:, ::1] value, int depth, double[::1] out,
):
    """Add up the leaves that each row comes to in all trees, in `out`, float64 (n,); see `forest.Forest`."""
    cdef Py_ssize_t row, tree
    cdef int32_t node, below
    cdef int step
    for row in range(rows.shape[0]):
        out[row] = 0
        for tree in range(feature.shape[0]):
            node = 0
            for step in range(depth):
                below = left[tree, node] if rows[row, feature[tree, node]] <= threshold[tree, node] else right[tree, node]
                if below == node:
                    break
                node = below
            out[row] += value[tree, node]


def weigh_columns(
    const float[:, ::1] columns, const int64_t[::1] used, const float[::1] low, const float[::1] high, const float[::1] weights, float[::1] sums,
):
    """The loop of `screen.Screen.unclear`: add bounded and weighed columns to `sums`."""
    cdef Py_ssize_t i, n = columns.shape[1], m = columns.shape[0]
    cdef int64_t k
    cdef float value
    cdef const float* values
    if not (sums.shape[0] == n and m == low.shape[0] == high.shape[0] == weights.shape[0]):
        raise ValueError("features and their weights are of different numbers")
    if n == 0:
        return
    for k in used:
        values = &columns[k, 0]
        for i in range(n):
            value = values[i]
            value = low[k] if value < low[k] else value
            value = high[k] if value > high[k] else value
            sums[i] += value * weights[k]


def scaled(
    const float[:, :] rows, const int64_t[::1] chosen, const float[::1] low, const float[::1] high, const float[::1] mean, bint clips,
    float[:, :] out,
):
    """`network._scale`, in `out`, of the rows that are `chosen`; in both matrices columns are contiguous, or rows in both."""
    cdef Py_ssize_t i, k, n = chosen.shape[0], m = rows.shape[1]
    if not (out.shape[0] == n and m == out.shape[1] == low.shape[0] == high.shape[0] == mean.shape[0]):
        raise ValueError("features and their bounds are of different numbers")
    for i in range(n):
        if not 0 <= chosen[i] < rows.shape[0]:
            raise IndexError("a row is chosen that there is not")
    if m == 0 or n == 0:
        return
    # numpy makes up the strides of one row
    if (rows.shape[0] == 1 or rows.strides[0] == sizeof(float)) and (n == 1 or out.strides[0] == sizeof(float)):
        for k in range(m):
            scale_column(&rows[0, k], chosen, low[k] if clips else -INFINITY, high[k] if clips else INFINITY, mean[k], &out[0, k])
        return
    for i in range(n):
        scale_row(&rows[chosen[i], 0], &low[0], &high[0], &mean[0], clips, m, &out[i, 0])


# What is no number stays so when it is compared, and becomes 0 in the end.
cdef inline void scale_column(const float* values, const int64_t[::1] chosen, float low, float high, float mean, float* out) noexcept nogil:
    cdef Py_ssize_t i
    cdef float value
    for i in range(chosen.shape[0]):
        value = values[chosen[i]]
        value = low if value < low else value
        value = (high if value > high else value) - mean
        out[i] = value if value == value else 0


cdef inline void scale_row(
    const float* values, const float* low, const float* high, const float* mean, bint clips, Py_ssize_t m, float* out,
) noexcept nogil:
    cdef Py_ssize_t k
    cdef float value
    if clips:
        for k in range(m):
            value = values[k]
            value = low[k] if value < low[k] else value
            value = (high[k] if value > high[k] else value) - mean[k]
            out[k] = value if value == value else 0
    else:
        for k in range(m):
            value = values[k] - mean[k]
            out[k] = value if value == value else 0


def add_up(
    const float[:, ::1] layer, const float[::1] bias, const float[:, ::1] heads, const int64_t[::1] ends, const float[:, ::1] outs, float[:, :, :] logits,
):
    """`network.Panel._add_up`."""
    cdef Py_ssize_t i, k, n = layer.shape[0], n_units = layer.shape[1], n_networks = ends.shape[0], n_classes = outs.shape[1]
    cdef int64_t number, unit, first
    cdef float value
    cdef float[HEAD] total
    cdef const float* row
    cdef const float* head
    if not (bias.shape[0] == heads.shape[0] == n_units and heads.shape[1] == HEAD and n_classes <= HEAD and outs.shape[0] == n_networks):
        raise ValueError("biases and units are of different numbers")
    if not (logits.shape[0] == n_classes and logits.shape[1] == n_networks and logits.shape[2] == n and n_networks and ends[n_networks - 1] == n_units):
        raise ValueError("networks and what they say are of different numbers")
    for i in range(n):
        row, first = &layer[i, 0], 0
        for number in range(n_networks):
            for k in range(HEAD):
                total[k] = outs[number, k] if k < n_classes else 0
            for unit in range(first, ends[number]):
                value = row[unit] + bias[unit]
                value = 0 if value < 0 else value
                head = &heads[unit, 0]
                for k in range(HEAD):
                    total[k] += head[k] * value
            first = ends[number]
            for k in range(n_classes):
                logits[k, number, i] = total[k]


cdef struct Gram:  # of one block
    uint32_t bucket
    uint32_t count


cdef inline Py_ssize_t count_grams(
    const uint64_t* folded, Py_ssize_t n, int size, int bits, uint32_t* slots, uint32_t mask, Gram* grams, Py_ssize_t n_known, const float* weights,
) noexcept nogil:
    """Count the n-grams of one size of a block of `n` characters; how many there are now.

    They are kept in the order in which they first occur, and found again by `slots`, a table of their numbers, from 1 on.
    """
    cdef Py_ssize_t i
    cdef uint64_t rolling
    cdef uint32_t bucket, slot
    for i in range(n - size + 1):
        rolling = folded[i] * <uint64_t>0x9E3779B97F4A7C15
        if size > 1:
            rolling += folded[i + 1] * <uint64_t>0xC2B2AE3D27D4EB4F
        if size > 2:
            rolling += folded[i + 2] * <uint64_t>0x165667B19E3779F9
        bucket = mixed(rolling, bits)
        slot = bucket & mask
        while slots[slot] and grams[slots[slot] - 1].bucket != bucket:
            slot = (slot + 1) & mask
        if slots[slot]:
            grams[slots[slot] - 1].count += 1
        else:
            prefetch(weights + <size_t>bucket * LABELS)
            grams[n_known].bucket, grams[n_known].count = bucket, 1
            n_known += 1
            slots[slot] = n_known
    return n_known


def word_scores(
    const uint64_t[::1] folded, const int64_t[::1] offsets, const float[:, ::1] weights, const double[::1] log1p, double[:, ::1] out,
):
    """`ngrams.block_scores` but for the intercept, in `out`, float64 (n, 3); `log1p` is that of all counts there can be."""
    cdef Py_ssize_t block, i, k, n, n_known, n_buckets = weights.shape[0]
    cdef Py_ssize_t most = min(log1p.shape[0], n_buckets)  # different n-grams of a block
    cdef int size, bits = 0
    cdef uint32_t mask, n_slots = 16
    cdef double scale
    cdef double[LABELS] total
    cdef float weight
    cdef const float* row
    if weights.shape[1] != LABELS or out.shape[1] != LABELS:
        raise ValueError("words weigh for other labels")
    while (1 << bits) < n_buckets:
        bits += 1
    while n_slots < ROOMY * most:
        n_slots *= 2
    cdef uint32_t* slots = <uint32_t*>calloc(n_slots, sizeof(uint32_t))
    cdef Gram* grams = <Gram*>malloc(most * sizeof(Gram))
    if slots == NULL or grams == NULL:
        free(slots)
        free(grams)
        raise MemoryError
    for block in range(offsets.shape[0] - 1):
        n = offsets[block + 1] - offsets[block]
        if n < 1:
            continue
        mask = 16  # a short block's table is small
        while mask < ROOMY * min(3 * n, n_buckets):
            mask *= 2
        mask -= 1
        n_known = 0
        for size in range(1, 4):
            n_known = count_grams(&folded[offsets[block]], n, size, bits, slots, mask, grams, n_known, &weights[0, 0])
        memset(slots, 0, (mask + 1) * sizeof(uint32_t))
        scale = 1 / sqrt(n + max(n - 1, 0) + max(n - 2, 0))
        memset(total, 0, sizeof(total))
        for i in range(n_known):
            weight = <float>(log1p[grams[i].count] * scale)
            row = &weights[grams[i].bucket, 0]
            for k in range(LABELS):
                total[k] += weight * row[k]
        for k in range(LABELS):
            out[block, k] = total[k]
    free(slots)
    free(grams)
