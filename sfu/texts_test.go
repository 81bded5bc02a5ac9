package sfu

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"

	"weir/sfu/media"
)

// TestCleanTexts: any script is a title, of 120 characters at most; what would leave its
// place in a log, a header or a page is none.
func TestCleanTexts(t *testing.T) {
	for _, tt := range []struct {
		title, want string // want is empty: refused
		says        string // in the error
	}{
		{"مسيرة نحو البحر: بثّ مباشر", "مسيرة نحو البحر: بثّ مباشر", ""},
		{"می\u200cخواهم", "می\u200cخواهم", ""}, // with a zero width non-joiner
		{"港からの生中継「第3回」", "港からの生中継「第3回」", ""},
		{"👩‍👩‍👧‍👦 live from 🏝️", "👩‍👩‍👧‍👦 live from 🏝️", ""},
		{"  spaces around \t\r\n", "spaces around", ""},
		{"<b onclick=x>&amp;\"'</b>", "<b onclick=x>&amp;\"'</b>", ""}, // text, and nothing else
		{strings.Repeat("🎬", 120), strings.Repeat("🎬", 120), ""},
		{strings.Repeat("ب", 120) + " ", strings.Repeat("ب", 120), ""},
		{strings.Repeat("🎬", 121), "", "121 characters, at most 120"},
		{strings.Repeat("海", 5000), "", "5000 characters, at most 120"},
		{"two\nlines", "", "U+000A"},
		{"a\x00b", "", "U+0000"},
		{"\x1b[31mred", "", "U+001B"},
		{"a\x7fb", "", "U+007F"},
		{"a\u0085b", "", "U+0085"},
		{"a\u2028b", "", "U+2028"},
		{"cod\u202egpj.exe", "", "U+202E"},
		{"a\u2067b", "", "U+2067"},
		{"a\xffb", "", "UTF-8"},
	} {
		got, err := Texts{Title: tt.title}.Clean()
		if tt.want != "" && (err != nil || got.Title != tt.want) {
			t.Errorf("%q: %q, %v", tt.title, got.Title, err)
		}
		if tt.want == "" && (!errors.Is(err, ErrBadTitle) || !strings.Contains(err.Error(), tt.says) || len(err.Error()) > 150) {
			t.Errorf("%q: %q, %v, want %q", tt.title, got.Title, err, tt.says)
		}
	}
	for _, nothing := range []string{"", "   ", "\u200b\u200d", " \u2009 "} {
		if got, err := (Texts{nothing, nothing}).Clean(); err != nil || got != (Texts{}) {
			t.Errorf("%q: %+q, %v", nothing, got, err)
		}
	}
	for description, want := range map[string]string{
		"one\r\n\r\ntwo\n":                "one\n\ntwo",
		strings.Repeat("語", 2000):         strings.Repeat("語", 2000),
		strings.Repeat("語", 2001):         "",
		"a\tb":                            "",
		"a\rb":                            "",
		"a\u2029b":                        "",
		"under a \u202aheading\u202c, so": "",
	} {
		got, err := Texts{Description: description}.Clean()
		if got.Description != want || (want == "") != errors.Is(err, ErrBadDescription) {
			t.Errorf("%.40q: %.40q, %v", description, got.Description, err)
		}
	}
}

// TestTextsStayWhenThePublisherComesBack: by itself it says what it said at first, or
// nothing, and what was changed meanwhile stays; what it says anew counts.
func TestTextsStayWhenThePublisherComesBack(t *testing.T) {
	text := func(s string) *string { return &s }
	for _, tt := range []struct {
		name    string
		changed *string // while it was live
		says    []string
		want    string
		another bool // it comes back with other tracks
	}{
		{"nothing", nil, []string{""}, "first", false},
		{"the same", nil, []string{"first"}, "first", false},
		{"the same after a change", text("changed"), []string{"first"}, "changed", false},
		{"nothing after a change", text("changed"), []string{""}, "changed", false},
		{"nothing, then the same after a change", text("changed"), []string{"", "first"}, "changed", false},
		{"what is new", text("changed"), []string{"new"}, "new", false},
		{"nothing after the title was taken away", text(""), []string{"first"}, "", false},
		{"as another stream", text("changed"), []string{"first"}, "changed", true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHub(t, Config{Grace: grace})
				lose := func(title string, codecs ...media.Codec) {
					p := publish(t, h, PublishOptions{Texts: Texts{title, "about"}})
					p.Run(t.Context(), sourceFunc(func(context.Context, *Publication) error {
						for _, s := range addSources(t, p, Frames, codecs...) {
							s.writer.WriteFrame(media.Frame{PTS: max(p.Now(), p.Edge()+1), Sync: true, Data: []byte{1}})
						}
						return ErrLost
					}))
				}
				lose("first", media.Opus)
				first := wantState(t, h, Waiting)
				if first.Title != "first" || first.Description != "about" {
					t.Fatalf("the stream is %+v", first)
				}
				if _, err := h.Describe("s", TextsChange{Title: tt.changed}); err != nil {
					t.Fatal(err)
				}
				for _, title := range tt.says {
					if tt.another {
						lose(title, media.Opus, media.VP8)
					} else {
						lose(title, media.Opus)
					}
				}
				now := wantState(t, h, Waiting)
				if now.Title != tt.want || now.Description != "about" || (now.ID != first.ID) != tt.another {
					t.Errorf("the title is %q, the description %q", now.Title, now.Description)
				}
			})
		})
	}
}

// TestDescribe: what is said of a stream changes while it is there, by its publisher or
// by others, and watchers are told of each change.
func TestDescribe(t *testing.T) {
	text := func(s string) *string { return &s }
	h := newHub(t, Config{})
	if _, err := h.Publish("s", PublishOptions{Texts: Texts{Title: strings.Repeat("a", 121)}}); !errors.Is(err, ErrBadTitle) {
		t.Errorf("Publish() with a long title = %v", err)
	}
	w := watch(h)
	p := publish(t, h, PublishOptions{})
	sub := &Subscription{stream: p.stream()}
	for i, step := range []struct {
		do   func() error
		want Texts
		err  error
	}{
		{func() error { return p.Describe(TextsChange{Title: text(" by hello ")}) }, Texts{Title: "by hello"}, nil},
		{func() error { _, err := h.Describe("s", TextsChange{Description: text("a\nb")}); return err }, Texts{"by hello", "a\nb"}, nil},
		{func() error { _, err := h.Describe("s", TextsChange{Description: text("a\nb")}); return err }, Texts{"by hello", "a\nb"}, nil},
		{func() error { _, err := h.Describe("s", TextsChange{Title: text("\a")}); return err }, Texts{"by hello", "a\nb"}, ErrBadTitle},
		{func() error { return p.Describe(TextsChange{Description: text("\a")}) }, Texts{"by hello", "a\nb"}, ErrBadDescription},
		{func() error { _, err := h.Describe("s", TextsChange{Title: text("")}); return err }, Texts{"", "a\nb"}, nil},
		{func() error { _, err := h.Describe("other", TextsChange{Title: text("x")}); return err }, Texts{"", "a\nb"}, ErrNotLive},
	} {
		if err := step.do(); !errors.Is(err, step.err) || (err != nil) != (step.err != nil) {
			t.Errorf("step %d: %v, want %v", i, err, step.err)
		}
		if got := sub.Texts(); got != step.want {
			t.Errorf("step %d: %q", i, got)
		}
	}
	p.Close()
	if err := p.Describe(TextsChange{Title: text("too late")}); !errors.Is(err, ErrEnded) {
		t.Errorf("Describe() after the end = %v", err)
	}
	var got []string
	for _, e := range w.all() {
		if e.Kind == StreamUpdated {
			got = append(got, fmt.Sprintf("%s|%s", e.Stream.Title, e.Stream.Description))
		}
	}
	if want := []string{"by hello|", "by hello|a\nb", "|a\nb"}; !slices.Equal(got, want) {
		t.Errorf("told: %q, want %q", got, want)
	}
}

// TestDescribeBeforeTheTracks: a publisher that comes back may say what is new before it
// is decided whose stream it goes on with.
func TestDescribeBeforeTheTracks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHub(t, Config{Grace: grace})
		first := publish(t, h, PublishOptions{Texts: Texts{Title: "first"}})
		first.Run(t.Context(), sourceFunc(func(context.Context, *Publication) error {
			addSource(t, first, media.Opus, Frames).writer.WriteFrame(media.Frame{PTS: 1, Sync: true, Data: []byte{1}})
			return ErrLost
		}))
		changed := "changed"
		if _, err := h.Describe("s", TextsChange{Title: &changed}); err != nil {
			t.Fatal(err)
		}
		for _, tt := range []struct{ hello, before, after string }{{"first", "changed", "changed"}, {"new", "changed", "new"}} {
			p := publish(t, h, PublishOptions{})
			if err := p.Describe(TextsChange{Title: &tt.hello}); err != nil {
				t.Fatal(err)
			}
			if i := wantState(t, h, Waiting); i.Title != tt.before {
				t.Errorf("hello %q: the title is %q before the tracks", tt.hello, i.Title)
			}
			p.Run(t.Context(), sourceFunc(func(context.Context, *Publication) error {
				addSource(t, p, media.Opus, Frames).writer.WriteFrame(media.Frame{PTS: max(p.Now(), p.Edge()+1), Sync: true, Data: []byte{1}})
				return ErrLost
			}))
			if i := wantState(t, h, Waiting); i.Title != tt.after {
				t.Errorf("hello %q: the title is %q", tt.hello, i.Title)
			}
		}
	})
}
