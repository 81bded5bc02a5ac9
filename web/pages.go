package web

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
)

// layout.html holds what all pages have in common; a file beside it holds the page's
// own, the main element.
//
//go:embed pages
var pageFiles embed.FS

const layoutFile = "layout.html"

// page is what the layout has to know of a page.
type page struct {
	Title, Description string
	Styles             []string // below css/, behind those of all pages
	Script             string   // below static/; "": none
	Current            string   // the entry of the navigation that is this page
	GoLive             bool     // the navigation leads to /publish
	Line               bool     // water under the header

	Preloads []string      // what Script imports; filled in
	Main     template.HTML // the page's own file; filled in
}

// commonStyles are those of all pages.
var commonStyles = []string{"tokens", "base", "frame", "controls"}

var pages = map[string]page{
	"home.html": {
		Title: "weir: live now", Description: "What is live on this server, and what was recorded lately.",
		Styles: []string{"rows", "home"}, Script: "app/home.js", Current: "live",
	},
	"publish.html": {
		Title: "Go live: weir", Description: "Broadcast from your camera or your screen.",
		Styles: []string{"stage", "publish"}, Script: "app/publish.js", Line: true,
	},
	"watch.html": {
		Title: "Watch: weir", Description: "Watch a broadcast live.",
		Styles: []string{"stage", "watch"}, Script: "app/watch.js", GoLive: true, Line: true,
	},
	"recordings.html": {
		Title: "Recordings: weir", Description: "Broadcasts recorded on this server.",
		Styles: []string{"rows", "recordings"}, Script: "app/recordings.js", Current: "recordings", GoLive: true, Line: true,
	},
	"404.html": {
		Title: "Not found: weir", Description: "There is no page at this address.",
		Styles: []string{"lost"}, GoLive: true, Line: true,
	},
}

// addPages puts the pages together and adds them to the site, which holds the
// scripts. As with load, an error would be a defect of the build.
func (s *site) addPages(fsys fs.FS) {
	s.pages = map[string]file{}
	layout := template.Must(template.ParseFS(fsys, "pages/"+layoutFile))
	for name, p := range pages {
		own, err := fs.ReadFile(fsys, "pages/"+name)
		if err != nil {
			panic("web: embedded pages: " + err.Error())
		}
		p.Styles = slices.Concat(commonStyles, p.Styles)
		p.Main = template.HTML(own) // ours
		if p.Script != "" {
			p.Preloads = s.imports(p.Script)
		}
		var b bytes.Buffer
		if err := layout.Execute(&b, p); err != nil {
			panic(fmt.Sprintf("web: page %s: %v", name, err))
		}
		body := bytes.ReplaceAll(b.Bytes(), staticRef, []byte(string(staticRef)+s.version+"/"))
		s.pages[name] = newFile(body, contentTypes[".html"])
	}
}

var (
	// staticRef is how the files of a page refer to an asset.
	staticRef = []byte(`="/static/`)
	// importOf is how a module names another one, whichever way it imports it.
	importOf = regexp.MustCompile(`(?:from|import\()\s*'(\.[^']+)'`)
	// comment may import types, which are not there when the page runs.
	comment = regexp.MustCompile(`(?s)/\*.*?\*/`)
)

// imports returns all modules that a script needs, in the order of their names. A
// page that does not name them in advance would fetch them one level of imports
// after the other.
func (s *site) imports(script string) []string {
	needed := map[string]bool{}
	var follow func(module string)
	follow = func(module string) {
		for _, found := range importOf.FindAllSubmatch(comment.ReplaceAll(s.assets[module].body, nil), -1) {
			next := path.Join(path.Dir(module), string(found[1]))
			if !needed[next] {
				needed[next] = true
				follow(next)
			}
		}
	}
	follow(script)
	return slices.Sorted(maps.Keys(needed))
}
