package web

import (
	"bytes"
	"slices"
)

// lean returns a script or a style as pages get it: without comments and indentation,
// which are half of what there is once it is compressed. Names and statements stay as
// they are written, so that what a browser's console says can be found in the source.
func lean(body []byte, kind string) []byte {
	l := leaner{src: body}
	switch kind {
	case contentTypes[".js"]:
		l.script()
	case contentTypes[".css"]:
		l.style()
	default:
		return body
	}
	return append(l.out, '\n')
}

// leaner copies a text but for what says nothing to a browser. It knows as much of the
// language as it takes to tell a comment from a string that looks like one.
type leaner struct {
	src, out []byte
	at       int  // in src
	gap      byte // what has to stand before the next thing: 0, a space or a new line
}

// peek returns the byte that lies ahead by n, 0 behind the end.
func (l *leaner) peek(n int) byte {
	if l.at+n >= len(l.src) {
		return 0
	}
	return l.src[l.at+n]
}

// take copies n bytes, or what there is.
func (l *leaner) take(n int) {
	if l.gap != 0 && len(l.out) > 0 {
		l.out = append(l.out, l.gap)
	}
	l.gap = 0
	end := min(l.at+n, len(l.src))
	l.out = append(l.out, l.src[l.at:end]...)
	l.at = end
}

// space skips white space, and remembers that there was some.
func (l *leaner) space() {
	if l.peek(0) == '\n' {
		l.gap = '\n' // which may end a statement
	} else if l.gap == 0 {
		l.gap = ' '
	}
	l.at++
}

// quoted copies a string, or a regular expression: all up to the next end that is not
// escaped, nor, in a regular expression, in a class.
func (l *leaner) quoted(end byte) {
	n, class := 1, false
	for l.at+n < len(l.src) && (class || l.peek(n) != end) {
		switch l.peek(n) {
		case '\\':
			n++
		case '[':
			class = end == '/'
		case ']':
			class = false
		}
		n++
	}
	l.take(n + 1)
}

// block skips a comment of several lines, which counts as the white space that it has.
func (l *leaner) block() {
	length := len(l.src) - l.at
	if end := bytes.Index(l.src[l.at+2:], []byte("*/")); end >= 0 {
		length = end + 4
	}
	lines := bytes.ContainsRune(l.src[l.at:l.at+length], '\n')
	l.at += length
	if lines {
		l.gap = '\n'
	} else if l.gap == 0 {
		l.gap = ' '
	}
}

// script copies a module.
func (l *leaner) script() {
	depth := 0
	var templates []int // how deep each one is in which there is an expression just now
	for l.at < len(l.src) {
		switch c := l.peek(0); {
		case isSpace(c):
			l.space()
		case c == '/' && l.peek(1) == '/':
			for l.at < len(l.src) && l.peek(0) != '\n' {
				l.at++
			}
		case c == '/' && l.peek(1) == '*':
			l.block()
		case c == '\'' || c == '"' || c == '/' && l.beginsOperand():
			l.quoted(c)
		case c == '`':
			if l.template() {
				templates = append(templates, depth)
			}
		case c == '}' && len(templates) > 0 && templates[len(templates)-1] == depth:
			if !l.template() {
				templates = templates[:len(templates)-1]
			}
		default:
			switch c {
			case '{':
				depth++
			case '}':
				depth--
			}
			l.take(1)
		}
	}
}

// template copies a part of a template literal, from its beginning or the end of an
// expression to its end or the next expression, and reports whether there is one.
func (l *leaner) template() bool {
	for n := 1; l.at+n < len(l.src); n++ {
		switch {
		case l.peek(n) == '\\':
			n++
		case l.peek(n) == '`':
			l.take(n + 1)
			return false
		case l.peek(n) == '$' && l.peek(n+1) == '{':
			l.take(n + 2)
			return true
		}
	}
	l.take(len(l.src) - l.at)
	return false
}

// operandFollows are the words behind which a slash begins a regular expression.
var operandFollows = []string{
	"await", "case", "delete", "do", "else", "in", "instanceof", "new", "of", "return", "throw", "typeof", "void", "yield",
}

// beginsOperand reports whether a slash begins a regular expression rather than dividing
// what stands before it. Behind a parenthesis or a brace it divides: where a statement
// begins with a regular expression, TestLeanScripts wants another way to write it.
func (l *leaner) beginsOperand() bool {
	if len(l.out) == 0 {
		return true
	}
	last := l.out[len(l.out)-1]
	if isWord(last) {
		begin := len(l.out)
		for begin > 0 && isWord(l.out[begin-1]) {
			begin--
		}
		return slices.Contains(operandFollows, string(l.out[begin:]))
	}
	return !bytes.ContainsRune([]byte(")]}'\"`"), rune(last)) && !bytes.HasSuffix(l.out, []byte("++")) && !bytes.HasSuffix(l.out, []byte("--"))
}

// style copies a style sheet.
func (l *leaner) style() {
	for l.at < len(l.src) {
		switch c := l.peek(0); {
		case isSpace(c):
			l.space()
		case c == '/' && l.peek(1) == '*':
			l.block()
		case c == '\'' || c == '"':
			l.quoted(c)
		default:
			l.take(1)
		}
	}
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

func isWord(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80
}
