package main

import (
	"go/ast"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"weir/sfu/codec"
)

// namesCodecs are the files outside of sfu/codec that may tell codecs apart, and why.
// All others ask the codec's row (codec.For), so that a new codec is a row there and
// one in the table of package media.
var namesCodecs = map[string]string{
	"cmd/weir/load/broadcast.go": "what it publishes looks like these two",
	"recorder/mp4/header.go":     "a table of its own: the boxes that describe a track in MP4",
	"sfu/poster/picture/vp8.go":  "the only codec that there is a decoder of",
}

func TestCodecsAreNamedInTheirRows(t *testing.T) {
	constants := map[string]bool{}
	for _, c := range codec.All() {
		constants[strings.ToUpper(c.String())] = true
	}
	found := map[string]bool{}
	for _, p := range packages(t) {
		if p.testOnly() || p.name() == "sfu/codec" || p.name() == "sfu/media" {
			continue
		}
		for _, name := range p.GoFiles {
			set := token.NewFileSet()
			ast.Inspect(parse(t, set, filepath.Join(p.Dir, name)), func(n ast.Node) bool {
				s, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "media" && constants[strings.ToUpper(s.Sel.Name)] {
					file := p.name() + "/" + name
					if found[file] = true; namesCodecs[file] == "" {
						t.Errorf("%s names media.%s: ask the codec's row (codec.For), or give it a field for what is asked", set.Position(n.Pos()), s.Sel.Name)
					}
				}
				return true
			})
		}
	}
	if unused := slices.DeleteFunc(slices.Sorted(maps.Keys(namesCodecs)), func(f string) bool { return found[f] }); len(unused) > 0 {
		t.Errorf("%q name no codec any more: take them off the list", unused)
	}
}

// TestCodecRows: each row answers what is asked of all codecs.
func TestCodecRows(t *testing.T) {
	for _, c := range codec.All() {
		format, ok := codec.For(c)
		n := format.Negotiation
		if !ok || !strings.EqualFold(n.Name, c.String()) || n.PayloadType == 0 || format.MatroskaID == "" || format.NewPacketizer == nil || format.NewDepacketizer == nil {
			t.Errorf("%v: %+v", c, format)
		}
		if codec.ByMatroskaID(format.MatroskaID) != c || codec.Parameter(c, nil) == "" {
			t.Errorf("%v is not found by %q", c, format.MatroskaID)
		}
		if sound := c.Channels() > 0; sound != (format.FrameDuration != nil) || sound == (format.Keyframe != nil) || sound == (format.FrameSize != nil) || sound != (n.Repair == 0) {
			t.Errorf("%v: sound %v, %+v", c, sound, format)
		}
	}
}
