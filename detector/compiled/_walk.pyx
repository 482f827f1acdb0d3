# cython: language_level=3, boundscheck=False, wraparound=False, initializedcheck=False, cdivision=True
"""The walk of `segment` over the tree that Lexbor makes of a page, to the blocks that the walk over its markup finds.

selectolax keeps Lexbor in its extension module, which exports Lexbor's functions. They are looked up by name, and the tree
is read through them alone: nothing here knows how Lexbor keeps a node. Text is folded straight into one buffer; what is
known of a block goes into rows of numbers: the walk makes Python objects only of class and id strings, each once.
"""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free, malloc, realloc
from libc.string cimport memchr, memcmp, memcpy, memmove

from os import fsencode

cdef extern from "Python.h":
    object PyUnicode_FromKindAndData(int kind, const void* buffer, Py_ssize_t size)
    object PyUnicode_DecodeUTF8(const char* text, Py_ssize_t size, const char* errors)
    int PyUnicode_KIND(object text)
    void* PyUnicode_DATA(object text)
    bint Py_UNICODE_ISSPACE(Py_UCS4 character) nogil

cdef extern from *:
    """
    #ifdef _WIN32  /* an extension module exports nothing there but its own beginning */
    static void* open_library(const char* path) { return NULL; }
    static void* find_name(void* library, const char* name) { return NULL; }
    #else
    #include <dlfcn.h>
    static void* open_library(const char* path) { return dlopen(path, RTLD_LAZY | RTLD_LOCAL); }
    static void* find_name(void* library, const char* name) { return dlsym(library, name); }
    #endif
    """
    void* open_library(const char* path)
    void* find_name(void* library, const char* name)

cdef enum:  # as in blocks.py
    HOLDER_LEVELS = 4
    NAMED_LEVELS = 6
    NUMBERS = 9
    MAX_META = 64  # as in segment.py
    MAX_ENDING = 4096
    STEP = 16  # characters that are encoded at a time
    # What `segment._traits` says of a tag: bits, its number in TAGS in bits 8 to 12, its landmarks from bit 16.
    VOID = 1
    BREAKING = 2
    IMAGE = 4
    INLINE = 8
    LINK = 16
    BOLD = 32
    NOISE = 64
    TITLE = 128
    LITERAL = 8192
    META = 16384
    SVG = 32768
    STRANGE = 1 << 30  # a name that would end early in markup

cdef enum:  # kinds of nodes, by the standard of the DOM
    ELEMENT = 1
    TEXT = 3
    COMMENT = 8

cdef enum:  # what an attribute may say
    NOTHING
    NAME
    CONTENT
    CLASS_OR_ID
    HREF
    STYLE
    HEIGHT
    HIDDEN
    ARIA_HIDDEN
    UNCLEAR  # a name that the walk over markup would misread

ATTRIBUTES = {
    b"name": NAME, b"content": CONTENT, b"class": CLASS_OR_ID, b"id": CLASS_OR_ID, b"href": HREF, b"style": STYLE, b"height": HEIGHT,
    b"hidden": HIDDEN, b"aria-hidden": ARIA_HIDDEN,
}

ctypedef fused Unit:  # the widths in which Python keeps a string
    uint8_t
    uint16_t
    uint32_t

ctypedef void Node
ctypedef unsigned int (*Sink)(const uint8_t*, size_t, void*) noexcept

cdef struct Lexbor:  # in the order of NAMES
    Node* (*create)() noexcept nogil
    Node* (*destroy)(Node*) noexcept nogil
    unsigned int (*parse)(Node*, const uint8_t*, size_t) noexcept nogil
    Node* (*head)(Node*) noexcept
    Node* (*first_child)(Node*) noexcept
    Node* (*last_child)(Node*) noexcept
    Node* (*next)(Node*) noexcept
    Node* (*previous)(Node*) noexcept
    Node* (*parent)(Node*) noexcept
    unsigned int (*kind)(Node*) noexcept
    size_t (*tag_id)(Node*) noexcept
    const uint8_t* (*tag_name)(Node*, size_t*) noexcept
    const uint8_t* (*text_content)(Node*, size_t*) noexcept
    Node* (*first_attribute)(Node*) noexcept
    Node* (*next_attribute)(Node*) noexcept
    const uint8_t* (*attribute_name)(Node*, size_t*) noexcept
    const uint8_t* (*attribute_value)(Node*, size_t*) noexcept
    unsigned int (*write)(Node*, Sink, void*) noexcept  # of an element, its start tag alone
    unsigned int (*write_all)(Node*, Sink, void*) noexcept

NAMES = (
    "lxb_html_document_create", "lxb_html_document_destroy", "lxb_html_document_parse", "lxb_html_document_head_element_noi",
    "lxb_dom_node_first_child_noi", "lxb_dom_node_last_child_noi", "lxb_dom_node_next_noi", "lxb_dom_node_prev_noi",
    "lxb_dom_node_parent_noi", "lxb_dom_node_type_noi", "lxb_dom_node_tag_id_noi", "lxb_dom_element_qualified_name",
    "lxb_dom_node_text_content", "lxb_dom_element_first_attribute_noi", "lxb_dom_element_next_attribute_noi",
    "lxb_dom_attr_qualified_name", "lxb_dom_attr_value_noi", "lxb_html_serialize_cb", "lxb_html_serialize_tree_cb",
)

ESCAPES = (("&", "&amp;"), ("\xa0", "&nbsp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;"))

cdef Lexbor lexbor


def connect(str path not None):
    """Look up Lexbor's functions in a library; False, and all as before, where one of them is missing."""
    cdef Lexbor found
    cdef void** places = <void**>&found
    cdef void* library = open_library(fsencode(path))
    if library == NULL:
        return False
    for i, name in enumerate(NAMES):
        places[i] = find_name(library, name.encode())
        if places[i] == NULL:
            return False
    memcpy(&lexbor, &found, sizeof(Lexbor))
    return True


cdef struct Element:
    int32_t[HOLDER_LEVELS] holders
    int32_t[NAMED_LEVELS] named
    int32_t landmarks, depth, links, tag, traits
    bint hidden, bold

cdef struct Tag:  # what is known of a tag
    size_t id
    int traits

cdef struct Attribute:  # what is known of an attribute's name, by its place: Lexbor keeps each name of a page once
    const uint8_t* name
    int kind

cdef struct Value:
    const uint8_t* text
    size_t size

cdef struct Label:  # a class and an id, in the order in which they stand, and the number of both together
    Value first, second
    int32_t number

cdef struct Style:  # a style, and whether it hides
    Value value
    bint hides

cdef struct Piece:  # a run of text while it is read: its characters, and the first and last that are no space
    Py_ssize_t size, first, last


cdef void* grown(void* old, size_t size) except NULL:
    """More room; the old one is kept where there is none, and freed with the page."""
    cdef void* new = realloc(old, size)
    if new == NULL:
        raise MemoryError
    return new


cdef inline bint is_space(Py_UCS4 c) noexcept nogil:
    return c == 32 or (9 <= c <= 13) or (c >= 28 and (c < 32 or c == 0x85 or c == 0xA0 or (0xFF < c <= 0x3000 and Py_UNICODE_ISSPACE(c))))  # none is behind U+3000


cdef inline Py_UCS4 next_character(const uint8_t** at, const uint8_t* stop) noexcept nogil:
    """Decode one character of valid UTF-8. What is not valid is passed over byte by byte: nothing is read beyond `stop`."""
    cdef const uint8_t* p = at[0]
    cdef Py_ssize_t room = stop - p
    if p[0] < 0x80:
        at[0] = p + 1
        return p[0]
    if p[0] >= 0xF0 and room > 3:
        at[0] = p + 4
        return (p[0] & 7) << 18 | (p[1] & 63) << 12 | (p[2] & 63) << 6 | (p[3] & 63)
    if 0xE0 <= p[0] < 0xF0 and room > 2:
        at[0] = p + 3
        return (p[0] & 15) << 12 | (p[1] & 63) << 6 | (p[2] & 63)
    if 0xC0 <= p[0] < 0xE0 and room > 1:
        at[0] = p + 2
        return (p[0] & 31) << 6 | (p[1] & 63)
    at[0] = p + 1
    return 0xFFFD


cdef inline bint is_han(const uint8_t* text) noexcept nogil:
    """Whether a byte is the first of a Han character: E4 B8 to E9."""
    return (<uint8_t>(text[0] - 0xE5) <= 4) | ((text[0] == 0xE4) & (text[1] >= 0xB8))


cdef int64_t count_han_of_page(const uint8_t* markup, size_t n) noexcept nogil:
    """As in chars.py, many bytes at a time; counts are as narrow as they can be for that."""
    cdef int64_t count = 0
    cdef uint16_t part
    cdef size_t i = 1, stop
    while i < n:
        part, stop = 0, min(i + 4096, n)
        while i < stop:
            part += is_han(markup + i - 1)
            i += 1
        count += part
    return count


cdef int64_t count_han(const uint8_t* text, size_t n) noexcept nogil:
    """The same of a short text, which is ASCII in most cases, and passed over in words."""
    cdef uint32_t count = 0
    cdef uint64_t word
    cdef size_t i = 1, stop
    while i < n:
        if i + 7 <= n:
            memcpy(&word, text + i - 1, sizeof(word))
            if not word & <uint64_t>0x8080808080808080:
                i += 8
                continue
        stop = min(i + 8, n)
        while i < stop:
            count += is_han(text + i - 1)
            i += 1
    return count


cdef bint holds_documents(const uint8_t* text, size_t n) noexcept nogil:
    """Whether "cdoc" or "wroo" stands in a markup, as it does where "srcdoc" or "shadowroot" does."""
    cdef size_t i = 3, k
    cdef uint8_t found = 0, c = c'c', d = c'd', o = c'o', r = c'r', w = c'w'
    while i < n:
        for k in range(i, min(i + 4096, n)):
            found |= (text[k - 1] == o) & (((text[k - 3] == c) & (text[k - 2] == d) & (text[k] == c)) | ((text[k - 3] == w) & (text[k - 2] == r) & (text[k] == o)))
        if found:
            return True
        i += 4096
    return False


cdef Py_ssize_t encode(const Unit* text, Py_ssize_t n, uint8_t* out) noexcept nogil:
    """Write a text as UTF-8; return its size, or -1 for a text with surrogates."""
    cdef uint8_t* start = out
    cdef Py_ssize_t i = 0, stop
    while i < n:
        if i + STEP <= n and is_ascii(text + i):
            narrow(text + i, out)
            i, out = i + STEP, out + STEP
            continue
        stop = min(i + STEP, n)
        while i < stop:
            if 0xD800 <= text[i] < 0xE000:
                return -1
            out = write_character(text[i], out)
            i += 1
    return out - start


cdef inline bint is_ascii(const Unit* text) noexcept nogil:
    cdef Unit found = 0
    cdef int k
    for k in range(STEP):
        found |= text[k]
    return found < 0x80


cdef inline void narrow(const Unit* text, uint8_t* out) noexcept nogil:
    cdef uint8_t[STEP] plain
    cdef int k
    for k in range(STEP):
        plain[k] = <uint8_t>text[k]
    memcpy(out, plain, STEP)


cdef inline uint8_t* write_character(uint32_t c, uint8_t* out) noexcept nogil:
    if c < 0x80:
        out[0] = c
        return out + 1
    if c < 0x800:
        out[0], out[1] = 0xC0 | c >> 6, 0x80 | c & 63
        return out + 2
    if c < 0x10000:
        out[0], out[1], out[2] = 0xE0 | c >> 12, 0x80 | c >> 6 & 63, 0x80 | c & 63
        return out + 3
    out[0], out[1], out[2], out[3] = 0xF0 | c >> 18, 0x80 | c >> 12 & 63, 0x80 | c >> 6 & 63, 0x80 | c & 63
    return out + 4


cdef inline bint same(Value a, Value b) noexcept nogil:
    return a.size == b.size and (a.size == 0 or memcmp(a.text, b.text, a.size) == 0)


cdef inline bint is_word(Value value, const char* word, size_t size) noexcept nogil:
    return value.size == size and memcmp(value.text, word, size) == 0


cdef inline uint32_t hash_of(Value value) noexcept nogil:
    cdef uint32_t hashed = <uint32_t>value.size
    cdef size_t i
    for i in range(value.size):
        hashed = (hashed ^ value.text[i]) * <uint32_t>16777619
    return hashed


cdef inline uint8_t lower(uint8_t c) noexcept nogil:
    return c + 32 if 65 <= c <= 90 else c


cdef bint has_space(Value name) noexcept nogil:
    """Whether a name holds what is white space to Python, though not to HTML."""
    cdef const uint8_t* at = name.text
    while at < name.text + name.size:
        if is_space(next_character(&at, name.text + name.size)):
            return True
    return False


cdef inline str decoded(Value value):
    return PyUnicode_DecodeUTF8(<const char*>value.text, value.size, "replace") if value.size else ""


cdef str escaped(Value value):
    """An attribute's value as it stands in canonical markup."""
    cdef str text = decoded(value)
    cdef size_t i
    for i in range(value.size):
        if value.text[i] in (c'&', c'<', c'>', c'"', 0xC2):  # C2 begins a no-break space
            for character, entity in ESCAPES:
                text = text.replace(character, entity)
            break
    return text


cdef inline Value name_of(Node* element) noexcept:
    cdef Value name = Value(NULL, 0)
    name.text = lexbor.tag_name(element, &name.size)
    return name


cdef inline Value value_of(Node* attribute) noexcept:
    cdef Value value
    value.text = lexbor.attribute_value(attribute, &value.size)
    return value


cdef inline Value text_of(Node* node) noexcept:
    cdef Value text = Value(NULL, 0)
    text.text = lexbor.text_content(node, &text.size)
    return text


cdef bint is_bare(Node* node) noexcept:
    """`segment._BARE`, of the text of a node."""
    cdef Value text = text_of(node)
    cdef size_t i
    cdef bint within = False
    if text.text == NULL:
        return True
    for i in range(text.size):
        if within:
            within = text.text[i] != c'>'
        elif text.text[i] == c'<':
            within = True
        elif text.text[i] not in (c' ', c'\t', c'\n', c'\f', c'\r'):
            return False
    return not within


cdef str folded(Value first, Value second):
    """A class and an id as one string in small letters, white space folded."""
    cdef uint8_t[256] plain
    cdef Py_ssize_t size = -1
    if first.size + second.size + 2 <= sizeof(plain):
        size = fold(first, plain, 0)
        if size >= 0:
            size = fold(second, plain, size)
    if size < 0:
        return " ".join(f"{escaped(first)} {escaped(second)}".lower().split())
    return (<const char*>plain)[: size - 1].decode("ascii") if size else ""


cdef Py_ssize_t fold(Value value, uint8_t* out, Py_ssize_t size) noexcept nogil:
    """Write plain words behind others, each with a space; -1 if they are not plain."""
    cdef size_t i
    cdef uint8_t c
    for i in range(value.size + 1):
        c = value.text[i] if i < value.size else 32
        if c >= 128 or c == c'&' or c == c'<' or c == c'>' or c == c'"':
            return -1
        if not is_space(c) or size and out[size - 1] != 32:
            out[size] = 32 if is_space(c) else lower(c)
            size += 1
    return size


cdef unsigned int pass_by(const uint8_t* text, size_t n, void* page) noexcept:
    (<Page>page).han += count_han(text, n)
    return 0


cdef unsigned int pass_instruction(const uint8_t* text, size_t n, void* page) noexcept:
    (<Page>page).ends += memchr(text, c'>', n) != NULL
    return pass_by(text, n, page)


cdef unsigned int pass_comment(const uint8_t* text, size_t n, void* page) noexcept:
    cdef size_t i
    for i in range(2, n):
        (<Page>page).ends += text[i] == c'>' and text[i - 1] == c'-' and text[i - 2] == c'-'
    return pass_by(text, n, page)


cdef unsigned int append(const uint8_t* text, size_t n, void* written) noexcept:
    try:
        (<bytearray>written).extend((<const char*>text)[:n])
    except MemoryError:
        return 1
    return 0


cdef class Page:
    """A page in UTF-8, parsed, on its way to blocks."""

    cdef Node* document
    cdef Node* head
    cdef unsigned int status
    cdef readonly int64_t han_before  # Han characters of the markup
    cdef readonly bint may_hold_documents  # see reread.py
    cdef readonly int64_t han  # Han characters that the walk came by: no more than the canonical markup has
    cdef readonly str title  # as it stands in the markup
    cdef readonly list metas  # (name, content) of the first elements that have both, those of the head before all others
    cdef readonly int in_head  # how many of them are the head's
    cdef int ends  # of a comment or an instruction, as the walk over markup finds them
    cdef Py_UCS4* text
    cdef Py_ssize_t end, begin, text_room  # of the text written so far, and of the block that grows
    cdef bint space  # waits to be written before the next character
    cdef bint is_open  # the block shows something
    cdef Element first  # what the block inherits
    cdef Piece piece
    cdef Element* stack
    cdef Py_ssize_t depth, room
    cdef int32_t* numbers
    cdef int32_t* holders
    cdef int32_t* named
    cdef int64_t* offsets  # of blocks in the text
    cdef Py_ssize_t n_blocks, blocks_room
    cdef int32_t link_chars, bold_chars, n_links, n_offsite, images, elements
    cdef Tag[256] tags  # those that were asked for, each at a place that its number tells
    cdef Attribute[64] attributes  # likewise
    cdef Label[512] labels
    cdef Style[64] styles
    cdef dict traits, names
    cdef str host
    cdef object hides, leads_away

    def __cinit__(self, str html not None, dict traits not None, str host not None, object hides, object leads_away):
        if lexbor.create == NULL:
            raise RuntimeError("connect() comes first")
        self.room, self.blocks_room, self.text_room = 64, 128, 4096
        self.text = <Py_UCS4*>malloc(self.text_room * sizeof(Py_UCS4))
        self.stack = <Element*>calloc(self.room, sizeof(Element))
        self.numbers = <int32_t*>malloc(self.blocks_room * NUMBERS * sizeof(int32_t))
        self.holders = <int32_t*>malloc(self.blocks_room * sizeof(self.first.holders))
        self.named = <int32_t*>malloc(self.blocks_room * sizeof(self.first.named))
        self.offsets = <int64_t*>calloc(self.blocks_room + 1, sizeof(int64_t))
        self.document = lexbor.create()
        if not (self.text and self.stack and self.numbers and self.holders and self.named and self.offsets and self.document):
            raise MemoryError
        for level in range(NAMED_LEVELS):
            self.stack[0].named[level] = -1
        self.piece.first = self.piece.last = -1
        self.traits, self.names, self.metas = traits, {}, []
        self.host, self.hides, self.leads_away = host, hides, leads_away
        self.parse(html)

    def __dealloc__(self):
        if self.document:
            lexbor.destroy(self.document)
        free(self.text)
        free(self.stack)
        free(self.numbers)
        free(self.holders)
        free(self.named)
        free(self.offsets)

    cdef int parse(self, str html) except -1:
        cdef int kind = PyUnicode_KIND(html)
        cdef void* data = PyUnicode_DATA(html)
        cdef Py_ssize_t n = len(html), size
        cdef uint8_t* markup = <uint8_t*>malloc(n * (kind if kind > 2 else kind + 1) + 1)
        if markup == NULL:
            raise MemoryError
        with nogil:
            if kind == 1:
                size = encode(<uint8_t*>data, n, markup)
            else:
                size = encode(<uint16_t*>data, n, markup) if kind == 2 else encode(<uint32_t*>data, n, markup)
            if size > 0:  # while the markup is at hand
                self.han_before = count_han_of_page(markup, size)
                self.may_hold_documents = holds_documents(markup, size)
            self.status = 1 if size < 0 else lexbor.parse(self.document, markup, size)
            free(markup)
        self.head = lexbor.head(self.document)
        return 0

    def blocks(self):
        """Walk; return the text, where its blocks begin and end (int64), their numbers, holders and named ones (int32), the
        names, and how many elements there are, the root included.

        None where there is no tree (of a text with surrogates, for one), or one that the walk over the markup would see
        otherwise.
        """
        if self.status or not self.walk():
            return None
        return (
            PyUnicode_FromKindAndData(4, self.text, self.end),
            (<char*>self.offsets)[: (self.n_blocks + 1) * sizeof(int64_t)],
            (<char*>self.numbers)[: self.n_blocks * NUMBERS * sizeof(int32_t)],
            (<char*>self.holders)[: self.n_blocks * sizeof(self.first.holders)],
            (<char*>self.named)[: self.n_blocks * sizeof(self.first.named)],
            list(self.names),
            self.elements + 1,
        )

    def markup(self):
        """Return the canonical markup."""
        cdef bytearray written = bytearray()
        if lexbor.write_all(self.document, append, <void*>written):
            raise MemoryError
        return written.decode("utf-8", "replace")

    def ending(self):
        """Return the end tags, and the end of a comment, that may end the canonical markup; None where that is not known."""
        cdef list tags = []
        cdef Node* node = lexbor.last_child(self.document)
        while node != NULL and len(tags) < MAX_ENDING:
            if lexbor.kind(node) == ELEMENT:
                name = decoded(name_of(node))
                if name == "template":  # keeps its content elsewhere
                    return None
                tags.append(f"</{name}>")
                if lexbor.last_child(node) != NULL:
                    node = lexbor.last_child(node)
                    continue
                if name != "body":  # whose start tag may be written there, too
                    break
            else:
                text = decoded(text_of(node)).rstrip() if lexbor.kind(node) == TEXT else "-->"
                if text.endswith("-->"):
                    tags.append("-->")
                elif text.endswith(">"):
                    return None
                if text:
                    break
            node = self.before(node)
        return "".join(tags)

    cdef Node* before(self, Node* node) noexcept:
        """The node that is written before one; NULL where a start tag other than that of ``<body>`` is."""
        while lexbor.previous(node) == NULL:
            node = lexbor.parent(node)
            if node == NULL or node == self.document or not is_word(name_of(node), b"body", 4):
                return NULL
        return lexbor.previous(node)

    cdef bint walk(self) except -1:
        """Go through the tree in the order of the text; False where its markup would be read in another way."""
        cdef Node* node = lexbor.first_child(self.document)
        cdef Node* child
        cdef unsigned int kind
        while node != NULL:
            child = NULL
            kind = lexbor.kind(node)
            if kind == TEXT:
                self.add(text_of(node))
            elif kind == ELEMENT:
                if not self.enter(node, &child):
                    return False
            elif not self.pass_unread(node, kind):
                return False
            node = self.after(node) if child == NULL else child
        self.end_piece()
        self.flush(0)
        return True

    cdef bint enter(self, Node* node, Node** child) except -1:
        """Take an element, and its first child if it is to be walked."""
        cdef int traits = self.traits_of(node)
        if traits & STRANGE or traits & LITERAL and not is_bare(node):
            return False
        if traits & (NOISE | LITERAL):
            self.pass_over(node)
        elif traits & VOID:
            self.pass_void(node, traits)
        else:
            if not self.open(node, traits):
                return False
            child[0] = lexbor.first_child(node)
            if child[0] == NULL:
                self.close()
        return True

    cdef Node* after(self, Node* node) except? NULL:
        """The node behind one and all that is in it; elements that end before it are closed."""
        cdef Node* next_one = lexbor.next(node)
        while next_one == NULL:
            node = lexbor.parent(node)
            if node == NULL or node == self.document:
                return NULL
            self.close()
            next_one = lexbor.next(node)
        return next_one

    cdef int traits_of(self, Node* node) except -1:
        cdef size_t id = lexbor.tag_id(node)
        cdef Tag* tag = &self.tags[(id ^ id >> 8) & 255]
        cdef Value name
        if tag.id != id or not id:
            name = name_of(node)
            tag.traits = STRANGE if has_space(name) else self.traits.get(decoded(name), 0)
            tag.id = id
        return tag.traits

    cdef int kind_of(self, Node* node) except -1:
        """What an attribute may say."""
        cdef Value name
        name.text = lexbor.attribute_name(node, &name.size)
        cdef Attribute* attribute = &self.attributes[(<size_t>name.text >> 4) & 63]
        if attribute.name != name.text:
            attribute.name = name.text
            if name.size and (name.text[0] == c'=' or has_space(name)):
                attribute.kind = UNCLEAR
            else:
                attribute.kind = ATTRIBUTES.get((<const char*>name.text)[: name.size], NOTHING)
        return attribute.kind

    cdef int pass_over(self, Node* root) except -1:
        """Go through an element that no visitor reads: its Han characters are counted, and it may hold what the page says of itself."""
        cdef Node* node = root
        cdef int first = len(self.metas)
        while True:
            if lexbor.kind(node) == ELEMENT:
                self.look_at(node, self.traits_of(node))
            else:
                lexbor.write(node, pass_by, <void*>self)
            if lexbor.first_child(node) != NULL:
                node = lexbor.first_child(node)
                continue
            while node != root and lexbor.next(node) == NULL:
                node = lexbor.parent(node)
            if node == root:
                break
            node = lexbor.next(node)
        if root == self.head:
            self.in_head = len(self.metas) - first
        return 0

    cdef int pass_void(self, Node* node, int traits) except -1:
        self.end_piece()
        if traits & BREAKING:
            self.flush(0)
        self.images += (traits & IMAGE) != 0
        self.look_at(node, traits)
        return 0

    cdef bint pass_unread(self, Node* node, unsigned int kind) noexcept:
        """Pass over a comment or an instruction; False for one that holds what would end it in markup."""
        self.end_piece()
        self.ends = 0
        lexbor.write(node, pass_comment if kind == COMMENT else pass_instruction, <void*>self)
        return self.ends <= 1

    cdef int look_at(self, Node* node, int traits) except -1:
        cdef Node* attribute = lexbor.first_attribute(node)
        cdef Value value
        while attribute != NULL:
            value = value_of(attribute)
            self.han += count_han(value.text, value.size)
            attribute = lexbor.next_attribute(attribute)
        if traits & TITLE:
            self.read_title(node)
        if traits & META and len(self.metas) < MAX_META:
            self.read_meta(node)
        return 0

    cdef int read_title(self, Node* node) except -1:
        """Take the first title that is none of a drawing."""
        if self.title is None and not self.traits_of(lexbor.parent(node)) & SVG:
            self.title = decoded(text_of(node))
        return 0

    cdef int read_meta(self, Node* node) except -1:
        cdef Node* attribute = lexbor.first_attribute(node)
        cdef str name = None, content = None
        while attribute != NULL:
            kind = self.kind_of(attribute)
            if kind == NAME:
                name = decoded(value_of(attribute))
            elif kind == CONTENT:
                content = decoded(value_of(attribute))
            attribute = lexbor.next_attribute(attribute)
        if name is not None and content is not None:
            self.metas.append((name, content))
        return 0

    cdef bint open(self, Node* node, int traits) except -1:
        """Begin an element; False if the walk over the markup would misread its attributes."""
        cdef Element* child
        self.end_piece()
        if not traits & INLINE:
            self.flush(self.stack[self.depth].links)
        if self.depth + 1 == self.room:
            self.room *= 2
            self.stack = <Element*>grown(self.stack, self.room * sizeof(Element))
        self.depth += 1
        child = &self.stack[self.depth]
        child[0] = self.stack[self.depth - 1]
        child.traits = traits
        if not traits & INLINE:
            self.elements += 1
            memmove(&child.holders[1], &child.holders[0], (HOLDER_LEVELS - 1) * sizeof(int32_t))
            child.holders[0] = self.elements
            child.tag = (traits >> 8) & 31
        child.landmarks |= traits >> 16
        child.depth += 1
        child.links += (traits & LINK) != 0
        child.bold = child.bold or traits & BOLD
        if traits & TITLE:
            self.read_title(node)
        return self.read_attributes(node, child)

    cdef int close(self) except -1:
        self.end_piece()
        if not self.stack[self.depth].traits & INLINE:
            self.flush(self.stack[self.depth].links)
        self.depth -= 1
        return 0

    cdef bint read_attributes(self, Node* node, Element* child) except -1:
        cdef Node* attribute = lexbor.first_attribute(node)
        cdef Value value, href = Value(NULL, 0), first = Value(NULL, 0), second = Value(NULL, 0)
        cdef int kind
        while attribute != NULL:
            kind, value = self.kind_of(attribute), value_of(attribute)
            attribute = lexbor.next_attribute(attribute)
            self.han += count_han(value.text, value.size)
            if kind == UNCLEAR:
                return False
            if kind == CLASS_OR_ID:
                first, second = value if first.size == 0 else first, value if first.size else second
            elif kind == HREF:
                href = value
            elif kind > HREF and not child.hidden:
                child.hidden = self.is_hiding(kind, value)
        if first.size:
            self.name(child, first, second)
        if child.traits & LINK:
            self.n_links += 1
            if self.host and self.leaves(href):
                self.n_offsite += 1
        return True

    cdef bint is_hiding(self, int kind, Value value) except -1:
        if kind == STYLE:
            return self.is_hiding_style(value)
        if kind == HEIGHT:
            return value.size == 1 and (value.text[0] == c'0' or value.text[0] == c'1')
        return kind == HIDDEN or is_word(value, b"true", 4)

    cdef bint is_hiding_style(self, Value value) except -1:
        """Whether a style hides; most of them are met again and again."""
        cdef Style* style = &self.styles[(hash_of(value) >> 8) & 63]
        if style.value.text == NULL or not same(style.value, value):
            style.hides = self.hides(escaped(value))
            style.value = value
        return style.hides

    cdef bint leaves(self, Value value) except -1:
        """`segment._leaves`, for a host of plain characters; others are asked of it."""
        cdef const uint8_t* href = value.text
        cdef size_t n = value.size, begin = 0, stop, k, size = len(self.host)
        if n >= 4 and lower(href[0]) == c'h' and lower(href[1]) == c't' and lower(href[2]) == c't' and lower(href[3]) == c'p':
            begin = 5 if n > 4 and lower(href[4]) == c's' else 4
            if begin >= n or href[begin] != c':':
                return False
            begin += 1
        if begin + 2 > n or href[begin] != c'/' or href[begin + 1] != c'/':
            return False
        begin = stop = begin + 2
        while stop < n and href[stop] not in (c'/', c'?', c'#', c':'):
            if href[stop] >= 128 or href[stop] in (c'&', c'<', c'>', c'"'):
                return self.leads_away(escaped(value), self.host)
            stop += 1
        if stop == begin:
            return False
        for k in range(1, size + 1):  # from the end
            if begin + k > stop or lower(href[stop - k]) != self.host[size - k]:
                return True
        return begin + size < stop and href[stop - size - 1] != c'.'

    cdef int name(self, Element* child, Value first, Value second) except -1:
        """Keep class and id as they stand; most of them are met again and again."""
        cdef Label* label = &self.labels[(hash_of(first) + 31 * hash_of(second) >> 8) & 511]
        cdef str names
        if not (label.first.size and same(label.first, first) and same(label.second, second)):
            names = folded(first, second)
            label.first, label.second = first, second
            label.number = self.names.setdefault(names, len(self.names)) if names else -1
        if label.number >= 0:
            memmove(&child.named[1], &child.named[0], (NAMED_LEVELS - 1) * sizeof(int32_t))
            child.named[0] = label.number
        return 0

    cdef int add(self, Value run) except -1:
        """Fold a run of text into the block; it may go on behind an element that is passed over."""
        cdef const uint8_t* at = run.text
        cdef const uint8_t* stop = at + run.size
        cdef Piece piece = self.piece
        cdef Py_UCS4* text
        cdef Py_UCS4 c
        cdef Py_ssize_t end = self.end, begin = self.begin
        cdef bint space = self.space
        cdef uint32_t han = 0
        if at == NULL:
            raise MemoryError
        if end + <Py_ssize_t>run.size + 1 > self.text_room:
            self.text_room = 2 * (end + <Py_ssize_t>run.size + 1)
            self.text = <Py_UCS4*>grown(self.text, self.text_room * sizeof(Py_UCS4))
        text = self.text
        while at < stop:
            c = next_character(&at, stop)
            if is_space(c):
                space = end > begin
            else:
                han += 0x4E00 <= c <= 0x9FFF
                if space:
                    text[end] = 32
                    end += 1
                    space = False
                text[end] = c
                end += 1
                if piece.first < 0:
                    piece.first = piece.size
                piece.last = piece.size
            piece.size += 1
        self.end, self.piece, self.space = end, piece, space
        self.han += han
        return 0

    cdef void end_piece(self) noexcept:
        """Count a run of text. The first one that shows anything decides what the block inherits."""
        cdef Element* element = &self.stack[self.depth]
        cdef int32_t shown = <int32_t>(self.piece.last - self.piece.first + 1)
        if self.piece.first >= 0:
            if not self.is_open or (self.first.links and not element.links):
                self.first = element[0]  # text beside a link tells more of the block than the link
            self.is_open = True
            if element.links:
                self.link_chars += shown
            if element.bold:
                self.bold_chars += shown
        self.piece.size, self.piece.first, self.piece.last = 0, -1, -1

    cdef int flush(self, int32_t open_links) except -1:
        """End the block."""
        cdef int32_t size = <int32_t>(self.end - self.begin)
        cdef int32_t* row
        self.space = False
        if not self.is_open:
            if self.n_links and not open_links:
                self.n_links = self.n_offsite = 0  # links around images only
            return 0
        if self.n_blocks == self.blocks_room:
            self.blocks_room *= 2
            self.numbers = <int32_t*>grown(self.numbers, self.blocks_room * NUMBERS * sizeof(int32_t))
            self.holders = <int32_t*>grown(self.holders, self.blocks_room * sizeof(self.first.holders))
            self.named = <int32_t*>grown(self.named, self.blocks_room * sizeof(self.first.named))
            self.offsets = <int64_t*>grown(self.offsets, (self.blocks_room + 1) * sizeof(int64_t))
        row = self.numbers + self.n_blocks * NUMBERS
        row[0], row[1] = min(self.link_chars, size), min(self.bold_chars, size)
        row[2], row[3], row[4] = self.n_links, self.n_offsite, self.images
        row[5], row[6], row[7], row[8] = min(self.first.depth, 32767), self.first.tag, self.first.landmarks, self.first.hidden
        memcpy(self.holders + self.n_blocks * HOLDER_LEVELS, self.first.holders, sizeof(self.first.holders))
        memcpy(self.named + self.n_blocks * NAMED_LEVELS, self.first.named, sizeof(self.first.named))
        self.n_blocks += 1
        self.offsets[self.n_blocks] = self.end
        self.begin, self.is_open = self.end, False
        self.link_chars = self.bold_chars = self.n_links = self.n_offsite = self.images = 0
        return 0
