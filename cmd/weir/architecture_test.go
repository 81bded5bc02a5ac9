package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// These tests hold the plan of the house, which CONTRIBUTING.md tells in words.
// When one fails, the code has left the plan: change the code, or change the
// plan, here and there, and say why in the commit.

// mayImport says which of our packages each of our packages may import outside
// of tests. What is not in a row is forbidden. A row may be there before its
// package is.
var mayImport = map[string][]string{
	// The hub and what it is made of: nothing below knows anything above.
	"sfu/media":      {},
	"sfu/codec":      {"sfu/media"},
	"sfu/forward":    {"sfu/media"},
	"sfu/simulcast":  {"sfu/media"},
	"sfu/rtp":        {"sfu/media", "sfu/codec"},
	"sfu/catchup":    {},
	"sfu/pace":       {},
	"sfu/interleave": {"sfu/pace"},
	"sfu/udp":        {},
	"sfu":            {"sfu/media", "sfu/codec", "sfu/catchup"},

	// The adapters: sources and sinks. They meet in the hub and never import one
	// another.
	"sfu/peer":           {"sfu", "sfu/media", "sfu/codec", "sfu/forward", "sfu/rtp", "sfu/simulcast", "sfu/udp", "sfu/peer/sdp", "sfu/peer/transport"},
	"sfu/peer/sdp":       {"sfu/media", "sfu/codec"},
	"sfu/peer/transport": {"sfu/udp", "sfu/peer/sdp"},
	"sfu/poster":         {"sfu", "sfu/media", "sfu/poster/picture"},
	"sfu/poster/picture": {"sfu/codec", "sfu/media"},
	"sfu/relay":          {"sfu", "sfu/media", "sfu/codec"},
	"recorder":           {"sfu", "sfu/media", "sfu/codec", "sfu/interleave", "recorder/place", "recorder/webm", "recorder/webm/ebml", "recorder/webm/repair"},
	"recorder/place":     {},
	"recorder/mend":      {"recorder/webm/repair"},
	"recorder/playback":  {"sfu", "sfu/media", "sfu/codec", "recorder/webm/ebml", "recorder/webm/read"},
	"recorder/mp4":       {"sfu/media", "sfu/codec"},

	// WebM: what elements are called and how they are parsed; where things lie in a
	// file; the file from head to head. Who writes knows nothing of who reads.
	"recorder/webm/ebml":   {"sfu/media", "sfu/codec"},
	"recorder/webm/layout": {"recorder/webm/ebml", "sfu/media", "sfu/codec"},
	"recorder/webm/walk":   {"recorder/webm/ebml", "sfu/media", "sfu/codec"},
	"recorder/webm":        {"recorder/webm/ebml", "recorder/webm/layout", "sfu/interleave", "sfu/media", "sfu/codec"},
	"recorder/webm/read":   {"recorder/webm/ebml", "recorder/webm/walk", "sfu/media"},
	"recorder/webm/repair": {"recorder/webm", "recorder/webm/ebml", "recorder/webm/layout", "recorder/webm/walk", "sfu/media", "sfu/codec"},

	// The load generator: a client, and so no neighbour of the above.
	"cmd/weir/load": {"sfu/media", "sfu/codec", "sfu/udp"},

	// HTTP. The root package knows the adapters for one thing only: its table from
	// their errors to status codes.
	"signaling":         {"sfu", "sfu/peer", "sfu/poster", "sfu/poster/picture", "recorder"},
	"signaling/auth":    {"sfu", "signaling"},
	"signaling/session": {"sfu", "signaling", "signaling/auth"},
	"signaling/whip":    {"sfu", "sfu/media", "sfu/peer", "signaling", "signaling/auth", "signaling/session", "web"},
	"signaling/ws":      {"sfu", "sfu/media", "sfu/codec", "sfu/pace", "sfu/interleave", "recorder/webm", "recorder/webm/ebml", "recorder/webm/read", "recorder/mp4", "signaling", "signaling/auth", "signaling/session", "web"},
	"signaling/vod":     {"sfu", "sfu/media", "recorder", "recorder/playback", "signaling", "signaling/auth", "signaling/session", "web"},
	"signaling/admin":   {"sfu", "sfu/media", "recorder", "signaling", "signaling/auth", "signaling/session", "web"},
	"signaling/posters": {"sfu", "sfu/poster", "sfu/poster/picture", "signaling", "signaling/auth", "signaling/session"},
	"signaling/qrcode":  {"signaling"},
	"web":               {},

	// The program puts everything together.
	"cmd/weir": {anything},
	// Tests only.
	"cmd/weir/e2e": {},
}

// anything in a row of mayImport allows all of our packages.
const anything = "*"

// homes says which package each third-party module belongs to: outside of tests
// nobody else may import it. So a module can be replaced by changing one package.
// Major versions are left out of the paths. Package load is a home of pion too: it
// is a client that measures servers, this one and others, and no part of ours; to
// share sfu/peer with the server would be to measure the server with itself.
var homes = map[string][]string{
	"github.com/pion/webrtc":        {"sfu/peer", "cmd/weir/load"},
	"github.com/pion/interceptor":   {"sfu/peer", "cmd/weir/load"},
	"github.com/pion/ice":           {"sfu/peer", "cmd/weir/load"},
	"github.com/pion/dtls":          {"sfu/peer/transport", "cmd/weir/load"},
	"github.com/pion/stun":          {"sfu/peer/transport", "cmd/weir/load"},
	"github.com/pion/srtp":          {"sfu/peer/transport", "cmd/weir/load"},
	"github.com/pion/sdp":           {"sfu/peer/sdp"},
	"github.com/pion/transport":     {"sfu/peer", "sfu/peer/transport", "cmd/weir/load"},
	"github.com/pion/logging":       {"sfu/peer", "sfu/peer/transport", "cmd/weir/load"},
	"github.com/pion/rtp":           {"sfu/peer", "sfu/peer/transport", "sfu/codec", "sfu/forward", "cmd/weir/load"},
	"github.com/pion/rtcp":          {"sfu/peer", "sfu/peer/transport", "sfu/rtp", "sfu/codec", "sfu/forward", "cmd/weir/load"},
	"golang.org/x/image":            {"sfu/poster/picture"},
	"golang.org/x/net":              {"sfu/udp"},
	"golang.org/x/sys":              {"sfu/udp"},
	"github.com/at-wat/ebml-go":     {"recorder/webm/layout"},
	"github.com/gorilla/websocket":  {"signaling/ws"},
	"golang.org/x/time":             {"signaling/ws"},
	"github.com/prometheus":         {"signaling/admin"},
	"github.com/dustin/go-humanize": {"recorder"},
	"github.com/urfave/cli":         {"cmd/weir"},
	"go.yaml.in/yaml":               {"cmd/weir"},
	"modernc.org/sqlite":            {"recorder"},
	"rsc.io/qr":                     {"signaling/qrcode"},
}

// sansIO are the packages that only compute: no goroutine, no clock, no logger,
// no lock, no I/O of their own. Everything that they need is handed to them, so
// that every test of theirs is exact and every caller may use them as it likes.
var sansIO = []string{
	"sfu/media", "sfu/codec", "sfu/forward", "sfu/rtp", "sfu/simulcast", "sfu/catchup", "sfu/pace", "sfu/interleave", "sfu/peer/sdp", "sfu/poster/picture",
	"recorder/webm", "recorder/webm/ebml", "recorder/webm/layout", "recorder/webm/walk", "recorder/webm/read", "recorder/webm/repair",
	"recorder/mp4", "recorder/place",
}

// worldly are the packages of the standard library that sansIO may not import.
var worldly = []string{"context", "log", "log/slog", "net", "net/http", "os", "os/exec", "os/signal", "sync", "sync/atomic", "syscall"}

// clocks are the functions of package time that sansIO may not call.
var clocks = []string{"Now", "Since", "Until", "Sleep", "After", "AfterFunc", "NewTimer", "NewTicker", "Tick"}

// topLevel is what the repository's root may hold, besides names that start with
// a dot and what .gitignore names.
var topLevel = []string{
	"cmd", "sfu", "signaling", "recorder", "web",
	"go.mod", "go.sum", "Taskfile.yml", "README.md", "LICENSE", "CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md", "OPERATING.md",
}

// Files are short enough to be read in one go.
const (
	maxLines     = 500
	maxTestLines = 800
)

// module is the path of our module, root where it lies as seen from this package.
const (
	module = "weir/"
	root   = "../.."
)

func TestOurImports(t *testing.T) {
	for _, p := range packages(t) {
		if p.testOnly() {
			continue
		}
		allowed, ok := mayImport[p.name()]
		if !ok {
			t.Errorf("%s is in no row of mayImport: decide what it may import, and add it there and to the tree in CONTRIBUTING.md", p.name())
			continue
		}
		for _, i := range p.Imports {
			ours, ok := strings.CutPrefix(i, module)
			switch {
			case !ok || slices.Contains(allowed, ours):
			case isTestOnly(ours):
				t.Errorf("%s imports %s, which is for tests: move what it needs out of there", p.name(), ours)
			case !slices.Contains(allowed, anything):
				t.Errorf("%s imports %s, but may import only %q of ours: declare an interface where it is used, or let cmd/weir put the two together",
					p.name(), ours, allowed)
			}
		}
	}
}

func TestThirdPartyImports(t *testing.T) {
	for _, p := range packages(t) {
		if p.testOnly() {
			continue
		}
		for _, i := range p.Imports {
			if first, _, _ := strings.Cut(i, "/"); !strings.Contains(first, ".") {
				continue // ours, or the standard library's
			}
			at, ok := moduleOf(i)
			switch {
			case !ok:
				t.Errorf("%s imports %s, which has no home: if nothing that is here can do it, give its module a row in homes", p.name(), i)
			case !slices.Contains(homes[at], p.name()):
				t.Errorf("%s imports %s, whose home is %q: call that package instead", p.name(), i, homes[at])
			}
		}
	}
}

func TestSansIO(t *testing.T) {
	for _, p := range packages(t) {
		if !slices.Contains(sansIO, p.name()) {
			continue
		}
		for _, i := range p.Imports {
			if slices.Contains(worldly, i) {
				t.Errorf("%s imports %s, but it only computes: take what it needs as an argument", p.name(), i)
			}
		}
		for _, file := range p.GoFiles {
			set := token.NewFileSet()
			ast.Inspect(parse(t, set, filepath.Join(p.Dir, file)), func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.GoStmt:
					t.Errorf("%s starts a goroutine, but %s only computes: let the caller do it", set.Position(n.Pos()), p.name())
				case *ast.SelectorExpr:
					if x, ok := n.X.(*ast.Ident); ok && x.Name == "time" && slices.Contains(clocks, n.Sel.Name) {
						t.Errorf("%s uses time.%s, but %s only computes: take the time as an argument", set.Position(n.Pos()), n.Sel.Name, p.name())
					}
				}
				return true
			})
		}
	}
}

func TestPackageComments(t *testing.T) {
	for _, p := range packages(t) {
		if len(p.GoFiles) == 0 {
			continue // tests only
		}
		if !slices.Contains(p.GoFiles, "doc.go") {
			t.Errorf("%s has no doc.go: add one that tells its model and its invariants", p.name())
			continue
		}
		comment := parse(t, token.NewFileSet(), filepath.Join(p.Dir, "doc.go")).Doc.Text()
		want := "Package " + path.Base(p.name()) + " "
		if p.Name == "main" {
			want = "Command " + path.Base(p.name()) + " "
		}
		if !strings.HasPrefix(comment, want) {
			t.Errorf("the comment in doc.go of %s must begin with %q", p.name(), want)
		}
	}
}

func TestFileSizes(t *testing.T) {
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if hidden := strings.HasPrefix(d.Name(), ".") && name != root; hidden || d.Name() == "testdata" || d.Name() == "node_modules" {
				return filepath.SkipDir
			}
			return nil
		}
		most := maxLines
		switch filepath.Ext(name) {
		case ".go":
			if strings.HasSuffix(name, "_test.go") {
				most = maxTestLines
			}
		case ".js", ".css", ".html":
		default:
			return nil
		}
		data, err := os.ReadFile(name)
		if lines := bytes.Count(data, []byte("\n")); lines > most {
			t.Errorf("%s has %d lines, at most %d are allowed: split it by what its parts are about", name, lines, most)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

func TestTopLevel(t *testing.T) {
	entries, err := os.ReadDir(root)
	if err != nil {
		t.Fatal(err)
	}
	ignored := gitignore(t)
	for _, e := range entries {
		known := strings.HasPrefix(e.Name(), ".") || slices.Contains(topLevel, e.Name()) ||
			slices.ContainsFunc(ignored, func(pattern string) bool {
				match, err := path.Match(pattern, e.Name())
				return err == nil && match
			})
		if !known {
			t.Errorf("the top level holds %s, but is fixed: put it below one of %q", e.Name(), topLevel[:5])
		}
	}
}

// goPackage is what `go list -json` tells of a package.
type goPackage struct {
	ImportPath, Name, Dir string
	GoFiles, Imports      []string
}

// name is the package's path below the module.
func (p goPackage) name() string { return strings.TrimPrefix(p.ImportPath, module) }

func (p goPackage) testOnly() bool { return isTestOnly(p.name()) }

// isTestOnly tells the packages that tests share, like net/http/httptest. They
// may import what they like, and only tests may import them.
func isTestOnly(name string) bool { return strings.HasSuffix(name, "test") }

// packages lists our packages.
func packages(t *testing.T) []goPackage {
	t.Helper()
	list := exec.Command("go", "list", "-json=ImportPath,Name,Dir,GoFiles,Imports", "./...")
	list.Dir = root
	list.Stderr = os.Stderr
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	var all []goPackage
	for d := json.NewDecoder(bytes.NewReader(out)); ; {
		var p goPackage
		err := d.Decode(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatalf("go list: %v", err)
		}
		all = append(all, p)
	}
	if len(all) == 0 {
		t.Fatal("go list found no package")
	}
	return all
}

// moduleOf returns the row of homes that an import path belongs to.
func moduleOf(imported string) (string, bool) {
	for m := range homes {
		if imported == m || strings.HasPrefix(imported, m+"/") {
			return m, true
		}
	}
	return "", false
}

func parse(t *testing.T, set *token.FileSet, name string) *ast.File {
	t.Helper()
	f, err := parser.ParseFile(set, name, nil, parser.ParseComments)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// gitignore returns the patterns of .gitignore that mean entries of the root.
func gitignore(t *testing.T) []string {
	t.Helper()
	f, err := os.Open(filepath.Join(root, ".gitignore"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var patterns []string
	for lines := bufio.NewScanner(f); lines.Scan(); {
		if line := strings.Trim(lines.Text(), "/ "); line != "" && !strings.HasPrefix(line, "#") {
			patterns = append(patterns, line)
		}
	}
	return patterns
}
