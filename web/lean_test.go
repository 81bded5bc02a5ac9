package web

import (
	"bytes"
	"path"
	"regexp"
	"testing"
)

func TestLean(t *testing.T) {
	js, css := contentTypes[".js"], contentTypes[".css"]
	for _, tt := range []struct{ kind, text, want string }{
		{js, "/** Why.\n * More. */\nexport const a = 1; // one\n\n\n// two\nlet  b\t=\t2;\n", "export const a = 1;\nlet b = 2;\n"},
		{js, "const url = 'https://x//y'; // z", "const url = 'https://x//y';\n"},
		{js, `const a = "/* no */", b = '\'// no', c = "\\"; /* yes */ d()`, `const a = "/* no */", b = '\'// no', c = "\\"; d()` + "\n"},
		{js, "return /* why\n */ x", "return\nx\n"}, // as the language has it
		{js, "a/**/b", "a b\n"},
		{js, "const t = `  // ${ /* c */ f({a: `}  ${x}`}) }  /* in */\n   end` // out", "const t = `  // ${ f({a: `}  ${x}`}) }  /* in */\n   end`\n"},
		{js, "`a\\`//b\\${` // c", "`a\\`//b\\${`\n"},
		{js, "const {a} = `${b}`; if (c) { d() } // e", "const {a} = `${b}`; if (c) { d() }\n"},
		{js, `const re = /'\/[/"]*/g; // '`, `const re = /'\/[/"]*/g;` + "\n"},
		{js, `x.split(/[/]/) // a`, `x.split(/[/]/)` + "\n"},
		{js, `return /\/\*/.test(x) /* a */`, `return /\/\*/.test(x)` + "\n"},
		{js, "const half = (a + b) / 2; // 'c\nd['e'] / 2 / f; i++ / 2 // g'", "const half = (a + b) / 2;\nd['e'] / 2 / f; i++ / 2\n"},
		{js, "a => /b'/, `c` / d // e'", "a => /b'/, `c` / d\n"},
		{js, "x // no end", "x\n"},
		{js, "x /* no end", "x\n"},
		{js, "'no end", "'no end\n"},
		{js, "`no ${end", "`no ${end\n"},
		{js, "`no end", "`no end\n"},
		{js, "", "\n"},
		{css, "/* a */\n.b {\n  c: d; /* e */\n}\n\n\n@media x {\n  .f { g: \"/* h */ \\\"\"; }\n}\n", ".b {\nc: d;\n}\n@media x {\n.f { g: \"/* h */ \\\"\"; }\n}\n"},
		{css, "a { mask: url(\"../img/x.svg\") 0 / 1px, url('/*'); }", "a { mask: url(\"../img/x.svg\") 0 / 1px, url('/*'); }\n"},
		{contentTypes[".svg"], "<svg>  <!-- a --></svg>", "<svg>  <!-- a --></svg>"},
	} {
		if got := string(lean([]byte(tt.text), tt.kind)); got != tt.want {
			t.Errorf("%q:\n got %q\nwant %q", tt.text, got, tt.want)
		}
	}
}

// TestLeanScripts: what is there is written so that it can be read this simply.
func TestLeanScripts(t *testing.T) {
	s := embedded()
	statement := regexp.MustCompile(`[)}]\s*/[^/*\s]`) // a regular expression, or a division without a space
	for name, f := range s.lean {
		kind := path.Ext(name)
		if kind != ".js" && kind != ".css" {
			continue
		}
		if again := lean(f.body, f.kind); !bytes.Equal(append(again, '\n'), append(f.body, '\n')) {
			t.Errorf("%s made lean twice is another text", name)
		}
		if bytes.Contains(f.body, []byte("/**")) || bytes.Contains(f.body, []byte("\n//")) || bytes.Contains(f.body, []byte("\n ")) && !bytes.Contains(f.body, []byte("`")) {
			t.Errorf("%s has comments or indentation left", name)
		}
		if at := statement.Find(f.body); at != nil && kind == ".js" {
			t.Errorf("%s: %q may be a division or a regular expression: put a space, or a name", name, at)
		}
		if own, ok := s.assets[name]; ok && len(f.body) > len(own.body)+1 {
			t.Errorf("%s got longer", name)
		}
	}
}

func BenchmarkNewSite(b *testing.B) {
	for b.Loop() {
		newSite()
	}
}

// FuzzLean: whatever the text is, what comes out is no longer, and stays as it is.
func FuzzLean(f *testing.F) {
	for _, text := range []string{"a // b", "`${`${/[/]/}`}`", "/* a", "a /= b / c", "\"\\"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, kind := range []string{contentTypes[".js"], contentTypes[".css"]} {
			if got := lean(text, kind); len(got) > len(text)+1 {
				t.Errorf("%q got longer: %q", text, got)
			}
		}
	})
}
