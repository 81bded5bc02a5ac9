package web

import (
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"
)

//go:embed static
var static embed.FS

// contentTypes is fixed here instead of asking package mime, whose answers
// depend on the tables of the machine; browsers refuse a module script whose
// type is wrong.
var contentTypes = map[string]string{
	".html": "text/html; charset=utf-8",
	".css":  "text/css; charset=utf-8",
	".js":   "text/javascript; charset=utf-8",
	".ts":   "application/typescript; charset=utf-8",
	".svg":  "image/svg+xml",
	".png":  "image/png",
	".jpg":  "image/jpeg",
}

// packed are the types whose files are compressed already.
var packed = []string{contentTypes[".png"], contentTypes[".jpg"]}

// site is what is served: the assets by their path below static/, and the pages.
type site struct {
	assets map[string]file // as they lie there, for whoever imports or reads them
	lean   map[string]file // as the pages get them
	pages  map[string]document
	// version is a hash of all of lean. It stands as a folder in the addresses by which
	// the pages refer to them, static/{version}/app/watch.js, so that what a module
	// imports, a style draws with and a script builds of its own address is of the same
	// version without a word of it being rewritten.
	version string
}

func newAsset(body []byte, kind string) file {
	f := newFile(body, kind)
	if !slices.Contains(packed, kind) {
		f.gzipped = pack(body, bestPacking)
	}
	return f
}

// versionMark tells a version from the folders that lie below static/.
const versionMark = "h-"

// newSite puts together all that is embedded.
func newSite() *site {
	s := &site{assets: load(static), lean: map[string]file{}}
	for name, f := range s.assets {
		s.lean[name] = newAsset(lean(f.body, f.kind), f.kind)
	}
	s.addStyles()
	s.version = versionOf(s.lean)
	s.addPages(pageFiles)
	return s
}

// versionOf returns a name for exactly these assets.
func versionOf(assets map[string]file) string {
	all := sha256.New()
	for _, name := range slices.Sorted(maps.Keys(assets)) {
		all.Write([]byte(name + assets[name].etag + "\n"))
	}
	return versionMark + base64.RawURLEncoding.EncodeToString(all.Sum(nil)[:9])
}

// load reads every embedded file once. It cannot fail at run time: the files
// are in the binary, so an error would be a defect of the build.
func load(fsys fs.FS) map[string]file {
	assets := map[string]file{}
	err := fs.WalkDir(fsys, "static", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		kind, ok := contentTypes[path.Ext(name)]
		if !ok {
			return nil // nothing is served whose type is not known
		}
		body, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		assets[strings.TrimPrefix(name, "static/")] = newAsset(body, kind)
		return nil
	})
	if err != nil {
		panic("web: embedded files: " + err.Error())
	}
	return assets
}
